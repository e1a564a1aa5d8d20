"""Many environments as one: all of them take their steps in one compiled call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dream_gym.arguments import checked_integer
from dream_gym.compiling.threads import cores, run_in_threads
from dream_gym.envs.base import Buffers, WorldEnv
from dream_gym.envs.costs import costs_of
from dream_gym.envs.rewards import ELAPSED_NS, LENGTH, REWARD
from dream_gym.errors import ConfigError, EnvStateError

Bools = NDArray[np.bool_]
DRAWN = {"seed": 0, "scenario": None, "platform": None, "load": 0.0}
"""What the info of a reset tells of what was drawn, and what stands where there was no reset."""
_MOST_ENVS = 2**20
_MOST_THREADS = 1024
_MOST_SEED = 2**63 - 1
_MOST_STEPS = 2**53
"""Episode accounts count steps in float64."""


def _checked_seed(seed: Any) -> int:
    return checked_integer("seed", seed, 0, _MOST_SEED)


class WorldVectorEnv(VectorEnv[Any, Any, Any], EzPickle):
    """Environments in a batch, each bit-identical to the same environment alone.

    Their buffers are the rows of matrices. Steps run in parallel threads, see
    `dream_gym.compiling.threads`, where there is enough to do; resets, which are rare, go through
    the environments one by one. A copy, deep or by pickle, has the same arguments and waits for its
    reset.

    With ``max_episode_steps`` episodes are truncated as Gymnasium's `TimeLimit` does it: with the
    step of that number, and without a ``result`` unless they end by then.

    ``info["episode_statistics"]`` holds the return ``r`` and the length ``l`` of episodes that
    have just ended, and where there are masks the number of ``illegal_actions``; where any have
    ended, ``info["_episode_statistics"]`` says which.

    Args:
        env: The first environment; the others are its clones.
        num_envs: Their number.
        autoreset_mode: ``NextStep``, ``SameStep`` or ``Disabled``, as Gymnasium defines them.
        max_episode_steps: Steps after which an episode is truncated; None for never.
        num_threads: The most threads that take a step; by default as many as there are cores. The
            outcome does not depend on it.

    Raises:
        ConfigError: An argument is out of range.
    """

    piece: int
    """Environments of a piece of work, see `run_in_threads`: those that need some 10 µs."""
    least_per_thread: int
    """Environments for which another thread saves more time than it takes to wake it up."""

    def __init__(
        self,
        env: WorldEnv,
        num_envs: int,
        autoreset_mode: str | AutoresetMode,
        *,
        max_episode_steps: int | None,
        num_threads: int | None,
    ) -> None:
        checked_integer("num_envs", num_envs, 1, _MOST_ENVS)
        if max_episode_steps is not None:
            checked_integer("max_episode_steps", max_episode_steps, 1, _MOST_STEPS)
        self.max_episode_steps = max_episode_steps
        if num_threads is not None:
            checked_integer("num_threads", num_threads, 1, _MOST_THREADS)
        self.num_threads = num_threads
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError as error:
            modes = ", ".join(mode.value for mode in AutoresetMode)
            raise ConfigError(
                f"autoreset_mode: {autoreset_mode!r} is not one of {modes}"
            ) from error
        self.num_envs = num_envs
        self.metadata = {**env.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode = env.render_mode
        self.observation = env.observation
        self.single_observation_space = env.observation_space
        self.single_action_space = env.action_space
        self.observation_space = batch_space(env.observation_space, num_envs)
        self.action_space = batch_space(env.action_space, num_envs)
        self.envs: list[Any] = [env, *(env.clone() for _ in range(num_envs - 1))]
        self.buffers: Buffers = {
            name: np.zeros((num_envs, *buffer.shape), dtype=buffer.dtype)
            for name, buffer in env.buffers.items()
        }
        for row, each in enumerate(self.envs):
            each.use({name: matrix[row] for name, matrix in self.buffers.items()})
        self._ended = np.ones(num_envs, dtype=np.bool_)
        self._begun = False

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | Sequence[dict[str, Any]] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start episodes.

        Args:
            seed: One for each environment, or the first of consecutive ones.
            options: Those of all environments, or a list of those of each. In the former
                ``reset_mask`` (bool array) says which to reset, by default all. The marks of the
                info, such as ``_seed``, say so, too; masks and times of the others still hold.
        """
        seeds = self._seeds_of(seed)
        mask: Any = np.ones(self.num_envs, dtype=np.bool_)
        if options is None or isinstance(options, dict):
            options = dict(options or {})
            mask = np.array(options.pop("reset_mask", mask))
            options = [options] * self.num_envs
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise ConfigError(
                f"reset_mask: expected a bool array of {self.num_envs} with at least one True"
            )
        if isinstance(options, str) or not isinstance(options, Sequence):
            raise ConfigError(f"options: expected a mapping, or a list of them, got {options!r}")
        if len(options) != self.num_envs:
            raise ConfigError(f"options: expected {self.num_envs} of them, got {len(options)}")
        info = self._reset(np.flatnonzero(mask), seeds, options) | self._info(mask)
        self._begun = True
        return self._present(), info

    def _seeds_of(self, seed: Any) -> list[int | None]:
        """The seed of each environment."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
            if len(seed) != self.num_envs:
                raise ConfigError(f"seed: expected {self.num_envs} of them, got {len(seed)}")
            return [None if one is None else _checked_seed(one) for one in seed]
        first = _checked_seed(seed)
        return [first + row for row in range(self.num_envs)]

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Bools, Bools, dict[str, Any]]:
        """Carry out an action in each environment, or what its autoreset mode says.

        Raises:
            EnvStateError: An environment has no running episode, and is not to be reset now.
            ActionError: The actions are malformed.
        """
        if not self._begun or (self._ended.any() and self.autoreset_mode == AutoresetMode.DISABLED):
            raise EnvStateError("step() needs running episodes: call reset() first")
        resets = self._ended.copy()
        self._play(actions, ~resets)
        terminated = self._ended & ~resets
        truncated = self._truncated() & ~resets
        ended = terminated | truncated
        self._ended[:] = ended
        rewards = self.buffers["episode_account"][:, REWARD].copy()
        rewards[resets] = 0.0
        info = self._finals(terminated, ended)
        if self.autoreset_mode == AutoresetMode.SAME_STEP and ended.any():
            info = self._finals_apart(ended, info)
            resets = ended
        if resets.any():
            nothing = [None] * self.num_envs
            info |= self._reset(np.flatnonzero(resets), nothing, nothing)
        info |= self._info(np.ones(self.num_envs, dtype=np.bool_))
        return self._present(), rewards, terminated, truncated, info

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call a method of each environment, or get an attribute."""
        found = [env.get_wrapper_attr(name) for env in self.envs]
        return tuple(item(*args, **kwargs) if callable(item) else item for item in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """An attribute of each environment."""
        return tuple(env.get_wrapper_attr(name) for env in self.envs)

    def render(self) -> tuple[Any, ...]:
        """A picture of each environment, or None."""
        return self.call("render")

    def close_extras(self, **kwargs: Any) -> None:
        """End all episodes."""
        for env in getattr(self, "envs", ()):  # Gymnasium closes what it failed to build, too
            env.close()
        self._begun = False

    @abstractmethod
    def _play(self, actions: Any, active: Bools) -> None:
        """Take a step in the active environments, in compiled code, and write ``self._ended``.

        Raises:
            ActionError: An action of theirs is none.
        """

    def _in_threads(self, step_batch: Callable[..., None], *arguments: Any) -> None:
        """Call the compiled step of a batch, see `run_in_threads`."""
        most = self.num_threads or cores()
        run_in_threads(
            step_batch,
            *arguments,
            items=self.num_envs,
            piece=self.piece,
            threads=max(1, min(most, self.num_envs // self.least_per_thread)),
        )

    def _truncated(self) -> Bools:
        """Which episodes have had all their steps."""
        if self.max_episode_steps is None:
            return np.zeros(self.num_envs, dtype=np.bool_)
        steps: NDArray[np.float64] = self.buffers["episode_account"][:, LENGTH]
        return steps >= self.max_episode_steps

    def _info(self, which: Bools) -> dict[str, Any]:
        """What every reset and step tells; ``which`` environments it is told of."""
        elapsed_ns = self.buffers["episode_account"][:, ELAPSED_NS].astype(np.int64)
        told: dict[str, Any] = {"elapsed_ns": elapsed_ns, "_elapsed_ns": which}
        if self.envs[0].cost_info:
            told |= {"cost": costs_of(self.buffers["costs"]), "_cost": which}
        return told

    def _reset(
        self,
        rows: NDArray[np.int64],
        seeds: Sequence[int | None],
        options: Sequence[dict[str, Any] | None],
    ) -> dict[str, Any]:
        """Start episodes in some environments; return what was drawn."""
        which = np.zeros(self.num_envs, dtype=np.bool_)
        drawn = {name: np.full(self.num_envs, empty) for name, empty in DRAWN.items()}
        for row in rows:
            _, single = self.envs[row].reset(seed=seeds[row], options=options[row])
            which[row] = True
            for name, values in drawn.items():
                values[row] = single[name]
        self._ended[rows] = [self.envs[row].simulation.ended for row in rows]
        return drawn | {f"_{name}": which for name in drawn}

    def _finals(self, terminated: Bools, ended: Bools) -> dict[str, Any]:
        """What is told of the episodes that have just ended, terminated or truncated."""
        if not ended.any():
            return {}
        told: dict[str, Any] = {}
        if terminated.any():
            results = np.full(self.num_envs, None, dtype=object)
            for row in np.flatnonzero(terminated):
                results[row] = self.envs[row].finish()
            told = {"result": results, "_result": terminated}
        statistics = self.envs[0].statistics(self.buffers)
        return told | {
            "episode_statistics": {
                name: np.where(ended, values, 0) for name, values in statistics.items()
            },
            "_episode_statistics": ended,
        }

    def _finals_apart(self, ended: Bools, finals: dict[str, Any]) -> dict[str, Any]:
        """The last observations and infos of episodes whose environments begin others now."""
        observations = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            observations[row] = self.envs[row].present()
        for name, value in self._info(ended).items():
            finals[name] = value
            for array in value.values() if isinstance(value, dict) else (value,):
                array[~ended] = 0
        return {
            "final_obs": observations,
            "_final_obs": ended,
            "final_info": finals,
            "_final_info": ended,
        }

    def _present(self) -> Any:
        """The observations, a copy."""
        return self.observation.present(self.buffers["flat"].copy())
