"""What a reset draws, what it tells of it, and what becomes of one that fails."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dream_gym
from dream_gym.errors import ConfigError, EnvStateError
from dream_gym.simulator import build_problem

TUNING = "dream_gym:DreamRTMM-v0"
DISPATCH = "dream_gym:DreamRTMM-Dispatch-v0"
both = pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
MIXED: dict[str, Any] = {
    "scenario": ["ar_call", "drone_indoor"],
    "platform": ["4k_2ws", "4k_1ws_2os"],
    "load": (1.0, 2.5),
    "episode_seconds": 0.3,
}


def test_the_info_of_a_reset_names_the_world() -> None:
    env: Any = gym.make(TUNING, **MIXED)
    cells = set()
    for seed in (None, 4, None, 6, None, 8):
        _, info = env.reset(seed=seed)
        cell = {name: info[name] for name in ("scenario", "platform", "load", "seed")}
        cells.add((cell["scenario"], cell["platform"]))
        assert round(cell["load"], 3) == cell["load"]
        assert 1.0 <= cell["load"] <= 2.5
        ended = False
        while not ended:
            _, _, ended, _, info = env.step(np.array([1.0, 0.5], np.float32))
            assert "scenario" not in info
        world = dream_gym.simulate(**cell, scheduler="dream_plus", seconds=0.3, alpha=1.0, beta=0.5)
        assert info["result"].summary() == world.summary()
    assert len(cells) > 1


@both
def test_the_same_seed_draws_the_same_cell(env_id: str) -> None:
    first, second = (gym.make(env_id, **MIXED) for _ in range(2))
    batch = gym.make_vec(env_id, num_envs=8, **MIXED)
    _, told = batch.reset(seed=20)
    for row in range(8):
        _, info = first.reset(seed=20 + row)
        _, other = second.reset(seed=20 + row)
        for name in ("seed", "scenario", "platform", "load"):
            assert info[name] == other[name] == told[name][row]
            assert told[f"_{name}"].all()
    second.reset(seed=1)
    assert second.reset(seed=27)[1]["load"] == info["load"], "whatever was drawn before"


@both
def test_a_cell_met_again_is_the_same(env_id: str) -> None:
    """Problems are kept by cell; the runs on them are new."""
    env: Any = gym.make(env_id, **{**MIXED, "load": (1.0, 1.002)}).unwrapped
    seen: dict[Any, bytes] = {}
    for _ in range(60):
        observation, _ = env.reset()
        other: Any = gym.make(
            env_id,
            scenario=env.simulation.scenario,
            platform=env.simulation.platform,
            load=env.drawn.load,
        ).unwrapped
        other.reset(seed=0)
        assert (env.simulation.problem_arena == other.simulation.problem_arena).all()
        assert seen.setdefault(env.drawn, observation.tobytes()) == observation.tobytes()
        env.close()
    assert 6 < len(seen) < 60, "some are met again"


@both
def test_problems_are_built_once_for_a_whole_batch(
    env_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def build(*given: Any, **options: Any) -> Any:
        built.append(options["load"])
        return build_problem(*given, **options)

    monkeypatch.setattr("dream_gym.simulator.simulation.build_problem", build)
    batch = gym.make_vec(env_id, num_envs=40, load=(1.0, 1.002), episode_seconds=0.1)
    assert built == [1.002, 1.0], "each end of the range once; clones share the problem"
    for seed in range(0, 120, 40):
        batch.reset(seed=seed)
    assert sorted(built) == [1.0, 1.001, 1.002]


@both
def test_a_reset_that_fails_leaves_the_episode_as_it_was(env_id: str) -> None:
    env: Any = gym.make(env_id, **MIXED).unwrapped
    with pytest.raises(ConfigError, match="seed"):
        env.reset(seed=2**63)
    action = np.ones(2, np.float32) if env_id == TUNING else env.action_space.n - 1
    with pytest.raises(EnvStateError, match="reset"):
        env.step(action)
    for seed in range(6):  # whichever cell the failing reset draws
        env.reset(seed=seed)
        cell, simulation = env.drawn, env.simulation
        with pytest.raises(ConfigError, match="seed"):
            env.reset(seed=2**63)
        assert (env.drawn, env.simulation) == (cell, simulation)
        before_ns = simulation.now_ns
        *_, info = env.step(action)
        assert simulation.now_ns == before_ns + info["elapsed_ns"] > before_ns


@both
def test_pictures_need_an_episode(env_id: str) -> None:
    pytest.importorskip("matplotlib")
    env: Any = gym.make(env_id, render_mode="rgb_array").unwrapped
    with pytest.raises(EnvStateError, match="reset"):
        env.render()
    env.reset(seed=0)
    assert env.render().shape == (320, 640, 3)
    assert gym.make(env_id).unwrapped.render() is None
