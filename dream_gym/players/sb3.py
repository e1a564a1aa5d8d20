"""Agents of stable-baselines3 and sb3-contrib, rebuilt from their weights alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.wrappers.utils import rescale_box
from numpy.typing import NDArray

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.players.checkpoint import Tensors
from dream_gym.players.run_folder import RunCard

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.policies import BasePolicy
    from stable_baselines3.common.vec_env import VecNormalize

CLASSES: Mapping[str, tuple[str, str]] = {
    "ppo": ("stable_baselines3", "PPO"),
    "sac": ("stable_baselines3", "SAC"),
    "dqn": ("stable_baselines3", "DQN"),
    "maskable_ppo": ("sb3_contrib", "MaskablePPO"),
}
"""The module and the class whose policies an algorithm uses, by the algorithm's name."""
POLICY, MEAN, VARIANCE = "policy.", "mean.", "variance."
"""What the names of arrays in a checkpoint begin with."""
WHOLE = "observation"
"""The name of the statistics where the observation is one vector."""
EPSILON, CLIP = 1e-8, 10.0
"""The defaults of `VecNormalize`."""


def algorithm_class(name: str) -> type[BaseAlgorithm]:
    """The class of an algorithm.

    Raises:
        ConfigError: It is unknown, or its library is not installed.
    """
    if name not in CLASSES:
        raise ConfigError(f"algorithm: {name!r} is unknown; {hint(name, CLASSES)}")
    module, attribute = CLASSES[name]
    try:
        found: type[BaseAlgorithm] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise ConfigError(
            f'agents need {module}: pip install torch==2.13.0, then "dream_gym[train]"'
        ) from error
    return found


def tensors_of(model: BaseAlgorithm, normalizer: VecNormalize | None) -> Tensors:
    """All that an agent needs to play: its weights, and the statistics of its observations."""
    tensors = {
        f"{POLICY}{name}": value.detach().cpu().numpy()
        for name, value in model.policy.state_dict().items()
    }
    if normalizer is not None:
        statistics = normalizer.obs_rms
        for name, rms in (
            statistics.items() if isinstance(statistics, dict) else [(WHOLE, statistics)]
        ):
            tensors |= {f"{MEAN}{name}": rms.mean, f"{VARIANCE}{name}": rms.var}
    return tensors


class Sb3Actor:
    """A policy that acts as it was trained to, on observations as they are.

    Args:
        policy: The policy.
        tensors: The statistics of the observations, see `tensors_of`; none if they are not
            normalised.
        action_space: Of the environment; boxes are acted on in [-1, 1].
    """

    def __init__(self, policy: BasePolicy, tensors: Tensors, action_space: gym.Space[Any]) -> None:
        self._policy = policy
        self._scales = {
            name.removeprefix(MEAN): (
                mean,
                np.sqrt(tensors[VARIANCE + name.removeprefix(MEAN)] + EPSILON),
            )
            for name, mean in tensors.items()
            if name.startswith(MEAN)
        }
        self._in_units: Callable[[Any], Any] = np.asarray
        if isinstance(action_space, gym.spaces.Box):
            *_, self._in_units = rescale_box(action_space, np.float32(-1), np.float32(1))

    def act(self, observation: Any, mask: NDArray[Any] | None) -> Any:
        """Choose an action; see `Actor.act`."""
        normal = self._normalized(observation)
        if mask is None:
            action, _ = self._policy.predict(normal, deterministic=True)
            return self._in_units(action)
        return self._among_legal(normal, mask.astype(np.bool_))

    def _among_legal(self, observation: Any, mask: NDArray[np.bool_]) -> int:
        if hasattr(self._policy, "q_net"):
            import torch

            with torch.no_grad():
                batch, _ = self._policy.obs_to_tensor(observation)
                q_net = cast("Callable[[Any], Any]", self._policy.q_net)
                values = q_net(batch)[0].cpu().numpy()
            return int(np.argmax(np.where(mask, values, -np.inf)))
        action, _ = self._policy.predict(  # type: ignore[call-arg] # of sb3-contrib
            observation, deterministic=True, action_masks=mask
        )
        return int(action)

    def _normalized(self, observation: Any) -> Any:
        if not self._scales:
            return observation
        if isinstance(observation, dict):
            return {
                name: self._normalize(name, value) if name in self._scales else value
                for name, value in observation.items()
            }
        return self._normalize(WHOLE, observation)

    def _normalize(self, name: str, value: NDArray[Any]) -> NDArray[np.float32]:
        """As `VecNormalize.normalize_obs` does it."""
        mean, scale = self._scales[name]
        return np.clip((value - mean) / scale, -CLIP, CLIP).astype(np.float32)


def load_actor(card: RunCard, tensors: Tensors, env: gym.Env[Any, Any]) -> Sb3Actor:
    """Make the actor from a checkpoint; see `dream_gym.players.actor.load_actor`."""
    import torch

    action_space = env.action_space
    if isinstance(action_space, gym.spaces.Box):
        action_space, *_ = rescale_box(action_space, np.float32(-1), np.float32(1))
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and training draws on
        policy = _make_policy(card, env.observation_space, action_space)
    weights = {
        name.removeprefix(POLICY): torch.from_numpy(np.array(value))
        for name, value in tensors.items()
        if name.startswith(POLICY)
    }
    _check_numbers(card, tensors, env.observation_space)
    try:
        policy.load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(f"its weights do not fit its hyperparameters: {error}") from error
    policy.set_training_mode(False)
    masks = hasattr(policy, "q_net") or "action_masks" in signature(policy.predict).parameters
    if not masks and hasattr(env.unwrapped, "action_masks"):
        raise ConfigError(f"algorithm: {card.algorithm} does not know masks, but its actions do")
    return Sb3Actor(policy, tensors, env.action_space)


def _check_numbers(card: RunCard, tensors: Tensors, observation_space: gym.Space[Any]) -> None:
    """Check that a checkpoint has the statistics that it needs, and nothing but numbers."""
    parts = {WHOLE: observation_space}
    if isinstance(observation_space, gym.spaces.Dict):
        parts = dict(observation_space.spaces)
    needed = {
        f"{kind}{name}": space.shape
        for kind in (MEAN, VARIANCE)
        for name, space in parts.items()
        if card.hyperparameters.get("normalize")
    }
    found = {n: value for n, value in tensors.items() if not n.startswith(POLICY)}
    for name in needed.keys() ^ found.keys():
        what = "is missing" if name in needed else "is no statistic of its observations"
        raise ConfigError(f"its checkpoint: {name} {what}")
    for name, value in found.items():
        if value.shape != needed[name]:
            raise ConfigError(
                f"its checkpoint: {name}: has {value.shape} figures, not {needed[name]}"
            )
        if name.startswith(VARIANCE) and not (value >= 0).all():
            raise ConfigError(f"its checkpoint: {name}: a variance is negative")
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise ConfigError(f"its checkpoint: {name}: a figure is not finite")


def _make_policy(
    card: RunCard, observation_space: gym.Space[Any], action_space: gym.Space[Any]
) -> BasePolicy:
    cls = algorithm_class(card.algorithm)
    name = str(card.hyperparameters.get("policy", "MlpPolicy"))
    if name not in cls.policy_aliases:
        raise ConfigError(f"policy: {name!r} is unknown; {hint(name, cls.policy_aliases)}")
    options = card.hyperparameters.get("policy_kwargs") or {}
    if not isinstance(options, dict):
        raise ConfigError(f"policy_kwargs: expected a mapping, got {shown(options)}")
    try:
        return cls.policy_aliases[name](observation_space, action_space, lambda _: 0.0, **options)
    except Exception as error:  # the library does not check what it is given
        raise ConfigError(f"policy, policy_kwargs: {type(error).__name__}: {error}") from error
