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
    drawn_release_ns,
    due_ns,
    exists,
    free_slot,
    is_triggered,
    judge,
    lose,
    lose_pending_root,
    nominal_ns,
    release,
    schedule_release,
)
from dream_gym.simulator.problem import NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import MAX_PARAMETERS, NEVER, STATE, State, view_state_compiled

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

_KEPT = len(STATE.dimensions) + MAX_PARAMETERS
"""The first words of a state: its dimensions and the parameters, which a reset keeps."""

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

    @entry_point(name, cache=decide.__module__.startswith("dream_gym."))
    def run(
        problem_arena: Ints, state_arena: Ints, timeline: Ints, frames: Ints, until_ns: int
    ) -> bool:
        problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
        while True:
            if state.run[0].decision_due:
                decision = decide(problem, state)
                while decision.kind != PASS:
                    if not _obey(problem, state, timeline, frames, decision):
                        return False
                    decision = decide(problem, state)
                state.run[0].decision_due = 0
            event_ns = _next_event_ns(problem, state)
            if event_ns > until_ns:
                state.run[0].now_ns = until_ns
                return True
            state.run[0].now_ns = event_ns
            _happen(problem, state, frames)
            state.run[0].decision_due = 1
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
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    for word in range(_KEPT, len(state_arena)):
        state_arena[word] = 0
    state.run[0].seed = seed
    state.run[0].horizon_ns = horizon_ns
    slots = len(state.free)
    state.run[0].free_count = slots
    for at in range(slots):
        state.free[at] = slots - 1 - at
    for accelerator in range(len(state.accelerators)):
        state.accelerators[accelerator].busy_until_ns = NEVER
    for model in range(len(problem.models)):
        state.models[model].frames = _count_frames(problem, state, model)
        state.models[model].next_release_ns = NEVER
        if problem.models[model].parent == NONE:
            schedule_release(problem, state, model)


@entry_point("engine")
def finish(problem_arena: Ints, state_arena: Ints, frames: Ints) -> None:
    """End a run at its horizon: what is unfinished is lost, and every deadline is judged."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    while state.run[0].live_count > 0:
        slot = state.live[0]
        if state.slots[slot].executing:
            state.slots[slot].executing = 0
            state.models[state.slots[slot].model].waiting += 1
        lose(problem, state, frames, slot, UNFINISHED)
    for model in range(len(problem.models)):
        while state.models[model].next_release_ns != NEVER:
            lose_pending_root(problem, state, frames, model)
    for model in range(len(problem.models)):
        judge(problem, state, model, state.run[0].horizon_ns)


@entry_point("engine")
def export_frames(problem_arena: Ints, state_arena: Ints, model: int, out: Ints) -> int:
    """Write the frames of a model, as drawn, to rows of nominal time, release and trigger.

    Args:
        problem_arena: The problem.
        state_arena: A state that has begun.
        model: The model.
        out: int64 array (rows, 3); further frames are only counted.

    Returns:
        The number of frames that are due within the horizon, triggered or not.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    frame = 0
    while due_ns(problem, model, frame) <= state.run[0].horizon_ns:
        if frame < len(out):
            out[frame, 0] = nominal_ns(problem, model, frame)
            out[frame, 1] = out[frame, 0]
            if problem.models[model].parent == NONE:
                out[frame, 1] = drawn_release_ns(problem, state, model, frame)
            out[frame, 2] = is_triggered(problem, state, model, frame)
        frame += 1
    return frame


@compiled
def _count_frames(problem: Problem, state: State, model: int) -> int:
    frame, count = 0, 0
    while due_ns(problem, model, frame) <= state.run[0].horizon_ns:
        count += exists(problem, state, model, frame)
        frame += 1
    return count


@compiled
def _next_event_ns(problem: Problem, state: State) -> int:
    event_ns = NEVER
    for accelerator in range(len(state.accelerators)):
        event_ns = min(event_ns, state.accelerators[accelerator].busy_until_ns)
    for model in range(len(state.models)):
        event_ns = min(event_ns, state.models[model].next_release_ns)
    if problem.setting[0].firm:
        for at in range(state.run[0].live_count):
            slot = state.live[at]
            if state.slots[slot].executing == 0:
                event_ns = min(event_ns, state.slots[slot].deadline_ns)
    return event_ns


@compiled
def _happen(problem: Problem, state: State, frames: Ints) -> None:
    """All that happens at this instant before the scheduler is asked."""
    now_ns = state.run[0].now_ns
    finished = 0
    for accelerator in range(len(state.accelerators)):
        if state.accelerators[accelerator].busy_until_ns == now_ns:
            slot = state.accelerators[accelerator].slot
            state.accelerators[accelerator].busy_until_ns = NEVER
            if _end_layer(problem, state, frames, slot):
                state.accelerators[finished].finished = slot
                finished += 1
    for index in range(finished):
        slot = state.accelerators[index].finished
        _release_dependents(problem, state, frames, slot)
        free_slot(state, slot)
    for model in range(len(state.models)):
        # Two frames of a model come at once where jitter is the whole part of a broken period.
        while state.models[model].next_release_ns == now_ns:
            _release_root(problem, state, frames, model)
    if problem.setting[0].firm:
        at = 0
        while at < state.run[0].live_count:
            slot = state.live[at]
            if state.slots[slot].executing == 0 and state.slots[slot].deadline_ns <= now_ns:
                lose(problem, state, frames, slot, EXPIRED)
            else:
                at += 1


@inlined
def _end_layer(problem: Problem, state: State, frames: Ints, slot: int) -> bool:
    """Take a frame off its accelerator; return whether it is complete."""
    now_ns = state.run[0].now_ns
    model = state.slots[slot].model
    state.slots[slot].executing = 0
    state.models[model].waiting += 1
    if problem.setting[0].firm and state.slots[slot].deadline_ns < now_ns:
        lose(problem, state, frames, slot, EXPIRED)
        return False
    if state.slots[slot].layer == problem.models[model].last_layer:
        complete(problem, state, frames, slot)
        return True
    state.slots[slot].layer += 1
    state.slots[slot].ready_since_ns = now_ns
    return False


@compiled
def _release_dependents(problem: Problem, state: State, frames: Ints, slot: int) -> None:
    model, frame = state.slots[slot].model, state.slots[slot].frame
    for child in range(len(problem.models)):
        ratio = problem.models[child].parent_ratio
        if problem.models[child].parent == model and frame % ratio == 0:
            index = frame // ratio
            if exists(problem, state, child, index):
                release(problem, state, frames, child, index, state.slots[slot].nominal_ns)


@compiled
def _release_root(problem: Problem, state: State, frames: Ints, model: int) -> None:
    frame = state.models[model].next_frame
    release(problem, state, frames, model, frame, nominal_ns(problem, model, frame))
    state.models[model].next_frame += 1
    schedule_release(problem, state, model)


@inlined
def _obey(problem: Problem, state: State, timeline: Ints, frames: Ints, decision: Decision) -> bool:
    """Carry out a decision; return whether it was possible."""
    slot = decision.slot
    if not 0 <= slot < len(state.slots):
        return False
    if state.slots[slot].serial == 0 or state.slots[slot].executing:
        return False
    if decision.kind == DROP:
        lose(problem, state, frames, slot, DROPPED)
        return True
    if (
        not 0 <= decision.accelerator < len(state.accelerators)
        or state.accelerators[decision.accelerator].busy_until_ns != NEVER
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
    if state.accelerators[accelerator].serial == state.slots[slot].serial:
        return 0
    moved = problem.layers[state.slots[slot].layer].input_bytes
    previous = state.accelerators[accelerator].slot
    if (
        state.accelerators[accelerator].serial != 0
        and state.slots[previous].serial == state.accelerators[accelerator].serial
        and state.slots[previous].last_accelerator == accelerator
    ):
        moved += problem.layers[state.accelerators[accelerator].layer].output_bytes
    return int(moved)


@inlined
def switch_ns(problem: Problem, moved_bytes: int) -> int:
    """Time of a context switch, rounded up to whole ns."""
    numerator = problem.setting[0].bandwidth_numerator
    return int(
        (moved_bytes * problem.setting[0].bandwidth_denominator + numerator - 1) // numerator
    )


@inlined
def switch_energy_pj(problem: Problem, moved_bytes: int) -> int:
    """Energy of a context switch."""
    return int(moved_bytes * problem.setting[0].dram_pj_per_byte)


@inlined
def _dispatch(problem: Problem, state: State, timeline: Ints, slot: int, accelerator: int) -> None:
    now_ns = state.run[0].now_ns
    model, layer = state.slots[slot].model, state.slots[slot].layer
    moved_bytes = switch_bytes(problem, state, slot, accelerator)
    move_ns = switch_ns(problem, moved_bytes)
    duration_ns = move_ns + problem.costs[layer, accelerator].latency_ns
    energy_pj = switch_energy_pj(problem, moved_bytes) + problem.costs[layer, accelerator].energy_pj
    state.slots[slot].executing = 1
    state.models[model].waiting -= 1
    state.slots[slot].last_accelerator = accelerator
    state.slots[slot].energy_pj += energy_pj
    state.models[model].spent_energy_pj += energy_pj
    state.accelerators[accelerator].busy_until_ns = now_ns + duration_ns
    state.accelerators[accelerator].busy_ns += duration_ns
    state.accelerators[accelerator].slot = slot
    state.accelerators[accelerator].serial = state.slots[slot].serial
    state.accelerators[accelerator].layer = layer
    state.run[0].dispatches += 1
    if len(timeline) > 0:
        row = timeline[state.run[0].timeline_rows]
        row[0] = now_ns
        row[1] = now_ns + duration_ns
        row[2] = move_ns
        row[3] = model
        row[4] = state.slots[slot].frame
        row[5] = layer - problem.models[model].first_layer
        row[6] = accelerator
        row[7] = energy_pj
        state.run[0].timeline_rows += 1
