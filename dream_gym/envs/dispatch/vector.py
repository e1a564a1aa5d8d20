"""``DreamRTMM-Dispatch-v0`` in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode

from dream_gym.envs.batch import Bools, WorldVectorEnv
from dream_gym.envs.dispatch.env import DreamRTMMDispatchEnv
from dream_gym.envs.dispatch.menu import ILLEGAL_WORD
from dream_gym.envs.dispatch.stepping import step_batch
from dream_gym.errors import ActionError


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
            self._ended,
        )

    def _info(self, which: Bools) -> dict[str, Any]:
        return super()._info(which) | {
            "action_mask": self.buffers["mask"].copy(),
            "_action_mask": which,
            "illegal_actions": self.buffers["menu"][:, ILLEGAL_WORD].copy(),
            "_illegal_actions": which,
        }
