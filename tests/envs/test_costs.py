"""What infos tell of the cost of a step, and the weights of ``dense``."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.envs import DreamRTMMDispatchEnv, DreamRTMMEnv
from dream_gym.envs.costs import TERMS
from dream_gym.envs.sb3 import make_sb3_vec_env
from dream_gym.errors import ConfigError

CELL: dict[str, Any] = {"scenario": "ar_social", "load": 2.5, "episode_seconds": 0.3}
TUNING = {**CELL, "tunables": ("supernet_margin", "drop_cap"), "interval_ms": 20}
ENVS: dict[str, dict[str, Any]] = {
    "DreamRTMM-v0": TUNING,
    "DreamRTMM-Dispatch-v0": {**CELL, "supernet": "free"},
}


def make(env_id: str, **arguments: Any) -> Any:
    maker = DreamRTMMEnv if env_id == "DreamRTMM-v0" else DreamRTMMDispatchEnv
    return maker(**{**ENVS[env_id], **arguments})


def act(env: Any, generator: np.random.Generator) -> Any:
    if isinstance(env, DreamRTMMEnv):
        return generator.uniform(env.action_space.low, env.action_space.high)
    return int(generator.choice(np.flatnonzero(env.action_masks())))


@pytest.mark.parametrize("env_id", ENVS)
@pytest.mark.parametrize("energy_norm", ["charged", "literal"])
def test_costs_of_the_steps_sum_to_those_of_the_run(env_id: str, energy_norm: str) -> None:
    env = make(env_id, cost_info=True, energy_norm=energy_norm, sizes={"models": 9})
    _, info = env.reset(seed=1)
    generator, ended = np.random.default_rng(0), False
    totals = {name: np.zeros(9) for name in TERMS}
    assert {name: values.tolist() for name, values in info["cost"].items()} == {
        name: [0.0] * 9 for name in TERMS
    }
    while not ended:
        _, _, ended, _, info = env.step(act(env, generator))
        assert list(info["cost"]) == list(TERMS)
        for name, values in info["cost"].items():
            assert (values >= 0).all()
            totals[name] += values
    result, models = info["result"], len(info["result"].frame_count)
    frames = np.array(list(result.frame_count.values()))
    energy = result.energy_charged if energy_norm == "charged" else result.energy_spent
    expected = {
        "violations": frames * np.array(list(result.violation_rate.values())),
        "lost": frames * np.array(list(result.lost_rate.values())),
        "energy": np.array(list(energy.values()), float),
        "accuracy": frames * np.array(list(result.accuracy_loss.values())),
    }
    for name, values in totals.items():
        assert values[:models] == pytest.approx(expected[name], rel=1e-12), name
        assert values[:models].sum() > 0, name
        assert not values[models:].any()


@pytest.mark.parametrize("env_id", ENVS)
def test_a_batch_tells_the_same_costs(env_id: str) -> None:
    arguments = {**ENVS[env_id], "cost_info": True, "episode_seconds": 0.1}
    batch: Any = gym.make_vec(
        f"dream_gym:{env_id}", num_envs=3, autoreset_mode="SameStep", **arguments
    )
    alone = [make(env_id, **arguments) for _ in range(3)]
    batch.reset(seed=5)
    for row, env in enumerate(alone):
        env.reset(seed=5 + row)
    generator, running, ends = np.random.default_rng(0), [True] * 3, 0
    while any(running):
        actions = np.array([act(env, generator) for env in batch.envs])
        *_, info = batch.step(actions)
        assert info["_cost"].all()
        for row, env in enumerate(alone):
            if not running[row]:
                continue
            _, _, ended, _, single = env.step(actions[row])
            told = info["final_info"] if ended else info
            for name, values in single["cost"].items():
                assert told["cost"][name][row].tolist() == values.tolist()
            if ended:
                assert info["_final_info"][row]
                assert not info["cost"]["energy"][row].any(), "a new episode has cost nothing"
                ends += 1
            running[row] = not ended
    assert ends == 3


def test_the_adapter_passes_costs_on() -> None:
    env = make_sb3_vec_env("DreamRTMM-v0", 2, **{**TUNING, "cost_info": True})
    env.reset()
    total, ended = np.zeros(2), False
    while not ended:
        _, _, done, infos = env.step(np.ones((2, 2), np.float32))
        total += [info["cost"]["energy"].sum() for info in infos]
        ended = bool(done.all())
    spent = [sum(info["result"].energy_charged.values()) for info in infos]
    assert total == pytest.approx(spent, rel=1e-12)


def test_nothing_is_told_unless_asked_for() -> None:
    for env_id in ENVS:
        env = make(env_id)
        assert "cost" not in env.reset(seed=1)[1]


def dense(weights: dict[str, float] | None) -> tuple[float, Any]:
    env = make("DreamRTMM-v0", reward="dense", dense_weights=weights, accuracy_weight=0.0)
    env.reset(seed=1)
    total, ended = 0.0, False
    while not ended:
        _, reward, ended, _, info = env.step(np.array([1.0, 2.0], np.float32))
        total += reward
    return total, info["result"]


def test_dense_weighs_its_terms() -> None:
    _, result = dense(None)
    frames = np.array(list(result.frame_count.values()))
    violations = float(frames @ np.array(list(result.violation_rate.values())))
    lost = float(frames @ np.array(list(result.lost_rate.values())))
    assert 0 < lost < violations
    only = {"violations": 0.0, "lost": 0.0, "energy": 0.0}
    energy = -dense({**only, "energy": 1.0})[0] * frames.sum()
    assert 0 < energy < 1
    for weights in (None, {"lost": 2.5}, {"violations": 0.5, "energy": 3.0}, only):
        own = {"violations": 1.0, "lost": 0.0, "energy": 1.0, **(weights or {})}
        cost = own["violations"] * violations + own["lost"] * lost + own["energy"] * energy
        assert dense(weights)[0] == pytest.approx(-cost / frames.sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dense_weights": {"lost": 1.0}}, 'for reward="dense"'),
        ({"reward": "dense", "dense_weights": {"lose": 1.0}}, "did you mean lost"),
        ({"reward": "dense", "dense_weights": {"lost": -1.0}}, "dense_weights.lost"),
        ({"reward": "dense", "dense_weights": 3}, "expected a mapping of violations"),
        ({"cost_info": "yes"}, "cost_info"),
    ],
)
def test_malformed_weights_are_refused(arguments: dict[str, Any], words: str) -> None:
    for env_id in ENVS:
        with pytest.raises(ConfigError, match=words):
            make(env_id, **arguments)
