"""Decision points can be returned to: in the same environment, in another, from a copy."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.errors import EnvStateError

TUNING = "DreamRTMM-v0"
DISPATCH = "DreamRTMM-Dispatch-v0"
MIXED = {
    "scenario": ["ar_call", "drone_indoor"],
    "platform": ["4k_2ws", "8k_1ws_2os"],
    "load": (1.0, 4.0),
}
CASES: list[tuple[str, dict[str, Any]]] = [
    (TUNING, {"episode_seconds": 0.6, "load": 1.6, "tunables": ("alpha", "drop_cap")}),
    (TUNING, {"episode_seconds": 0.6, "reward": "uxcost_window", **MIXED}),
    (DISPATCH, {"episode_seconds": 0.05, "load": 2.0, "supernet": "free"}),
    (DISPATCH, {"episode_seconds": 0.05, "observation": "dict", **MIXED}),
]
COPIES: list[Callable[[Any], Any]] = [
    lambda point: point,
    copy.deepcopy,
    lambda point: pickle.loads(pickle.dumps(point)),
]
both = pytest.mark.parametrize(("env_id", "arguments"), CASES)


def make(env_id: str, **arguments: Any) -> Any:
    return gym.make(f"dream_gym:{env_id}", **arguments).unwrapped


def choose(env: Any, generator: np.random.Generator) -> Any:
    if isinstance(env.action_space, gym.spaces.Box):
        return generator.uniform(env.action_space.low, env.action_space.high).astype(np.float32)
    return int(generator.choice(np.flatnonzero(env.action_masks())))


def steps(env: Any, seed: int, count: int = 10**9) -> list[Any]:
    """What random steps give, to the last bit, up to the end of the episode."""
    generator, seen, ended = np.random.default_rng(seed), [], False
    while not ended and len(seen) < count:
        observation, reward, ended, _, info = env.step(choose(env, generator))
        seen.append((flat(env, observation), reward, info["elapsed_ns"]))
    if ended:
        result = info["result"]
        seen.append(result.summary())
        seen += [t if t is None else t.tolist() for t in (result.frames, result.timeline)]
    return seen


def flat(env: Any, observation: Any) -> bytes:
    parts = observation.values() if isinstance(observation, dict) else [observation]
    return b"".join(part.tobytes() for part in parts)


def begun(env_id: str, seed: int = 5, *, record: bool = False, **arguments: Any) -> Any:
    """An environment some steps after its reset."""
    env = make(env_id, **arguments)
    env.reset(seed=seed, options={"record": record})
    assert len(steps(env, seed, count=3)) == 3
    return env


@both
def test_a_point_can_be_returned_to(env_id: str, arguments: dict[str, Any]) -> None:
    env = begun(env_id, **arguments)
    point = env.get_state()
    seen = flat(env, env.present())
    first = steps(env, 6)
    second = [env.reset()[1]["seed"] for _ in range(3)]
    observation, info = env.set_state(point)
    assert flat(env, observation) == seen
    assert info.keys() == env.info().keys()
    assert steps(env, 6) == first
    assert [env.reset()[1]["seed"] for _ in range(3)] == second, "later episodes are the same, too"


@pytest.mark.parametrize("record", [False, True])
@both
def test_a_model_of_the_environment_may_run_ahead(
    env_id: str, arguments: dict[str, Any], record: bool
) -> None:
    real, model = begun(env_id, record=record, **arguments), make(env_id, **arguments)
    model.reset(seed=99)
    for look in range(2):
        point = real.get_state()
        before = flat(real, real.present())
        model.set_state(point)
        assert model.drawn == real.drawn
        ahead = steps(model, look)
        assert flat(real, real.present()) == before
        other = begun(env_id, seed=1, record=record, **arguments)
        other.set_state(point)
        assert steps(other, look) == ahead
        steps(real, look, count=1)
    real.set_state(point)
    assert steps(real, look) == ahead, "the model did not disturb it"


@pytest.mark.parametrize("copied", COPIES, ids=["same", "deepcopy", "pickle"])
@both
def test_points_outlive_their_environment(
    env_id: str, arguments: dict[str, Any], copied: Callable[[Any], Any]
) -> None:
    env = begun(env_id, record=True, **arguments)
    point = copied(env.get_state())
    rest = steps(env, 2)
    del env
    gc.collect()
    for _ in range(2):
        other = make(env_id, **arguments)
        other.set_state(point)
        assert steps(other, 2) == rest


def test_points_of_other_environments_are_refused() -> None:
    arguments = {"episode_seconds": 0.05, "load": 2.0}
    env = begun(DISPATCH, **arguments)
    point = env.get_state()
    for changed, words in (
        ({"scenario": "ar_call"}, "scenario is 'ar_call' here, and None"),
        ({"load": 1.5}, "load is 1.5 here, and 2.0"),
        ({"reward": "dense"}, "reward"),
        ({"max_slots": 2}, "max_slots"),
        ({"render_mode": "rgb_array"}, "render_mode needs a snapshot of a recorded episode"),
    ):
        other = make(DISPATCH, **{**arguments, **changed})
        with pytest.raises(EnvStateError, match=words):
            other.set_state(point)
    with pytest.raises(EnvStateError, match="of DreamRTMMDispatchEnv, not of DreamRTMMEnv"):
        make(TUNING).set_state(point)
    with pytest.raises(EnvStateError, match="version"):
        env.set_state(dataclasses.replace(point, arena=point.arena[:-1]))
    seen = flat(env, env.present())
    env.set_state(point)
    assert flat(env, env.present()) == seen, "a refusal changes nothing"


def test_a_point_of_a_recorded_episode_can_be_drawn() -> None:
    pytest.importorskip("matplotlib")
    arguments = {"episode_seconds": 0.05, "load": 2.0}
    shown = make(DISPATCH, render_mode="rgb_array", **arguments)
    shown.set_state(begun(DISPATCH, record=True, **arguments).get_state())
    assert shown.render().shape == (320, 640, 3)


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_points_are_of_running_episodes(env_id: str) -> None:
    env = make(env_id)
    with pytest.raises(EnvStateError, match="get_state"):
        env.get_state()
    env.reset(seed=0)
    env.close()
    with pytest.raises(EnvStateError, match="get_state"):
        env.get_state()
