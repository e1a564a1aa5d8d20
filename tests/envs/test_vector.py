"""Batches against the same environments alone, and against Gymnasium's own vector environments."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import NormalizeObservation, RecordEpisodeStatistics

from dream_gym.errors import ActionError, ConfigError, EnvStateError

DISPATCH: dict[str, Any] = {"episode_seconds": 0.02, "load": 2.0}
TUNING: dict[str, Any] = {"episode_seconds": 0.35, "load": 1.3, "scenario": "drone_indoor"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("DreamRTMM-v0", TUNING),
    ("DreamRTMM-v0", {**TUNING, "observation": "dict", "reward": "uxcost_window"}),
    ("DreamRTMM-v0", {**TUNING, "tunables": ("patience", "drop_cap"), "load": (1.0, 4.0)}),
    ("DreamRTMM-Dispatch-v0", DISPATCH),
    ("DreamRTMM-Dispatch-v0", {**DISPATCH, "observation": "dict", "supernet": "free"}),
    (
        "DreamRTMM-Dispatch-v0",
        {**DISPATCH, "scenario": ["ar_call", "drone_indoor"], "platform": ["4k_2ws", "8k_1ws_2os"]},
    ),
]
TRUNCATED: list[tuple[str, dict[str, Any]]] = [
    ("DreamRTMM-v0", {**TUNING, "max_episode_steps": 2}),
    ("DreamRTMM-v0", {**TUNING, "max_episode_steps": 4}),  # with the last step, both
    ("DreamRTMM-v0", {**TUNING, "max_episode_steps": 5}),
    ("DreamRTMM-Dispatch-v0", {**DISPATCH, "max_episode_steps": 55}),  # some are, some are not
]
"""An episode of `TUNING` has four steps; one of `DISPATCH` has between 40 and 70."""
MODES = tuple(AutoresetMode)


def make_vec(env_id: str, num_envs: int, arguments: dict[str, Any], mode: Any = "NextStep") -> Any:
    return gym.make_vec(f"dream_gym:{env_id}", num_envs=num_envs, autoreset_mode=mode, **arguments)


def make_sync(env_id: str, num_envs: int, arguments: dict[str, Any], mode: Any) -> SyncVectorEnv:
    return SyncVectorEnv(
        [lambda: gym.make(f"dream_gym:{env_id}", **arguments)] * num_envs, autoreset_mode=mode
    )


def assert_equal(first: Any, second: Any) -> None:
    """Equal to the last bit, whatever they are."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            assert_equal(first[name], second[name])
    elif isinstance(first, tuple) or (isinstance(first, np.ndarray) and first.dtype == object):
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other)
    elif isinstance(first, np.ndarray):
        assert first.dtype == second.dtype
        assert first.tolist() == second.tolist()
    elif hasattr(first, "summary"):
        assert first.summary() == second.summary()
    else:
        assert first == second


def with_plain_statistics(info: dict[str, Any]) -> dict[str, Any]:
    """An info whose statistics can be compared: Gymnasium's have none of what is truncated."""
    info = dict(info)
    if "final_info" in info:
        info["final_info"] = with_plain_statistics(info["final_info"])
    statistics = info.pop("episode_statistics", {})
    info.pop("_episode_statistics", None)
    if "_result" in info:
        # Gymnasium's have marks of their own.
        plain = {name: one for name, one in statistics.items() if name[0] != "_"}
        info["statistics"] = {name: np.where(info["_result"], plain[name], 0) for name in plain}
    return info


def choose(env: Any, info: dict[str, Any], generator: np.random.Generator) -> Any:
    """Random actions, legal ones where there is a mask."""
    if "action_mask" not in info:
        space = env.single_action_space
        shape = (env.num_envs, *space.shape)
        return generator.uniform(space.low, space.high, shape).astype(np.float32)
    return (generator.random(info["action_mask"].shape) * info["action_mask"]).argmax(axis=1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("env_id", "arguments"), CASES + TRUNCATED)
def test_a_batch_is_what_gymnasium_makes_of_single_environments(
    env_id: str, arguments: dict[str, Any], mode: AutoresetMode
) -> None:
    native, plain = (make(env_id, 3, arguments, mode) for make in (make_vec, make_sync))
    assert native.observation_space == plain.observation_space
    assert native.action_space == plain.action_space
    assert native.metadata["autoreset_mode"] == plain.metadata["autoreset_mode"] == mode
    options: dict[str, Any] = {}
    outputs = [env.reset(seed=[7, 1, 4], options=dict(options)) for env in (native, plain)]
    assert_equal(*outputs)
    info = outputs[0][1]
    episodes = 0
    generator = np.random.default_rng(0)
    for _ in range(10_000):
        actions = choose(native, info, generator)
        steps = [env.step(actions) for env in (native, plain)]
        ended = steps[0][2] | steps[0][3]
        if ended.any() and mode == AutoresetMode.SAME_STEP:
            # Gymnasium leaves the masks of other environments out where there is no final info.
            assert (steps[0][4]["_final_obs"] == ended).all()
        for name in ("_final_obs", "_result"):
            assert (name in steps[0][4]) == (name in steps[1][4])
        if ended.any():
            finals = steps[0][4].get("final_info", steps[0][4])
            assert (finals["_episode_statistics"] == ended).all()
        infos = tuple(with_plain_statistics(step[4]) for step in steps)
        assert_equal(tuple(steps[0][:4]), tuple(steps[1][:4]))
        assert_equal(*infos)
        info = steps[0][4]
        if mode == AutoresetMode.DISABLED and ended.any():
            resets = [
                env.reset(seed=[11, 12, 13], options={"reset_mask": ended.copy()})
                for env in (native, plain)
            ]
            assert_equal(resets[0][0], resets[1][0])
            info, only = resets[0][1], resets[1][1]
            assert info.keys() == only.keys()
            for name in only:
                if name.startswith("_"):
                    assert (info[name] == ended).all()
                    assert_equal(info[name], only[name])
                else:
                    assert_equal(info[name][ended], only[name][ended])
        episodes += int(ended.sum())
        if episodes >= 5:
            break
    assert episodes >= 5
    native.close()


@pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize(("env_id", "arguments"), CASES[2:4])
def test_a_copy_waits_for_its_reset(env_id: str, arguments: dict[str, Any], copied: Any) -> None:
    env = make_vec(env_id, 2, arguments, "SameStep")
    env.reset(seed=0)
    other = copied(env)
    assert other.autoreset_mode == AutoresetMode.SAME_STEP
    actions = env.action_space.sample()
    with pytest.raises(EnvStateError, match="reset"):
        other.step(actions)
    assert_equal(env.reset(seed=3), other.reset(seed=3))
    del env
    gc.collect()
    other.step(actions)


@pytest.mark.parametrize("env_id", ["DreamRTMM-v0", "DreamRTMM-Dispatch-v0"])
def test_environments_of_a_batch_do_not_share_a_run(env_id: str) -> None:
    env = make_vec(env_id, 3, {"load": (1.0, 1.001), "episode_seconds": 0.1})
    for seeds in ([1, 2, 3], [4, 4, 4]):  # the same problem, in one case the same world
        env.reset(seed=seeds)
        arenas = [each.simulation.state_arena for each in env.envs]
        assert len({arena.ctypes.data for arena in arenas}) == 3
    assert env.envs[0].observation is env.envs[2].observation
    assert env.envs[1].np_random is not env.envs[2].np_random


def test_options_may_be_given_to_each() -> None:
    env = make_vec("DreamRTMM-v0", 2, TUNING, "SameStep")
    env.reset(seed=0, options=[{"record": True}, {}])
    info: dict[str, Any] = {}
    while "final_info" not in info:
        *_, info = env.step(np.ones((2, 2), np.float32))
    assert [result.frames is None for result in info["final_info"]["result"]] == [False, True]
    with pytest.raises(ConfigError, match="options: expected 2"):
        env.reset(options=[{}])


@pytest.mark.parametrize(("env_id", "arguments"), CASES[:4:3])
def test_statistics_are_those_of_the_wrapper(env_id: str, arguments: dict[str, Any]) -> None:
    env = RecordEpisodeStatistics(make_vec(env_id, 2, arguments))
    _, info = env.reset(seed=0)
    generator = np.random.default_rng(1)
    found = 0
    while found < 3:
        *_, info = env.step(choose(env, info, generator))
        if "_episode" in info:
            ended = info["_episode"]
            assert (info["_episode_statistics"] == ended).all()
            wrapped, native = info["episode"], info["episode_statistics"]
            assert wrapped["l"].tolist() == native["l"].tolist()
            assert wrapped["r"] == pytest.approx(native["r"], abs=1e-12)
            found += int(ended.sum())


def test_other_wrappers_of_gymnasium_work() -> None:
    env = NormalizeObservation(make_vec("DreamRTMM-v0", 3, TUNING))
    env.reset(seed=0)
    observations, *_ = env.step(env.action_space.sample())
    assert np.isfinite(observations).all()


def test_observations_belong_to_the_caller() -> None:
    env = make_vec("DreamRTMM-v0", 2, TUNING)
    first, _ = env.reset(seed=0)
    before = first.copy()
    env.step(np.ones((2, 2), np.float32))
    assert (first == before).all()


def test_attributes_and_methods_of_the_environments() -> None:
    env = make_vec("DreamRTMM-Dispatch-v0", 2, DISPATCH)
    _, info = env.reset(seed=0)
    masks = env.call("action_masks")
    assert (np.stack(masks) == info["action_mask"].astype(bool)).all()
    assert (env.action_masks() == np.stack(masks)).all()
    assert [run.scenario.name for run in env.get_attr("simulation")] == ["ar_social"] * 2


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (np.ones((2, 3), np.float32), ActionError),
        (np.full((2, 2), np.nan, np.float32), ActionError),
        (np.full((2, 2), 3.0, np.float32), ActionError),
        ("go", ActionError),
    ],
)
def test_bad_actions_are_refused(action: Any, error: type[Exception]) -> None:
    env = make_vec("DreamRTMM-v0", 2, TUNING)
    env.reset(seed=0)
    with pytest.raises(error, match="actions"):
        env.step(action)


@pytest.mark.parametrize("action", [np.zeros(3, int), np.zeros(2), "go", 1])
def test_bad_choices_are_refused(action: Any) -> None:
    env = make_vec("DreamRTMM-Dispatch-v0", 2, DISPATCH)
    env.reset(seed=0)
    with pytest.raises(ActionError, match="actions"):
        env.step(action)


def test_choices_outside_the_space_are_refused_as_by_one_environment() -> None:
    env = make_vec("DreamRTMM-Dispatch-v0", 2, DISPATCH)
    env.reset(seed=0)
    most = int(env.single_action_space.n) - 1
    before = [each.simulation.now_ns for each in env.envs]
    for action in (-1, most + 1, 2**40):
        with pytest.raises(ActionError, match=f"from 0 to {most}, got {action} for environment 1"):
            env.step(np.array([most, action]))
    with pytest.raises(ActionError, match=f"got {2**64 - 1} for environment 0"):
        env.step(np.array([2**64 - 1, 0], dtype=np.uint64))
    assert [each.simulation.now_ns for each in env.envs] == before, "nobody has taken a step"
    ended = np.zeros(2, dtype=np.bool_)
    while not ended.any():
        ended = env.step(np.array([most, most]))[2]
    env.step(np.where(ended, -1, most))  # whose environment begins anew now is not asked


def test_bad_arguments_are_named() -> None:
    for arguments, words in (
        ({"num_envs": 0}, "num_envs"),
        ({"num_envs": 2.0}, "num_envs"),
        ({"num_envs": 2, "autoreset_mode": "Never"}, "autoreset_mode"),
        ({"num_envs": 2, "num_threads": 0}, "num_threads"),
        ({"num_envs": 2, "num_threads": 1.0}, "num_threads"),
        ({"num_envs": 2, "max_episode_steps": 0}, "max_episode_steps"),
        ({"num_envs": 2, "max_episode_steps": "5"}, "max_episode_steps"),
        ({"num_envs": 2, "load": -1}, "load"),
    ):
        with pytest.raises(ConfigError, match=words):
            gym.make_vec("dream_gym:DreamRTMM-v0", **arguments)


def test_steps_need_running_episodes() -> None:
    env = make_vec("DreamRTMM-v0", 2, TUNING, "Disabled")
    actions = np.ones((2, 2), np.float32)
    with pytest.raises(EnvStateError, match="reset"):
        env.step(actions)
    env.reset(seed=0)
    while not env.step(actions)[2].any():
        pass
    with pytest.raises(EnvStateError, match="reset"):
        env.step(actions)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": [1]}, "seed"),
        ({"seed": [0, 2**63]}, "seed"),
        ({"seed": [1.5, 2]}, "seed"),
        ({"seed": ["1", "2"]}, "seed"),
        ({"seed": "12"}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": -1}, "seed"),
        ({"options": {"recrod": True}}, "options: 'recrod' is unknown; did you mean record"),
        ({"options": {"record": 1}}, "options.record"),
        ({"options": 3}, "options"),
        ({"options": {"reset_mask": np.zeros(2, bool)}}, "reset_mask"),
        ({"options": {"reset_mask": np.ones(3, bool)}}, "reset_mask"),
        ({"options": {"reset_mask": np.ones(2, int)}}, "reset_mask"),
    ],
)
def test_bad_resets_are_named(arguments: dict[str, Any], words: str) -> None:
    env = make_vec("DreamRTMM-v0", 2, TUNING)
    with pytest.raises(ConfigError, match=words):
        env.reset(**arguments)
