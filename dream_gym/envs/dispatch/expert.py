"""Experts: what a compiled scheduler would do at a decision point of the environment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dream_gym.compiling.jit import entry_point
from dream_gym.compiling.threads import Pieces, take
from dream_gym.envs.dispatch.menu import Mask, to_action, view_menu_compiled
from dream_gym.schedulers import BuiltinScheduler, get_scheduler
from dream_gym.simulator import (
    Decide,
    Ints,
    Simulation,
    arenas_at,
    view_problem_compiled,
    view_state_compiled,
)

Ask: TypeAlias = Callable[[Pieces, Ints, Ints, Mask, NDArray[np.bool_], Ints], None]
"""See `make_ask`."""


class Expert:
    """A scheduler that is asked.

    What it keeps of a run, it keeps in the run's own state, where nothing else does.

    Args:
        scheduler: An id, ``tuned:FILE``, or a compiled scheduler.
        **options: Its options.

    Raises:
        ConfigError: There is no such scheduler, or an option is out of range.
    """

    def __init__(
        self, scheduler: str | BuiltinScheduler, **options: int | float | str | bool
    ) -> None:
        self._scheduler = get_scheduler(scheduler)
        self._configured = self._scheduler.configure(**options)
        self.parameters = self._configured.parameters()
        """What the scheduler reads."""
        self.identity = self._scheduler.name, self.parameters.tobytes()
        """Two experts of one identity do the same, and may share what is remembered of a run."""
        self.ask = make_ask(self._scheduler.name, self._scheduler.decide)

    def begin(self, simulation: Simulation) -> None:
        """Get to know a run, which it has no memory of; its state may move to make room."""
        problem = simulation.problem
        simulation.make_room(self._configured.room(len(problem.models), problem.costs.shape[1]))
        state = simulation.state
        state.parameter[: len(self.parameters)] = self.parameters
        state.memory[:] = 0.0
        state.notes[:] = 0.0
        prepare = self._scheduler.engine.prepare
        if prepare is not None:
            state.plan[:] = prepare(simulation.problem, state.parameter)


@functools.cache
def make_ask(name: str, decide: Decide) -> Ask:
    """Compile what asks a scheduler.

    Returns:
        ``ask(pieces, runs, menu_arenas, masks, asked, actions)``, which writes the action of each
        run that is asked about: the one that decides what the scheduler does, or `NONE` where the
        menu has none.
    """

    @entry_point(
        f"expert_{name}",
        f"the scheduler {name} as an expert, a few seconds",
        cache=decide.__module__.startswith("dream_gym."),
    )
    def ask(
        pieces: Pieces,
        runs: Ints,
        menu_arenas: Ints,
        masks: Mask,
        asked: NDArray[np.bool_],
        actions: Ints,
    ) -> None:
        first, stop = take(pieces)
        while first < stop:
            for row in range(first, stop):
                if asked[row]:
                    problem_arena, state_arena = arenas_at(runs[row])
                    problem = view_problem_compiled(problem_arena)
                    state = view_state_compiled(state_arena)
                    menu = view_menu_compiled(menu_arenas[row])
                    decision = decide(problem, state)
                    actions[row] = to_action(state, menu, masks[row], decision)
            first, stop = take(pieces)

    return ask
