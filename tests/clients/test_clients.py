"""Short learning runs with the libraries that people use; `make test-clients`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.wrappers import NormalizeObservation, RecordEpisodeStatistics, RecordVideo
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

from dream_gym.envs.sb3 import make_sb3_vec_env

TUNING = "DreamRTMM-v0"
DISPATCH = "DreamRTMM-Dispatch-v0"
SHORT = {TUNING: {"episode_seconds": 0.5}, DISPATCH: {"episode_seconds": 0.05, "max_slots": 8}}


def make(env_id: str, **arguments: Any) -> Any:
    return gym.make(f"dream_gym:{env_id}", **SHORT[env_id], **arguments)


@pytest.mark.parametrize(
    ("algorithm", "env_id", "arguments"),
    [
        (PPO, TUNING, {"n_steps": 32, "batch_size": 32}),
        (PPO, DISPATCH, {"n_steps": 32, "batch_size": 32}),
        (SAC, TUNING, {"learning_starts": 20}),
        (DQN, DISPATCH, {"learning_starts": 20}),
    ],
)
def test_stable_baselines3(algorithm: Any, env_id: str, arguments: dict[str, Any]) -> None:
    env = make_sb3_vec_env(env_id, 2, **SHORT[env_id])
    model = algorithm("MlpPolicy", env, seed=0, device="cpu", **arguments)
    model.learn(256)
    assert model.num_timesteps == 256
    assert len(model.ep_info_buffer) > 0, "episodes are logged"


def test_stable_baselines3_in_spawned_processes() -> None:
    env = make_vec_env(
        f"dream_gym:{TUNING}",
        2,
        env_kwargs=SHORT[TUNING],
        vec_env_cls=SubprocVecEnv,
        vec_env_kwargs={"start_method": "spawn"},
    )
    PPO("MlpPolicy", env, n_steps=8, batch_size=16, device="cpu").learn(32)
    env.close()


def test_maskable_ppo_takes_legal_actions_only() -> None:
    sb3_contrib = pytest.importorskip("sb3_contrib")
    env = make_sb3_vec_env(DISPATCH, 4, **SHORT[DISPATCH])
    model = sb3_contrib.MaskablePPO("MlpPolicy", env, n_steps=64, batch_size=64, seed=0)
    model.learn(1024)
    assert all(single.info()["illegal_actions"] == 0 for single in env.env.envs)


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_torchrl(env_id: str) -> None:
    libs = pytest.importorskip("torchrl.envs.libs.gym")
    env = libs.GymWrapper(make(env_id))
    from torchrl.envs.utils import check_env_specs

    env.set_seed(0)
    check_env_specs(env)
    assert env.rollout(20)["next", "reward"].shape[-1] == 1


def test_a_loop_of_ones_own_learns() -> None:
    """One file, as CleanRL writes it: REINFORCE with masks on the native vector environment."""
    torch.manual_seed(0)
    env = gym.make_vec(f"dream_gym:{DISPATCH}", num_envs=16, **SHORT[DISPATCH])
    network = torch.nn.Linear(env.single_observation_space.shape[0], env.single_action_space.n)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    observation, info = env.reset(seed=0)
    before = network.weight.detach().clone()
    for _ in range(5):
        log_probabilities, rewards = [], []
        for _ in range(20):
            logits = network(torch.as_tensor(observation))
            logits[torch.as_tensor(info["action_mask"]) == 0] = -1e9
            choice = torch.distributions.Categorical(logits=logits)
            action = choice.sample()
            log_probabilities.append(choice.log_prob(action))
            observation, reward, _, _, info = env.step(action.numpy())
            rewards.append(torch.as_tensor(reward, dtype=torch.float32))
        returns = torch.stack(rewards).flip(0).cumsum(0).flip(0)
        loss = -(torch.stack(log_probabilities) * (returns - returns.mean())).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert torch.isfinite(network.weight).all()
    assert not torch.equal(network.weight, before)


def test_wrappers_and_videos(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    env = RecordVideo(make(TUNING, render_mode="rgb_array"), str(tmp_path))
    wrapped = NormalizeObservation(RecordEpisodeStatistics(env))
    wrapped.reset(seed=0)
    ended = False
    while not ended:
        _, _, ended, _, info = wrapped.step(np.ones(2, np.float32))
    wrapped.close()
    assert info["episode"]["l"] == 5
    videos = list(tmp_path.glob("*.mp4"))
    assert len(videos) == 1
    assert videos[0].stat().st_size > 1000
