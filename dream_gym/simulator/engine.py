"""The engine: the loop around a scheduler, and decisions from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dream_gym.compiling.jit import entry_point
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.decision import PASS, Decide, Decision
from dream_gym.simulator.events import advance, apply_decision
from dream_gym.simulator.problem import Problem, view_problem_compiled
from dream_gym.simulator.state import Room, view_state_compiled

Run = Callable[[Ints, Ints, Ints, Ints, int, int], int]
"""The loop around one scheduler, see `make_run`."""

DONE, MORE, IMPOSSIBLE = range(3)
"""Why the loop returned: the time, as many events as asked for, or a wrong decision."""


class Engine(NamedTuple):
    """What takes a run forward.

    Args:
        run: The loop.
        prepare: Works out, before a run, one number for each layer of a problem, from it and the
            scheduler's parameters.
        room: What the scheduler needs in a state.
    """

    run: Run
    prepare: Callable[[Problem, Floats], Ints] | None = None
    room: Room = Room()


def make_run(name: str, decide: Decide) -> Run:
    """Compile the engine around a scheduler.

    Args:
        name: Name of the scheduler, part of the key under which the machine code is cached.
        decide: The compiled scheduler.

    Returns:
        ``run(problem, state, timeline, frames, until_ns, most)``, which takes the run to a time
        and returns ``DONE``; or ``MORE`` after so many events and decisions, and may be called
        again to go on just there; or ``IMPOSSIBLE`` if the scheduler decided what cannot be. The
        record arrays have one row per dispatch or frame of the whole run, or no rows where no
        record is wanted.
    """
    builtin = decide.__module__.startswith("dream_gym.")

    @entry_point(name, f"the scheduler {name}, 10 to 20 s", cache=builtin)
    def run(
        problem_arena: Ints,
        state_arena: Ints,
        timeline: Ints,
        frames: Ints,
        until_ns: int,
        most: int,
    ) -> int:
        problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
        taken = 0
        while True:
            if state.run[0].decision_due:
                decision = decide(problem, state)
                while decision.kind != PASS:
                    if not apply_decision(problem, state, timeline, frames, decision):
                        return IMPOSSIBLE
                    taken += 1
                    decision = decide(problem, state)
                state.run[0].decision_due = 0
            if not advance(problem, state, timeline, frames, until_ns):
                return DONE
            taken += 1
            if taken >= most:
                return MORE

    return run


@entry_point("engine")
def run_to_decision(
    problem_arena: Ints, state_arena: Ints, timeline: Ints, frames: Ints, until_ns: int
) -> bool:
    """Take a run to its next decision point, or to a time; return whether a decision is due.

    The arguments are the first of the function that `make_run` returns. A decision that is due at
    the time itself is not reported; it is taken after the next call.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    while not state.run[0].decision_due:
        if not advance(problem, state, timeline, frames, until_ns):
            return False
    return True


@entry_point("engine")
def take_decision(
    problem_arena: Ints,
    state_arena: Ints,
    timeline: Ints,
    frames: Ints,
    kind: int,
    slot: int,
    accelerator: int,
    variant: int,
    layers: int,
) -> bool:
    """Carry out one decision from outside; return whether it was possible.

    The last five arguments are a `Decision`; passing ends the decisions of the instant.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    if kind == PASS:
        state.run[0].decision_due = 0
        return True
    decision = Decision(kind, slot, accelerator, variant, layers)
    return apply_decision(problem, state, timeline, frames, decision)
