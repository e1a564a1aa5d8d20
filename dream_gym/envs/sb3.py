"""The native vector environments as stable-baselines3 wants them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers.utils import rescale_box

from dream_gym.envs.batch import DRAWN, WorldVectorEnv
from dream_gym.envs.discount import check_discount, time_discount
from dream_gym.envs.rewards import NOW_NS
from dream_gym.errors import ConfigError

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise ConfigError(
        'this needs stable-baselines3: pip install torch==2.13.0, then "dream_gym[train]"'
    ) from error


class Sb3VecEnv(VecEnv):
    """A `WorldVectorEnv` with same-step reset, as a stable-baselines3 `VecEnv`.

    Actions of a Box are in [-1, 1], as the algorithms of stable-baselines3 expect, and are brought
    to the environment's units as `gymnasium.wrappers.RescaleAction` does it.

    The info of an episode's last step holds ``terminal_observation``, ``TimeLimit.truncated``,
    ``episode`` (return ``r``, length ``l``, wall time ``t``), ``result`` unless it was truncated,
    and with masks ``illegal_actions``. Infos of other steps are empty, for speed; `reset_infos`
    hold the seeds and what else was drawn.

    It does what a `Monitor` does, and says so when asked (`env_is_wrapped`): ``episode`` is of the
    environment's own rewards, before any discount by time.

    Args:
        env: The environment.
        gamma: Discount by time, as `TimeDiscount` does it; 1 for none.
        interval_ms: The time that it is for.
    """

    def __init__(self, env: WorldVectorEnv, gamma: float = 1.0, interval_ms: float = 10.0) -> None:
        check_discount(gamma, interval_ms)
        self.env = env
        self._gamma, self._interval_ms = gamma, interval_ms
        self._start = time.perf_counter()
        action_space: gym.Space[Any] = env.single_action_space
        self._in_units: Callable[[Any], Any] = np.asarray
        if isinstance(action_space, gym.spaces.Box):
            action_space, _, self._in_units = rescale_box(
                action_space, np.float32(-1), np.float32(1)
            )
        super().__init__(env.num_envs, env.single_observation_space, action_space)

    def reset(self) -> Any:
        """Start all episodes, with the seeds and options of `seed` and `set_options`."""
        observations, info = self.env.reset(seed=list(self._seeds), options=self._options)
        self._note_resets(range(self.num_envs), info)
        self._reset_seeds()
        self._reset_options()
        self._start = time.perf_counter()
        return observations

    def step_async(self, actions: Any) -> None:
        """Note the actions."""
        self._actions = self._in_units(actions)

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Carry them out."""
        weights = 1.0
        if self._gamma < 1.0:
            now_ns = self.env.buffers["episode_account"][:, NOW_NS]
            weights = time_discount(self._gamma, self._interval_ms, now_ns)
        observations, rewards, terminated, truncated, info = self.env.step(self._actions)
        ended = terminated | truncated
        infos = self._infos(info, ended)
        if ended.any():
            finals = info["final_info"]
            statistics = finals["episode_statistics"]
            seconds = round(time.perf_counter() - self._start, 6)
            for row in np.flatnonzero(ended):
                infos[row] |= {
                    "terminal_observation": info["final_obs"][row],
                    "TimeLimit.truncated": bool(truncated[row] and not terminated[row]),
                    "episode": {
                        "r": float(statistics["r"][row]),
                        "l": int(statistics["l"][row]),
                        "t": seconds,
                    },
                }
                if terminated[row]:
                    infos[row]["result"] = finals["result"][row]
                if "illegal_actions" in finals:
                    infos[row]["illegal_actions"] = int(finals["illegal_actions"][row])
            self._note_resets(np.flatnonzero(ended), info)
        return observations, (rewards * weights).astype(np.float32), ended, infos

    def _infos(self, info: dict[str, Any], ended: Any) -> list[dict[str, Any]]:
        """What each environment tells of every step: its cost, where that is asked for."""
        if "cost" not in info:
            return [{} for _ in range(self.num_envs)]
        finals = info.get("final_info", info)
        return [
            {"cost": {name: values[row] for name, values in told["cost"].items()}}
            for row, told in enumerate(finals if end else info for end in ended)
        ]

    def _note_resets(self, rows: Iterable[int], info: dict[str, Any]) -> None:
        for row in rows:
            self.reset_infos[row] = {name: info[name].item(row) for name in DRAWN}

    def get_images(self) -> list[Any]:
        """A picture of each environment, or None; `render` makes one of them."""
        return list(self.env.render())

    def close(self) -> None:
        """End all episodes."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of some environments."""
        return [self.env.envs[row].get_wrapper_attr(attr_name) for row in self._rows(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of some environments."""
        for row in self._rows(indices):
            self.env.envs[row].set_wrapper_attr(attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of some environments, such as ``action_masks``."""
        return [
            self.env.envs[row].get_wrapper_attr(method_name)(*method_args, **method_kwargs)
            for row in self._rows(indices)
        ]

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices: Any = None) -> list[bool]:
        """Whether environments are wrapped in something: no, but they do what a `Monitor` does."""
        return [wrapper_class is Monitor for _ in self._rows(indices)]

    def _rows(self, indices: int | Sequence[int] | None) -> list[int]:
        return [int(row) for row in self._get_indices(indices)]


def make_sb3_vec_env(
    env_id: str,
    num_envs: int = 1,
    *,
    time_gamma: float = 1.0,
    time_interval_ms: float = 10.0,
    num_threads: int | None = None,
    **arguments: Any,
) -> Sb3VecEnv:
    """A native vector environment for stable-baselines3.

    Args:
        env_id: ``DreamRTMM-v0`` or ``DreamRTMM-Dispatch-v0``.
        num_envs: Number of environments.
        time_gamma: Discount by time, for an algorithm with gamma 1; 1 for none, see `TimeDiscount`.
        time_interval_ms: The time that it is for.
        num_threads: The most threads that take a step, by default as many as there are cores.
        **arguments: Of the environment; and ``max_episode_steps``, to truncate its episodes.

    Raises:
        ConfigError: An argument is malformed.
    """
    name = env_id if ":" in env_id else f"dream_gym:{env_id}"
    env = gym.make_vec(
        name,
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        num_threads=num_threads,
        **arguments,
    )
    assert isinstance(env, WorldVectorEnv)
    return Sb3VecEnv(env, time_gamma, time_interval_ms)
