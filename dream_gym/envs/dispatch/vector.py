"""``DreamRTMM-Dispatch-v0`` in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from dream_gym.envs.batch import Bools, WorldVectorEnv
from dream_gym.envs.dispatch.env import DreamRTMMDispatchEnv
from dream_gym.envs.dispatch.menu import ILLEGAL_WORD
from dream_gym.envs.dispatch.stepping import step_batch
from dream_gym.errors import ActionError, EnvStateError
from dream_gym.schedulers import BuiltinScheduler


class DreamRTMMDispatchVectorEnv(WorldVectorEnv):
    """What ``gymnasium.make_vec("dream_gym:DreamRTMM-Dispatch-v0", num_envs=...)`` makes.

    Args:
        num_envs: Number of environments.
        autoreset_mode: See `WorldVectorEnv`, as for the next two.
        max_episode_steps: Steps after which episodes are truncated.
        num_threads: The most threads.
        **arguments: Of `DreamRTMMDispatchEnv`.
    """

    piece = 8
    least_per_thread = 64

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
        self._first = DreamRTMMDispatchEnv(**arguments)
        super().__init__(self._first, num_envs, **batch)

    def action_masks(self) -> Bools:
        """Which actions are legal now: bool, (environments, actions)."""
        return self.buffers["mask"].astype(np.bool_)

    def expert_action(self, scheduler: str | BuiltinScheduler, **options: Any) -> NDArray[np.int64]:
        """What a compiled scheduler would do: an action for each environment, in one compiled call.

        See `DreamRTMMDispatchEnv.expert_action`; where an episode has just ended it is to wait.

        Raises:
            ConfigError: There is no such scheduler, or an option is out of range.
            EnvStateError: There was no reset yet.
        """
        if not self._begun:
            raise EnvStateError("expert_action() needs running episodes: call reset() first")
        expert = self._first.expert(scheduler, options)
        actions = np.full(self.num_envs, self._first.actions - 1, dtype=np.int64)
        for row in np.flatnonzero(~self._ended):
            self.envs[row].introduce(expert)
        buffers = self.buffers
        rows = buffers["run"], buffers["menu"], buffers["mask"]
        self._in_threads(expert.ask, *rows, ~self._ended, actions)
        return actions

    def _play(self, actions: Any, active: Bools) -> None:
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or not np.issubdtype(actions.dtype, np.integer):
            raise ActionError(f"actions: expected {self.num_envs} integers, got {actions!r}")
        outside = active & ((actions < 0) | (actions >= self._first.actions))
        if outside.any():
            row = int(outside.argmax())
            raise ActionError(
                f"actions: expected integers from 0 to {self._first.actions - 1}, got "
                f"{actions[row]} for environment {row}"
            )
        buffers = self.buffers
        self._in_threads(
            step_batch,
            buffers["run"],
            actions.astype(np.int64),
            active,
            self._first.padding,
            self._first.reward_number,
            buffers["menu"],
            buffers["mask"],
            buffers["flat"],
            buffers["episode_account"],
            buffers["costs"],
            self._ended,
        )

    def _info(self, which: Bools) -> dict[str, Any]:
        return super()._info(which) | {
            "action_mask": self.buffers["mask"].copy(),
            "_action_mask": which,
            "illegal_actions": self.buffers["menu"][:, ILLEGAL_WORD].copy(),
            "_illegal_actions": which,
        }
