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
        autoreset_mode: See `WorldVectorEnv`.
        **arguments: Of `DreamRTMMDispatchEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        **arguments: Any,
    ) -> None:
        EzPickle.__init__(self, num_envs, autoreset_mode=autoreset_mode, **arguments)
        self._first = DreamRTMMDispatchEnv(**arguments)
        super().__init__(self._first, num_envs, autoreset_mode)

    def action_masks(self) -> Bools:
        """Which actions are legal now: bool, (environments, actions)."""
        return self.buffers["mask"].astype(np.bool_)

    def _play(self, actions: Any, active: Bools) -> None:
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or not np.issubdtype(actions.dtype, np.integer):
            raise ActionError(f"actions: expected {self.num_envs} integers, got {actions!r}")
        buffers = self.buffers
        step_batch(
            buffers["run"],
            actions.astype(np.int64),
            active,
            self._first.padding,
            self._first.reward_number,
            buffers["menu"],
            buffers["mask"],
            buffers["flat"],
            buffers["ledger"],
            self._ended,
        )

    def _info(self, which: Bools) -> dict[str, Any]:
        return super()._info(which) | {
            "action_mask": self.buffers["mask"].copy(),
            "_action_mask": which,
            "illegal_actions": self.buffers["menu"][:, ILLEGAL_WORD].copy(),
            "_illegal_actions": which,
        }
