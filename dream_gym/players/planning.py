"""The compiled part of `rollout`: choices of a scheduler, each played on, and the best taken."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from dream_gym.compiling.jit import compiled, entry_point, inlined
from dream_gym.players.outlook import outlook
from dream_gym.simulator import (
    DISPATCH,
    DONE,
    DROP,
    IMPOSSIBLE,
    MORE,
    NEVER,
    NONE,
    PASS,
    Decide,
    Decision,
    Floats,
    Ints,
    Problem,
    State,
    advance,
    apply_decision,
    finish_run,
    redraw,
    view_problem_compiled,
    view_state_compiled,
    wait,
)
from dream_gym.workload import chance

FUTURES, AHEAD_NS, CAUTION, KNOWN = range(4)
"""What a planner is told, see `Desk`."""
SUM, SQUARES, GIVEN_UP = range(3)
"""What is kept of a choice, see `Desk`."""

_FUTURE = 4
"""A stream of `chance` that no world has, for the seeds of futures."""


class Desk(NamedTuple):
    """What a planner works with; see `make_desk`."""

    told: Floats
    """How many futures a choice is played in at the most, how far in ns, how many standard errors
    better than the scheduler's own a choice has to be, and whether the run's own future is
    known."""
    arenas: Ints
    """[2, words] the state where all choices begin, and the one that is played on."""
    choices: Ints
    """[choice, field] decisions."""
    outcomes: Floats
    """[choice, 3] of the differences to the scheduler's own choice, a future each, the sum and the
    sum of squares; and whether it is given up."""


def make_desk(state_arena: Ints, choices: int, told: Floats) -> Desk:
    """Make room for a planner that compares so many choices."""
    return Desk(
        told,
        np.empty((2, len(state_arena)), dtype=np.int64),
        np.empty((choices, len(Decision._fields)), dtype=np.int64),
        np.empty((choices, 3)),
    )


Plan: TypeAlias = Callable[[Ints, Ints, Ints, Ints, int, int, Desk], int]
"""See `make_plan`."""


@functools.cache
def make_plan(name: str, decide: Decide) -> Plan:
    """Compile the loop around a planner with the choices of a scheduler.

    Args:
        name: Name of the scheduler.
        decide: The compiled scheduler.

    Returns:
        The function that `make_run` returns, with a last argument, where the planner works.
    """

    @compiled
    def ask(problem: Problem, state: State) -> Decision:
        return decide(problem, state)

    @compiled
    def list_choices(problem: Problem, state: State, own: Decision, choices: Ints) -> int:
        """Write the scheduler's own choice and what it would do instead; return how many.

        Instead of a dispatch it is asked without the accelerator; then without the frame, without
        the next one, and so on. Where it would wait it is asked once more with nothing to wait
        for. The last choice is to wait, where there is room. The state is of no use afterwards.
        """
        most = len(choices)
        count = _add(choices, 0, own)
        if own.kind == DISPATCH:
            accelerator = state.accelerators[own.accelerator]
            accelerator.busy_until_ns = state.run[0].horizon_ns
            count = _add(choices, count, ask(problem, state))
            accelerator.busy_until_ns = NEVER
        latest, hidden = own, False
        while count < most - 1 and not (latest.kind == PASS and hidden):
            if latest.kind == PASS:
                _hide_busy(state)
                hidden = True
            else:
                state.slots[latest.slot].executing = 1
            latest = ask(problem, state)
            count = _add(choices, count, latest)
        return _add(choices, count, wait()) if count < most else count

    @compiled
    def play_on(problem: Problem, state: State, nothing: Ints, until_ns: int) -> int:
        """Let the scheduler play to a time; return the number of steps, `NONE` if it cannot be."""
        steps = 0
        while True:
            if state.run[0].decision_due:
                decision = decide(problem, state)
                if decision.kind == PASS:
                    state.run[0].decision_due = 0
                elif not apply_decision(problem, state, nothing, nothing, decision):
                    return NONE
            elif not advance(problem, state, nothing, nothing, until_ns):
                break
            steps += 1
        if until_ns == state.run[0].horizon_ns:
            finish_run(problem, state, nothing)
        return steps

    @compiled
    def try_out(
        problem: Problem, desk: Desk, choice: int, nothing: Ints, until_ns: int
    ) -> tuple[float, int]:
        """Play on after a choice; return what comes of it, and the number of steps."""
        _copy(desk.arenas[0], desk.arenas[1])
        state = view_state_compiled(desk.arenas[1])
        if not _apply(problem, state, nothing, nothing, _decision(desk.choices[choice])):
            return 0.0, NONE
        steps = play_on(problem, state, nothing, until_ns)
        return outlook(problem, state), steps

    @compiled
    def compare(problem: Problem, state_arena: Ints, desk: Desk, count: int, nothing: Ints) -> int:
        """Play the choices on in one future after the other; return the number of steps."""
        run = view_state_compiled(state_arena).run[0]
        until_ns = min(run.now_ns + int(desk.told[AHEAD_NS]), run.horizon_ns)
        desk.outcomes[:count] = 0.0
        left, taken = count - 1, 0
        for future in range(int(desk.told[FUTURES])):
            _copy(state_arena, desk.arenas[0])
            if desk.told[KNOWN] == 0.0:
                word = chance.draw(future, _FUTURE, 0, run.now_ns, 0)
                other_seed = int(word >> np.uint64(1))
                redraw(problem, view_state_compiled(desk.arenas[0]), other_seed)
            own_cost, steps = try_out(problem, desk, 0, nothing, until_ns)
            if steps == NONE:
                return NONE
            taken += steps
            for choice in range(1, count):
                outcome = desk.outcomes[choice]
                if outcome[GIVEN_UP] > 0.0:
                    continue
                cost, steps = try_out(problem, desk, choice, nothing, until_ns)
                if steps == NONE:
                    return NONE
                taken += steps
                outcome[SUM] += cost - own_cost
                outcome[SQUARES] += (cost - own_cost) * (cost - own_cost)
                if future > 0 and outcome[SUM] >= 0.0:
                    outcome[GIVEN_UP] = 1.0
                    left -= 1
            if left == 0:
                break
        return taken

    @entry_point(
        f"rollout_{name}",
        f"rollouts of the scheduler {name}, 20 to 40 s",
        cache=decide.__module__.startswith("dream_gym."),
    )
    def plan(
        problem_arena: Ints,
        state_arena: Ints,
        timeline: Ints,
        frames: Ints,
        until_ns: int,
        most: int,
        desk: Desk,
    ) -> int:
        problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
        nothing = timeline[:0]  # what is tried is not recorded
        taken = 0
        while True:
            while state.run[0].decision_due:
                if taken >= most:
                    return MORE
                decision = ask(problem, state)
                if _is_worth_it(state, decision):
                    _copy(state_arena, desk.arenas[0])
                    at_desk = view_state_compiled(desk.arenas[0])
                    count = list_choices(problem, at_desk, decision, desk.choices)
                    if count > 1:
                        steps = compare(problem, state_arena, desk, count, nothing)
                        if steps == NONE:
                            return IMPOSSIBLE
                        taken += steps
                        decision = _decision(desk.choices[_best(desk, count)])
                if not _apply(problem, state, timeline, frames, decision):
                    return IMPOSSIBLE
                taken += 1
            if not advance(problem, state, timeline, frames, until_ns):
                return DONE
            taken += 1
            if taken >= most:
                return MORE

    return plan


@inlined
def _is_worth_it(state: State, own: Decision) -> bool:
    """Whether a decision is thought about.

    It is not where nothing can be dispatched, nor where a frame goes on where it just ran: most
    dispatches are of that kind, and what could be done instead was compared when it began.
    """
    if own.kind == DROP:
        return True
    if own.kind == DISPATCH:
        serial = state.slots[own.slot].serial
        return bool(state.accelerators[own.accelerator].serial != serial)
    idle, waiting = 0, 0
    for accelerator in range(len(state.accelerators)):
        idle += state.accelerators[accelerator].busy_until_ns == NEVER
    for at in range(state.run[0].live_count):
        waiting += state.slots[state.live[at]].executing == 0
    return idle > 0 and waiting > 0


@inlined
def _best(desk: Desk, count: int) -> int:
    """The choice that is surely better than the scheduler's own by most, or else that."""
    best, least = 0, 0.0
    futures = desk.told[FUTURES]
    for choice in range(1, count):
        outcome = desk.outcomes[choice]
        if outcome[GIVEN_UP] == 0.0:
            difference = outcome[SUM] / futures
            if futures > 1.0:
                variance = max(outcome[SQUARES] / futures - difference * difference, 0.0)
                difference += desk.told[CAUTION] * math.sqrt(variance / (futures - 1.0))
            if difference < least:
                best, least = choice, difference
    return best


@inlined
def _decision(fields: Ints) -> Decision:
    return Decision(fields[0], fields[1], fields[2], fields[3], fields[4])


@inlined
def _add(choices: Ints, count: int, decision: Decision) -> int:
    """Write a decision behind others, unless it is one of them; return how many there are."""
    for choice in range(count):
        if _decision(choices[choice]) == decision:
            return count
    for field in range(len(decision)):
        choices[count, field] = decision[field]
    return count + 1


@inlined
def _hide_busy(state: State) -> None:
    """Let nobody wait for the accelerators that are busy: they stay so to the end of the run."""
    for accelerator in range(len(state.accelerators)):
        if state.accelerators[accelerator].busy_until_ns != NEVER:
            state.accelerators[accelerator].busy_until_ns = state.run[0].horizon_ns


@inlined
def _apply(
    problem: Problem, state: State, timeline: Ints, frames: Ints, decision: Decision
) -> bool:
    """Carry out a decision, passing included; return whether it was possible."""
    if decision.kind == PASS:
        state.run[0].decision_due = 0
        return True
    return apply_decision(problem, state, timeline, frames, decision)


@compiled
def _copy(source: Ints, target: Ints) -> None:
    for word in range(len(source)):  # a slice would first ask for memory
        target[word] = source[word]
