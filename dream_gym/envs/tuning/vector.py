"""``DreamRTMM-v0`` in a batch."""

from __future__ import annotations

from typing import Any

from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode

from dream_gym.envs.batch import Bools, WorldVectorEnv
from dream_gym.envs.tuning.env import DreamRTMMEnv, read_actions
from dream_gym.envs.tuning.stepping import step_batch
from dream_gym.errors import ActionError


class DreamRTMMVectorEnv(WorldVectorEnv):
    """What ``gymnasium.make_vec("dream_gym:DreamRTMM-v0", num_envs=...)`` makes.

    Args:
        num_envs: Number of environments.
        autoreset_mode: See `WorldVectorEnv`, as for the next two.
        max_episode_steps: Steps after which episodes are truncated.
        num_threads: The most threads.
        **arguments: Of `DreamRTMMEnv`.
    """

    piece = 1
    least_per_thread = 1

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        num_threads: int | None = None,
        **arguments: Any,
    ) -> None:
        batch: dict[str, Any] = {
            "autoreset_mode": autoreset_mode,
            "max_episode_steps": max_episode_steps,
            "num_threads": num_threads,
        }
        EzPickle.__init__(self, num_envs, **batch, **arguments)
        self._first = DreamRTMMEnv(**arguments)
        super().__init__(self._first, num_envs, **batch)

    def _play(self, actions: Any, active: Bools) -> None:
        parameters = read_actions(actions, self.action_space, self._first.whole, active)
        if parameters is None:
            raise ActionError(
                f"actions: expected numbers within {self.action_space}, got {actions!r}"
            )
        buffers = self.buffers
        self._in_threads(
            step_batch,
            buffers["run"],
            parameters,
            active,
            *self._first.constants,
            buffers["memory"],
            buffers["flat"],
            buffers["episode_account"],
            buffers["costs"],
            self._ended,
        )
