"""The adapter for stable-baselines3, against its own way of making vector environments."""

from __future__ import annotations

import math
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import RescaleAction

pytest.importorskip("stable_baselines3")

from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from dream_gym.envs import TimeDiscount
from dream_gym.envs.sb3 import make_sb3_vec_env
from dream_gym.errors import ConfigError

ARGUMENTS: dict[str, Any] = {"episode_seconds": 0.35, "load": 1.3, "scenario": "drone_indoor"}


def make_plain(max_episode_steps: int | None) -> gym.Env[Any, Any]:
    env = gym.make("dream_gym:DreamRTMM-v0", max_episode_steps=max_episode_steps, **ARGUMENTS)
    return Monitor(RescaleAction(env, np.float32(-1), np.float32(1)))


@pytest.mark.parametrize("steps_at_most", [None, 3, 4])  # an episode has four
def test_episodes_are_those_of_a_dummy_vec_env(steps_at_most: int | None) -> None:
    native = make_sb3_vec_env("DreamRTMM-v0", 3, max_episode_steps=steps_at_most, **ARGUMENTS)
    plain = DummyVecEnv([lambda: make_plain(steps_at_most)] * 3)
    for env in (native, plain):
        env.seed(5)
    assert (native.reset() == plain.reset()).all()
    assert native.action_space == plain.action_space
    drawn = {"scenario": "drone_indoor", "platform": "4k_1ws_2os", "load": 1.3}
    assert native.reset_infos == [{"seed": seed, **drawn} for seed in (5, 6, 7)]
    generator = np.random.default_rng(0)
    for _ in range(12):
        actions = generator.uniform(-1, 1, (3, 2)).astype(np.float32)
        steps = [env.step(actions) for env in (native, plain)]
        for one, other in zip(steps[0][:3], steps[1][:3], strict=True):
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()
        for one, other in zip(steps[0][3], steps[1][3], strict=True):
            assert ("terminal_observation" in one) == ("terminal_observation" in other)
            if "terminal_observation" in one:
                assert (one["terminal_observation"] == other["terminal_observation"]).all()
                assert one["TimeLimit.truncated"] is other["TimeLimit.truncated"]
                assert one["TimeLimit.truncated"] is (steps_at_most == 3)
                assert ("result" in one) == ("result" in other)
                assert one["episode"]["l"] == other["episode"]["l"]
                assert one["episode"]["r"] == pytest.approx(other["episode"]["r"], abs=1e-5)
        for one, other in zip(native.reset_infos, plain.reset_infos, strict=True):
            assert one == {name: other[name] for name in one}


def test_rewards_are_discounted_by_time() -> None:
    arguments = {"episode_seconds": 0.02, "load": 2.0, "max_slots": 6}
    env_id = "DreamRTMM-Dispatch-v0"
    plain = gym.make(f"dream_gym:{env_id}", **arguments)
    single = TimeDiscount(gym.make(f"dream_gym:{env_id}", **arguments), 0.5, 10.0)
    batch = make_sb3_vec_env(env_id, 1, time_gamma=0.5, time_interval_ms=10.0, **arguments)
    batch.seed(3)
    batch.reset()
    _, info = plain.reset(seed=3)
    single.reset(seed=3)
    now_ns, ended = info["elapsed_ns"], False
    while not ended:
        action = int(np.flatnonzero(info["action_mask"])[0])
        weight = 0.5 ** (now_ns / 10e6)
        _, reward, ended, _, info = plain.step(action)
        assert single.step(action)[1] == pytest.approx(reward * weight)
        _, rewards, _, _ = batch.step(np.array([action]))
        assert rewards[0] == pytest.approx(reward * weight, rel=1e-6)
        now_ns += info["elapsed_ns"]
    assert now_ns == 20_000_000
    odd: list[tuple[Any, Any]] = [("0.9", 1.0), (True, 1.0), (0.9, True), (0.9, math.inf)]
    for gamma, interval_ms in ((0.0, 1.0), (1.1, 1.0), (0.9, 0.0), *odd):
        with pytest.raises(ConfigError, match=r"gamma|interval_ms"):
            TimeDiscount(plain, gamma, interval_ms)
    with pytest.raises(ConfigError, match="env: expected an environment of dream_gym"):
        TimeDiscount(gym.make("CartPole-v1"), 0.5, 10.0)


def test_discount_by_time_is_part_of_the_spec_and_follows_the_clock() -> None:
    arguments = {"episode_seconds": 0.02, "load": 2.0}
    env = TimeDiscount(gym.make("dream_gym:DreamRTMM-Dispatch-v0", **arguments), 0.5, 10.0)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, TimeDiscount)
    rewards = []
    for one in (env, again):
        one.reset(seed=3)
        world: Any = one.unwrapped
        start, ended = world.get_state(), False
        for _ in range(2):
            world.set_state(start)  # goes back in time
            ended, total = False, 0.0
            while not ended:
                _, reward, ended, *_ = one.step(world.actions - 1)
                total += reward
            rewards.append(total)
    assert len(set(rewards)) == 1


def test_masks_and_attributes_come_through() -> None:
    env = make_sb3_vec_env("DreamRTMM-Dispatch-v0", 2, episode_seconds=0.04)
    env.reset()
    masks = env.env_method("action_masks")
    assert [mask.dtype for mask in masks] == [np.bool_] * 2
    assert len(env.env_method("action_masks", indices=[1])) == 1
    assert env.get_attr("episode_seconds") == [0.04, 0.04]
    env.set_attr("marked", True, indices=0)
    assert env.get_attr("marked", indices=[0]) == [True]
    assert env.env_is_wrapped(Monitor) == [True, True], "it does what a Monitor does"
    assert env.env_is_wrapped(TimeDiscount) == [False, False]
    env.close()


def test_episodes_are_evaluated_without_a_warning() -> None:
    env = make_sb3_vec_env("DreamRTMM-v0", 2, **ARGUMENTS)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=16, device="cpu")
    env.seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returns, lengths = evaluate_policy(model, env, 4, return_episode_rewards=True)
    assert lengths == [4] * 4
    assert all(value < 0 for value in returns)


def test_options_are_those_of_each_environment() -> None:
    env = make_sb3_vec_env("DreamRTMM-v0", 2, **ARGUMENTS)
    env.set_options([{"record": True}, {}])
    for recorded in ([True, False], [False, False]):  # they hold for one reset
        env.reset()
        infos: list[dict[str, Any]] = [{}]
        while "result" not in infos[0]:
            infos = env.step(np.zeros((2, 2)))[3]
        assert [info["result"].frames is not None for info in infos] == recorded


def test_pictures_come_through() -> None:
    pytest.importorskip("matplotlib")
    env = make_sb3_vec_env("DreamRTMM-v0", 2, render_mode="rgb_array", **ARGUMENTS)
    env.reset()
    assert [image.shape for image in env.get_images()] == [(320, 640, 3)] * 2
    assert env.render().shape == (640, 640, 3)
    assert make_sb3_vec_env("DreamRTMM-v0", 2, **ARGUMENTS).get_images() == [None, None]


@pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")
def test_illegal_actions_are_told_at_the_end() -> None:
    env = make_sb3_vec_env("DreamRTMM-Dispatch-v0", 2, episode_seconds=0.02, load=2.0)
    env.seed(1)
    env.reset()
    last = env.action_space.n - 1
    infos = env.step(np.array([last - 1, last]))[3]  # the first drops what it may not
    while "result" not in infos[0]:
        infos = env.step(np.array([last, last]))[3]
    assert [info["illegal_actions"] for info in infos] == [1, 0]


@pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")  # plain PPO knows no masks
@pytest.mark.parametrize("env_id", ["DreamRTMM-v0", "DreamRTMM-Dispatch-v0"])
def test_agents_learn_on_it(env_id: str) -> None:
    env = VecNormalize(make_sb3_vec_env(env_id, 4, episode_seconds=0.3))
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0, device="cpu")
    model.learn(128)
    assert model.num_timesteps == 128
