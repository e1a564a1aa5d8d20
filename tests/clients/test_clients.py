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
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

from dream_gym.envs.sb3 import make_sb3_vec_env

TUNING = "DreamRTMM-v0"
DISPATCH = "DreamRTMM-Dispatch-v0"
SHORT: dict[str, dict[str, Any]] = {
    TUNING: {"episode_seconds": 0.5},
    DISPATCH: {"episode_seconds": 0.05, "max_slots": 8},
}
# Agents that know no masks are part of what is tried here.
pytestmark = pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")


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


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_dicts_of_tables(env_id: str) -> None:
    env = make_sb3_vec_env(env_id, 2, observation="dict", **SHORT[env_id])
    model = PPO("MultiInputPolicy", env, n_steps=32, batch_size=32, seed=0, device="cpu")
    model.learn(128)
    assert set(model.observation_space.keys()) == set(env.env.observation.tables)
    assert len(model.ep_info_buffer) > 0


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_stable_baselines3_in_spawned_processes(env_id: str) -> None:
    env = make_vec_env(
        f"dream_gym:{env_id}",
        2,
        seed=3,
        env_kwargs=SHORT[env_id],
        vec_env_cls=SubprocVecEnv,
        vec_env_kwargs={"start_method": "spawn"},
    )
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, device="cpu").learn(256)
    assert len(model.ep_info_buffer) > 0
    if env_id == DISPATCH:
        masks = np.stack(env.env_method("action_masks"))
        assert masks.shape == (2, env.action_space.n)
        assert masks[:, -1].all()
    env.close()


class IllegalActions(BaseCallback):
    """Counts the episodes and their illegal actions."""

    episodes = illegal = 0

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "illegal_actions" in info:
                self.episodes += 1
                self.illegal += info["illegal_actions"]
        return True


@pytest.mark.parametrize("masked", [True, False])
def test_maskable_ppo_takes_legal_actions_only(masked: bool) -> None:
    sb3_contrib = pytest.importorskip("sb3_contrib")
    env = make_sb3_vec_env(DISPATCH, 4, **SHORT[DISPATCH])
    algorithm = sb3_contrib.MaskablePPO if masked else PPO
    model = algorithm("MlpPolicy", env, n_steps=64, batch_size=64, seed=0, device="cpu")
    counts = IllegalActions()
    model.learn(1024, callback=counts)
    assert counts.episodes >= 5
    assert (counts.illegal == 0) == masked, "without masks there are some"


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_torchrl(env_id: str) -> None:
    pytest.importorskip("torchrl")
    from torchrl.envs import GymEnv
    from torchrl.envs.utils import check_env_specs

    env = GymEnv(f"dream_gym:{env_id}", **SHORT[env_id])
    env.set_seed(0)
    check_env_specs(env)
    rollout = env.rollout(10_000)
    assert rollout["next", "terminated"][-1].item()
    assert rollout["next", "reward"].sum() < 0


def test_torchrl_masks() -> None:
    pytest.importorskip("torchrl")
    from torchrl.data import Binary
    from torchrl.envs import ActionMask, GymEnv, TransformedEnv
    from torchrl.envs.libs.gym import default_info_dict_reader

    def make_masked() -> Any:
        env = GymEnv(f"dream_gym:{DISPATCH}", categorical_action_encoding=True, **SHORT[DISPATCH])
        mask = Binary(n=env.action_spec.space.n, dtype=torch.int8)
        env.set_info_dict_reader(default_info_dict_reader(["action_mask"], spec=[mask]))
        env.set_seed(0)
        return env

    def all_legal(env: Any) -> bool:
        rollout = env.rollout(10_000)
        assert rollout["next", "terminated"][-1].item()
        return bool(rollout["action_mask"].gather(-1, rollout["action"][..., None]).all())

    assert all_legal(TransformedEnv(make_masked(), ActionMask()))
    assert not all_legal(make_masked()), "without the transform it takes illegal ones"


def test_a_loop_of_ones_own_learns() -> None:
    """One file, as CleanRL writes it: REINFORCE with masks on the native vector environment."""
    torch.manual_seed(0)
    count = 16
    env = gym.make_vec(f"dream_gym:{DISPATCH}", num_envs=count, reward="dense", **SHORT[DISPATCH])
    network = torch.nn.Linear(env.single_observation_space.shape[0], env.single_action_space.n)
    torch.nn.init.zeros_(network.weight)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    returns = []
    for update in range(10):
        observation, info = env.reset(seed=count * update)
        running, log_probabilities, rewards = torch.ones(count), [], []
        while running.any():  # until each has played an episode
            logits = network(torch.as_tensor(observation))
            logits = logits.masked_fill(torch.as_tensor(info["action_mask"]) == 0, -1e9)
            choice = torch.distributions.Categorical(logits=logits)
            action = choice.sample()
            observation, reward, ended, _, info = env.step(action.numpy())
            log_probabilities.append(choice.log_prob(action) * running)
            rewards.append(torch.as_tensor(reward, dtype=torch.float32) * running)
            running = running * torch.as_tensor(~ended)
        to_go = torch.stack(rewards).flip(0).cumsum(0).flip(0)
        returns.append(to_go[0].mean().item())
        advantages = to_go - to_go.mean(dim=1, keepdim=True)
        loss = -(torch.stack(log_probabilities) * advantages).sum() / count
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    assert returns[-1] > 0.7 * returns[0], returns


@pytest.mark.parametrize("env_id", [TUNING, DISPATCH])
def test_wrappers_and_videos(env_id: str, tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    arguments = {**SHORT[env_id], "render_mode": "rgb_array"}
    if env_id == DISPATCH:
        arguments["episode_seconds"] = 0.01  # a picture at every decision
    env: Any = RecordVideo(gym.make(f"dream_gym:{env_id}", **arguments), str(tmp_path))
    wrapped = NormalizeObservation(RecordEpisodeStatistics(env))
    wrapped.reset(seed=0)
    steps, ended = 0, False
    while not ended:
        action = np.ones(2, np.float32)
        if env_id == DISPATCH:
            action = np.flatnonzero(env.unwrapped.action_masks())[0]
        _, _, ended, _, info = wrapped.step(action)
        steps += 1
    wrapped.close()
    assert info["episode"]["l"] == steps
    videos = list(tmp_path.glob("*.mp4"))
    assert len(videos) == 1
    assert videos[0].stat().st_size > 1000
