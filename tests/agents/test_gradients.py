"""Real, short runs of imitation and of PPO on the score: they learn, and resume exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import dream_gym
from agents.algorithms import get_algorithm
from agents.algorithms.imitate import ImitateLearner
from agents.score import ScoreLearner
from dream_gym.errors import ConfigError
from dream_gym.players.run_folder import RunCard
from dream_gym.reading.resources import validate

pytestmark = pytest.mark.compiled

CELL = {"scenario": "xrbench_ar_gaming", "platform": "4k_2ws", "load": 2.5}


def card(algorithm: str, rounds: int, seconds: float = 0.2, **hyperparameters: Any) -> RunCard:
    content = {
        "schema": 2,
        "loader": "learned",
        "algorithm": algorithm,
        "environment": "learned",
        "environment_arguments": {**CELL, "episode_seconds": seconds},
        "environment_digest": "",
        "sizes": {},
        "hyperparameters": {"n_timesteps": rounds, "block_ms": 0.0, **hyperparameters},
        "timesteps": rounds,
        "seed": 1,
        "command": "",
        "versions": {},
    }
    return validate(content, RunCard, origin="test")


def begin(folder: Path, given: RunCard) -> ScoreLearner:
    learner = get_algorithm(given.algorithm).begin(given, folder)
    assert isinstance(learner, ScoreLearner)
    return learner


PPO = {"worlds": 4, "runs": 6, "choices": 200, "learning_rate": 0.03, "epochs": 3, "sharpness": 1.0}


def test_ppo_learns(tmp_path: Path) -> None:
    learner = begin(tmp_path, card("pair_ppo", 12, **PPO))
    before = learner.evaluate()
    learner.learn(12, lambda: True)
    assert learner.evaluate() < 0.8 * before
    learner.close()


def test_it_learns_from_its_own_best_runs(tmp_path: Path) -> None:
    given = {"worlds": 4, "runs": 8, "choices": 200, "learning_rate": 0.05, "epochs": 3}
    learner = begin(tmp_path, card("imitate", 12, **given))
    before = learner.evaluate()
    learner.learn(12, lambda: True)
    assert learner.evaluate() < 0.8 * before
    learner.close()


TAUGHT = {"worlds": 4, "choices": 500, "learning_rate": 0.01, "epochs": 8, "hidden": 8}


def test_it_decides_like_its_teacher(tmp_path: Path) -> None:
    teacher = {"scheduler": "edf", "options": {"placement": "eft"}}
    learner = begin(tmp_path, card("imitate", 20, teachers=[teacher], **TAUGHT))
    assert isinstance(learner, ImitateLearner)
    learner.learn(20, lambda: True)
    assert learner.agreement > 0.95
    learner.close()


@pytest.mark.parametrize(
    ("algorithm", "hyperparameters"),
    [
        ("pair_ppo", {**PPO, "shortest_seconds": 0.05}),
        ("imitate", {**TAUGHT, "epochs": 1, "teachers": ["edf", "fcfs"]}),
    ],
)
def test_a_run_that_is_resumed_ends_with_the_same_bits(
    algorithm: str, hyperparameters: dict[str, Any], tmp_path: Path
) -> None:
    given = card(algorithm, 4, 0.1, **hyperparameters)
    whole, half = begin(tmp_path, given), begin(tmp_path, given)
    whole.learn(4, lambda: True)
    half.learn(4, lambda: half.timesteps < 2)
    assert half.timesteps == 2
    rest = get_algorithm(algorithm).resume(given, tmp_path, half.state())
    rest.learn(4, lambda: True)
    assert np.array_equal(whole.parameters, rest.parameters)  # type: ignore[attr-defined]
    assert not np.array_equal(whole.parameters, half.parameters)


def test_a_damaged_state_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be resumed"):
        get_algorithm("pair_ppo").resume(card("pair_ppo", 4, **PPO), tmp_path, b"nothing")


class Slow(dream_gym.Scheduler):
    """One in Python."""

    def select(self, view: dream_gym.View) -> None:
        return None


@pytest.mark.parametrize(
    ("teacher", "words"),
    [
        ("nobody", "nobody"),
        ("python:tests.agents.test_gradients.Slow", "not compiled"),
        ({"scheduler": "edf", "options": {"speed": 3}}, "speed"),
    ],
)
def test_teachers_that_cannot_teach(teacher: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        begin(tmp_path, card("imitate", 4, teachers=[teacher], **TAUGHT))
