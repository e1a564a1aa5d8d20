"""Discounting by time: decisions are unevenly spaced, and a discount per step would see that."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from dream_gym.arguments import checked_number
from dream_gym.envs.base import WorldEnv
from dream_gym.errors import ConfigError
from dream_gym.units import NS_PER_MS

_LEAST_GAMMA = 5e-324
"""The least positive number."""
LEAST_INTERVAL_MS, MOST_INTERVAL_MS = 1e-6, 1e12


def time_discount(gamma: float, interval_ms: float, elapsed_ns: Any) -> Any:
    """Gamma to the power of elapsed time / interval, of a number or an array."""
    return gamma ** (elapsed_ns / (interval_ms * NS_PER_MS))


def check_discount(gamma: float, interval_ms: float) -> None:
    """Raise `ConfigError` unless gamma is in (0, 1] and the interval a positive time."""
    checked_number("gamma", gamma, _LEAST_GAMMA, 1.0)
    checked_number("interval_ms", interval_ms, LEAST_INTERVAL_MS, MOST_INTERVAL_MS)


class TimeDiscount(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Weighs each reward by gamma to the power of time / interval, for algorithms with gamma 1.

    The time is that at which the action was taken. An algorithm whose own discount is 1 then
    maximises the return discounted by simulated time, and not by the number of decisions; what is
    left of the episode is part of the observations, so values are well defined.

    Choose the interval by how far ahead an action matters: rewards t after the start weigh
    gamma^(t / interval), so with gamma 0.99 half of the weight is gone after 69 intervals and
    99.996 % after 1,000. If gamma^(episode / interval) is tiny, nothing is learned from the end of
    an episode: for one of 1 s, gamma 0.99 and 10 ms end at 0.37, gamma 0.99 and 1 ms at 0.00004.

    Args:
        env: An environment of dream_gym, wrapped or not.
        gamma: The discount of an interval, in (0, 1].
        interval_ms: The interval.

    Raises:
        ConfigError: An argument is out of range, or the environment is another.
    """

    def __init__(self, env: gym.Env[Any, Any], gamma: float, interval_ms: float) -> None:
        RecordConstructorArgs.__init__(self, gamma=gamma, interval_ms=interval_ms)
        super().__init__(env)
        check_discount(gamma, interval_ms)
        if not isinstance(env.unwrapped, WorldEnv):
            raise ConfigError(f"env: expected an environment of dream_gym, got {env}")
        self._world = env.unwrapped
        self._gamma, self._interval_ms = gamma, interval_ms

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and weigh its reward."""
        weight = time_discount(self._gamma, self._interval_ms, self._world.simulation.now_ns)
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward * weight, terminated, truncated, info
