"""The engine: events in their order, and the decisions that a scheduler takes between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dream_gym.jit import compiled, entry_point, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.frames import (
    DROPPED,
    EXPIRED,
    UNFINISHED,
    complete,
    exists,
    free_slot,
    judge,
    lose,
    lose_pending_root,
    nominal_ns,
    release,
    schedule_release,
)
from dream_gym.simulator.problem import (
    BANDWIDTH_DENOMINATOR,
    BANDWIDTH_NUMERATOR,
    DRAM_PJ_PER_BYTE,
    FIRM,
    NONE,
    Problem,
    view_problem,
)
from dream_gym.simulator.state import (
    DECISION_DUE,
    DISPATCHES,
    FREE,
    HORIZON_NS,
    LIVE,
    NEVER,
    NOW_NS,
    SEED,
    STATE,
    TIMELINE_ROWS,
    State,
    view_state,
)

PASS, DISPATCH, DROP = range(3)
"""What a scheduler may decide."""

TIMELINE_COLUMNS = (
    "start_ns",
    "end_ns",
    "switch_ns",
    "model",
    "frame",
    "layer",
    "accelerator",
    "energy_pj",
)
"""Columns of the record of dispatches; switch and its energy are included in end and energy."""


class Decision(NamedTuple):
    """One decision: pass (nothing more at this instant), dispatch, or drop a waiting frame."""

    kind: int
    slot: int
    accelerator: int


Decide = Callable[[Problem, State], Decision]
"""A compiled scheduler. It is called again after each decision until it passes."""

_HEADER = len(STATE.dimensions)

Run = Callable[[Ints, Ints, Ints, Ints, int], bool]
"""An engine for one scheduler, see `make_run`."""


def make_run(name: str, decide: Decide) -> Run:
    """Compile the engine around a scheduler.

    Args:
        name: Name of the scheduler, part of the key under which the machine code is cached.
        decide: The compiled scheduler.

    Returns:
        ``run(problem, state, timeline, frames, until_ns)``, which takes the run to a time and
        returns False if the scheduler decided something impossible. The record arrays have one
        row per dispatch or frame of the whole run, or no rows where no record is wanted.
    """

    @entry_point(name)
    def run(
        problem_arena: Ints, state_arena: Ints, timeline: Ints, frames: Ints, until_ns: int
    ) -> bool:
        problem, state = view_problem(problem_arena), view_state(state_arena)
        while True:
            if state.scalar[DECISION_DUE]:
                decision = decide(problem, state)
                while decision.kind != PASS:
                    if not _obey(problem, state, timeline, frames, decision):
                        return False
                    decision = decide(problem, state)
                state.scalar[DECISION_DUE] = 0
            event_ns = _next_event_ns(problem, state)
            if event_ns > until_ns:
                state.scalar[NOW_NS] = until_ns
                return True
            state.scalar[NOW_NS] = event_ns
            _happen(problem, state, frames)
            state.scalar[DECISION_DUE] = 1
            if event_ns == until_ns:
                return True

    return run


@entry_point("engine")
def begin(problem_arena: Ints, state_arena: Ints, seed: int, horizon_ns: int) -> None:
    """Reset a state to the start of a run; the scheduler's parameters stay.

    Args:
        problem_arena: The problem.
        state_arena: The state.
        seed: Seed of the world, in [0, 2^63).
        horizon_ns: End of the run.
    """
    problem, state = view_problem(problem_arena), view_state(state_arena)
    parameters = state.parameter.copy()
    state_arena[_HEADER:] = 0
    state.parameter[:] = parameters
    state.scalar[SEED] = seed
    state.scalar[HORIZON_NS] = horizon_ns
    slots = len(state.free)
    state.scalar[FREE] = slots
    for at in range(slots):
        state.free[at] = slots - 1 - at
    state.busy_until_ns[:] = NEVER
    for model in range(len(problem.first_layer)):
        state.frames[model] = _count_frames(problem, state, model)
        state.next_release_ns[model] = NEVER
        if problem.parent[model] == NONE:
            schedule_release(problem, state, model)


@entry_point("engine")
def finish(problem_arena: Ints, state_arena: Ints, frames: Ints) -> None:
    """End a run at its horizon: what is unfinished is lost, and every deadline is judged."""
    problem, state = view_problem(problem_arena), view_state(state_arena)
    while state.scalar[LIVE] > 0:
        slot = state.live[0]
        if state.executing[slot]:
            state.executing[slot] = 0
            state.waiting[state.model[slot]] += 1
        lose(problem, state, frames, slot, UNFINISHED)
    for model in range(len(problem.first_layer)):
        while state.next_release_ns[model] != NEVER:
            lose_pending_root(problem, state, frames, model)
    for model in range(len(problem.first_layer)):
        judge(problem, state, model, state.scalar[HORIZON_NS])


@compiled
def _count_frames(problem: Problem, state: State, model: int) -> int:
    frame, count = 0, 0
    horizon_ns = state.scalar[HORIZON_NS] - problem.deadline_ns[model]
    while nominal_ns(problem, model, frame) <= horizon_ns:
        count += exists(problem, state, model, frame)
        frame += 1
    return count


@compiled
def _next_event_ns(problem: Problem, state: State) -> int:
    event_ns = NEVER
    for accelerator in range(len(state.busy_until_ns)):
        event_ns = min(event_ns, state.busy_until_ns[accelerator])
    for model in range(len(state.next_release_ns)):
        event_ns = min(event_ns, state.next_release_ns[model])
    if problem.setting[FIRM]:
        for at in range(state.scalar[LIVE]):
            slot = state.live[at]
            if state.executing[slot] == 0:
                event_ns = min(event_ns, state.deadline_ns[slot])
    return event_ns


@compiled
def _happen(problem: Problem, state: State, frames: Ints) -> None:
    """All that happens at this instant before the scheduler is asked."""
    now_ns = state.scalar[NOW_NS]
    finished = 0
    for accelerator in range(len(state.busy_until_ns)):
        if state.busy_until_ns[accelerator] == now_ns:
            slot = state.running[accelerator]
            state.busy_until_ns[accelerator] = NEVER
            if _end_layer(problem, state, frames, slot):
                state.finished[finished] = slot
                finished += 1
    for index in range(finished):
        slot = state.finished[index]
        _release_dependents(problem, state, frames, slot)
        free_slot(state, slot)
    for model in range(len(state.next_release_ns)):
        if state.next_release_ns[model] == now_ns:
            _release_root(problem, state, frames, model)
    if problem.setting[FIRM]:
        at = 0
        while at < state.scalar[LIVE]:
            slot = state.live[at]
            if state.executing[slot] == 0 and state.deadline_ns[slot] <= now_ns:
                lose(problem, state, frames, slot, EXPIRED)
            else:
                at += 1


@inlined
def _end_layer(problem: Problem, state: State, frames: Ints, slot: int) -> bool:
    """Take a frame off its accelerator; return whether it is complete."""
    now_ns = state.scalar[NOW_NS]
    model = state.model[slot]
    state.executing[slot] = 0
    state.waiting[model] += 1
    if problem.setting[FIRM] and state.deadline_ns[slot] < now_ns:
        lose(problem, state, frames, slot, EXPIRED)
        return False
    if state.layer[slot] == problem.last_layer[model]:
        complete(problem, state, frames, slot)
        return True
    state.layer[slot] += 1
    state.ready_since_ns[slot] = now_ns
    return False


@compiled
def _release_dependents(problem: Problem, state: State, frames: Ints, slot: int) -> None:
    model, frame = state.model[slot], state.frame[slot]
    for child in range(len(problem.first_layer)):
        if problem.parent[child] == model and frame % problem.parent_ratio[child] == 0:
            index = frame // problem.parent_ratio[child]
            if exists(problem, state, child, index):
                release(problem, state, frames, child, index, state.nominal_ns[slot])


@compiled
def _release_root(problem: Problem, state: State, frames: Ints, model: int) -> None:
    frame = state.next_frame[model]
    release(problem, state, frames, model, frame, nominal_ns(problem, model, frame))
    state.next_frame[model] += 1
    schedule_release(problem, state, model)


@inlined
def _obey(
    problem: Problem, state: State, timeline: Ints, frames: Ints, decision: Decision
) -> bool:
    """Carry out a decision; return whether it was possible."""
    slot = decision.slot
    if not 0 <= slot < len(state.serial) or state.serial[slot] == 0 or state.executing[slot]:
        return False
    if decision.kind == DROP:
        lose(problem, state, frames, slot, DROPPED)
        return True
    if (
        not 0 <= decision.accelerator < len(state.busy_until_ns)
        or state.busy_until_ns[decision.accelerator] != NEVER
    ):
        return False
    _dispatch(problem, state, timeline, slot, decision.accelerator)
    return True


@inlined
def switch_bytes(problem: Problem, state: State, slot: int, accelerator: int) -> int:
    """Bytes that a context switch would move if the frame's next layer started there.

    In comes the input of that layer, unless the accelerator last ran the same frame. Out goes
    the output of the last layer that the accelerator ran, if its frame still needs it from there:
    it is live, and has since run nowhere else.
    """
    if state.running_serial[accelerator] == state.serial[slot]:
        return 0
    moved = problem.input_bytes[state.layer[slot]]
    previous = state.running[accelerator]
    if (
        state.running_serial[accelerator] != 0
        and state.serial[previous] == state.running_serial[accelerator]
        and state.last_accelerator[previous] == accelerator
    ):
        moved += problem.output_bytes[state.running_layer[accelerator]]
    return moved


@inlined
def switch_ns(problem: Problem, moved_bytes: int) -> int:
    """Time of a context switch, rounded up to whole ns."""
    numerator = problem.setting[BANDWIDTH_NUMERATOR]
    return (moved_bytes * problem.setting[BANDWIDTH_DENOMINATOR] + numerator - 1) // numerator


@inlined
def switch_energy_pj(problem: Problem, moved_bytes: int) -> int:
    """Energy of a context switch."""
    return moved_bytes * problem.setting[DRAM_PJ_PER_BYTE]


@inlined
def _dispatch(problem: Problem, state: State, timeline: Ints, slot: int, accelerator: int) -> None:
    now_ns = state.scalar[NOW_NS]
    model, layer = state.model[slot], state.layer[slot]
    moved_bytes = switch_bytes(problem, state, slot, accelerator)
    move_ns = switch_ns(problem, moved_bytes)
    duration_ns = move_ns + problem.latency_ns[layer, accelerator]
    energy_pj = switch_energy_pj(problem, moved_bytes) + problem.energy_pj[layer, accelerator]
    state.executing[slot] = 1
    state.waiting[model] -= 1
    state.last_accelerator[slot] = accelerator
    state.frame_energy_pj[slot] += energy_pj
    state.spent_energy_pj[model] += energy_pj
    state.busy_until_ns[accelerator] = now_ns + duration_ns
    state.busy_ns[accelerator] += duration_ns
    state.running[accelerator] = slot
    state.running_serial[accelerator] = state.serial[slot]
    state.running_layer[accelerator] = layer
    state.scalar[DISPATCHES] += 1
    if len(timeline) > 0:
        row = timeline[state.scalar[TIMELINE_ROWS]]
        row[0] = now_ns
        row[1] = now_ns + duration_ns
        row[2] = move_ns
        row[3] = model
        row[4] = state.frame[slot]
        row[5] = layer - problem.first_layer[model]
        row[6] = accelerator
        row[7] = energy_pj
        state.scalar[TIMELINE_ROWS] += 1
