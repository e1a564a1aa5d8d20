"""An environment whose actions are the numbers of a menu: masks, descriptions, experts."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dream_gym.compiling.threads import run_in_threads
from dream_gym.envs.base import Buffers, WorldEnv
from dream_gym.envs.dispatch.entries import Kind, MenuEntry, describe_action, find_action
from dream_gym.envs.dispatch.expert import Expert
from dream_gym.envs.dispatch.menu import ILLEGAL_WORD
from dream_gym.envs.rewards import LENGTH
from dream_gym.envs.sampling import Drawn
from dream_gym.envs.snapshots import EnvState
from dream_gym.errors import ActionError
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.simulator import Result, Simulation

ILLEGAL_SHARE = 0.05
"""Share of an episode's actions that may be illegal before there is a warning."""


class MenuEnv(WorldEnv):
    """A `WorldEnv` with the buffers ``menu`` and ``mask``, see `dream_gym.envs.dispatch.menu`.

    Args:
        **arguments: Of `WorldEnv`.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.actions = len(self.buffers["mask"])
        """Their number."""
        self._experts: dict[Any, Expert] = {}
        self._asked: Any = None
        """Which expert knows the run, see `Expert.identity`."""

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal, as sb3-contrib wants it: bool, one entry for each action."""
        return self.buffers["mask"].astype(np.bool_)

    def describe(self, action: Any) -> MenuEntry:
        """What an action, legal or not, would do here: frame, layers, accelerator, variant.

        Raises:
            ActionError: It is no integer of the action space.
            EnvStateError: There is no running episode.
        """
        self._check_running("describe")
        buffers = self.buffers
        number = self._number(action)
        return describe_action(self.simulation, buffers["menu"], buffers["mask"], number)

    def action_of(
        self,
        kind: Kind,
        *,
        model: str | None = None,
        frame: int | None = None,
        accelerator: str | None = None,
        variant: int | None = None,
    ) -> int:
        """The action that `describe` would describe so; it need not be legal.

        Args:
            kind: ``dispatch``, ``drop`` or ``wait``.
            model: Name of the frame's model; of a dispatch or drop.
            frame: Index of the frame in its model; of a dispatch or drop.
            accelerator: Name of the accelerator; of a dispatch, or of waiting until one is idle.
            variant: Of a dispatch, with ``supernet="free"``; by default the original, or the one
                that the frame runs already.

        Raises:
            ActionError: There is none; the message says what there is.
            EnvStateError: There is no running episode.
        """
        self._check_running("action_of")
        choice = kind, model, frame, accelerator, variant
        return find_action(self.simulation, self.buffers["menu"], self.actions, *choice)

    def expert_action(self, scheduler: str | BuiltinScheduler, **options: Any) -> int:
        """The action that a compiled scheduler would take here, or -1 if the menu has none.

        It has none where the scheduler drops a frame that may not be dropped, or where the frame
        has no row. How many layers are dispatched at once is the environment's affair, and so is
        the variant unless ``supernet="free"``. A scheduler with a memory remembers what it has been
        asked in this episode; when another is asked, the memory is gone.

        Args:
            scheduler: An id, ``tuned:FILE``, or a compiled scheduler.
            **options: Its options.

        Raises:
            ConfigError: There is no such scheduler, or an option is out of range.
            EnvStateError: There is no running episode.
        """
        self._check_running("expert_action")
        expert = self.expert(scheduler, options)
        self.introduce(expert)
        action, one = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
        rows = (self.buffers[name][np.newaxis] for name in ("run", "menu", "mask"))
        run_in_threads(expert.ask, *rows, one, action, items=1, piece=1, threads=1)
        return int(action[0])

    def expert(self, scheduler: str | BuiltinScheduler, options: Mapping[str, Any]) -> Expert:
        """The expert of a scheduler, which is made once; see `expert_action`."""
        key = repr((scheduler, sorted(options.items())))
        if key not in self._experts:
            self._experts[key] = Expert(scheduler, **options)
        return self._experts[key]

    def introduce(self, expert: Expert) -> None:
        """Let an expert get to know the run, unless it does."""
        if self._asked != expert.identity:
            expert.begin(self.simulation)
            self.buffers["run"][:] = self.simulation.addresses
            self._asked = expert.identity

    def get_state(self) -> EnvState:
        """The present decision point, a copy, with what an expert remembers; see `set_state`."""
        return replace(super().get_state(), asked=self._asked)

    def set_state(self, snapshot: EnvState) -> tuple[Any, dict[str, Any]]:
        """Return to a decision point; see `WorldEnv.set_state`."""
        presented = super().set_state(snapshot)
        self._asked = snapshot.asked
        return presented

    def info(self) -> dict[str, Any]:
        """What every reset and step tells."""
        buffers = self.buffers
        return super().info() | {
            "action_mask": buffers["mask"].copy(),
            "illegal_actions": int(buffers["menu"][ILLEGAL_WORD]),
        }

    def finish(self) -> Result:
        """Note that the episode has ended, warn of many illegal actions, and give its result."""
        self._warn_of_illegal_actions()
        return super().finish()

    def leave(self) -> None:
        """Warn of many illegal actions in an episode that is left before its end."""
        if not self.simulation.ended:
            self._warn_of_illegal_actions()

    def _warn_of_illegal_actions(self) -> None:
        illegal = int(self.buffers["menu"][ILLEGAL_WORD])
        steps = int(self.buffers["episode_account"][LENGTH])
        if illegal > ILLEGAL_SHARE * steps:
            warnings.warn(
                f"{illegal} of the {steps} actions of an episode were illegal, and answered with "
                "waiting: choose among those that action_masks() allows; with stable-baselines3 "
                "train MaskablePPO and evaluate with MaskableEvalCallback, not EvalCallback",
                stacklevel=3,
            )

    def statistics(self, buffers: Buffers) -> dict[str, NDArray[Any]]:
        """Return, length and ``illegal_actions`` of an episode, or of each of a batch."""
        illegal = np.array(buffers["menu"][..., ILLEGAL_WORD])
        return super().statistics(buffers) | {"illegal_actions": illegal}

    def _run(self, drawn: Drawn, simulation: Simulation) -> None:
        super()._run(drawn, simulation)
        self._asked = None

    def _number(self, action: Any) -> int:
        try:
            number = -1 if isinstance(action, bool) else operator.index(action)
        except TypeError:  # of np.bool_, too
            number = -1
        if not 0 <= number < self.actions:
            raise ActionError(
                f"action: expected an integer from 0 to {self.actions - 1}, got {action!r}"
            )
        return number
