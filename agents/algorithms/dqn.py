"""Deep Q-learning (Mnih et al., 2015) among the legal actions, on stable-baselines3's DQN.

That DQN has no masks. Here the mask is appended to each observation, so that the replay buffer
holds it, too. The network sees only the observation, and the values of illegal actions are
practically minus infinity, both in the targets and for the greedy action. Random actions are drawn
from the legal ones. The weights are those of the library's own network.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork

from agents.algorithms.sb3 import Sb3Algorithm
from dream_gym.errors import ConfigError

_ILLEGAL = -1e9
"""The value of an illegal action; finite, so that nothing becomes NaN."""


class WithMask(VecEnvWrapper):
    """Appends the mask of legal actions to each observation.

    Args:
        env: A vector environment with masks, whose observations are vectors.
    """

    def __init__(self, env: VecEnv) -> None:
        assert isinstance(env.action_space, gym.spaces.Discrete)
        box = env.observation_space
        if not isinstance(box, gym.spaces.Box):
            raise ConfigError("observation: dqn needs box")
        actions = int(env.action_space.n)
        low = np.concatenate([box.low, np.zeros(actions, dtype=np.float32)])
        high = np.concatenate([box.high, np.ones(actions, dtype=np.float32)])
        super().__init__(env, gym.spaces.Box(low, high, dtype=np.float32), env.action_space)
        self._actions = actions

    def reset(self) -> Any:
        """Start all episodes."""
        return self._with_masks(self.venv.reset())

    def step_wait(self) -> Any:
        """Apply the actions."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for info in infos:
            if "terminal_observation" in info:  # its values do not count, so any mask will do
                last = np.asarray(info["terminal_observation"])
                all_legal = np.ones(self._actions, dtype=np.float32)
                info["terminal_observation"] = np.concatenate([last, all_legal])
        return self._with_masks(observations), rewards, dones, infos

    def _with_masks(self, observations: Any) -> NDArray[np.float32]:
        masks = np.asarray(self.venv.env_method("action_masks"), dtype=np.float32)
        return np.concatenate([observations, masks], axis=1)


class WithoutMask(BaseFeaturesExtractor):
    """The observation without its mask.

    Args:
        observation_space: Of `WithMask`.
        actions: Number of actions.
    """

    def __init__(self, observation_space: gym.spaces.Box, actions: int) -> None:
        super().__init__(observation_space, observation_space.shape[0] - actions)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Leave the mask out."""
        return observations[:, : self.features_dim]


class MaskedQNetwork(QNetwork):
    """A network that masks the values of illegal actions."""

    def forward(self, obs: Any) -> torch.Tensor:
        """The values of all actions."""
        legal = obs[:, self.features_extractor.features_dim :] > 0.5
        return super().forward(obs).masked_fill(~legal, _ILLEGAL)


class MaskedPolicy(DQNPolicy):
    """The policy of `MaskedDQN`."""

    def __init__(self, observation_space: Any, action_space: Any, *args: Any, **kwargs: Any):
        kwargs["features_extractor_class"] = WithoutMask
        kwargs["features_extractor_kwargs"] = {"actions": int(action_space.n)}
        super().__init__(observation_space, action_space, *args, **kwargs)

    def make_q_net(self) -> QNetwork:
        """A network that applies the mask."""
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        return MaskedQNetwork(**arguments).to(self.device)


class MaskedDQN(DQN):
    """DQN whose random actions are legal, too."""

    policy_aliases = {"MlpPolicy": MaskedPolicy}  # noqa: RUF012 - as the library has it

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """The greedy action, or a random one at the rate of exploration."""
        if not deterministic and self.action_space.np_random.random() < self.exploration_rate:
            return self._random_legal(observation), state
        return self.policy.predict(observation, state, episode_start, deterministic)

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[Any, Any]:
        assert self._last_obs is not None
        if self.num_timesteps < learning_starts:
            actions = self._random_legal(self._last_obs)
        else:
            actions, _ = self.predict(self._last_obs, deterministic=False)
        return actions, actions

    def _random_legal(self, observations: Any) -> NDArray[np.int64]:
        assert isinstance(self.action_space, gym.spaces.Discrete)
        masks = observations[:, -int(self.action_space.n) :]
        return np.array([self.action_space.sample(mask.astype(np.int8)) for mask in masks])


ALGORITHM = Sb3Algorithm("dqn", ("DreamRTMM-Dispatch-v0",), cls=MaskedDQN, wrap=WithMask)
