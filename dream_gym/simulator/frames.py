"""The life of a frame: its release, and how it ends.

A frame is counted in its stream, but for slots and records, where it is counted in its model.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import EXISTS, LOST, MET, NEVER, NOTES, RECENT, UNDECIDED, State
from dream_gym.simulator.worlds import drawn_release_ns, due_ns, exists, is_triggered

COMPLETED, DROPPED, DISPLACED, EXPIRED, PARENT_LOST, UNFINISHED = range(6)
"""The fates of a frame; all but the first are losses."""

FATES = ("completed", "dropped", "displaced", "expired", "parent lost", "unfinished")

FRAME_COLUMNS = (
    "model",
    "frame",
    "release_ns",
    "deadline_ns",
    "end_ns",
    "fate",
    "energy_pj",
    "variant",
)
"""Columns of the record of frames."""

NEVER_RELEASED = -1
"""The release in the record of a frame that never was."""


@compiled
def schedule_release(problem: Problem, state: State, stream: int) -> None:
    """Find a root's next frame, from ``next_frame`` on, and when it is released."""
    at = state.streams[stream]
    while due_ns(problem, stream, at.next_frame) <= state.run[0].horizon_ns:
        if is_triggered(problem, state, stream, at.next_frame):
            at.next_release_ns = drawn_release_ns(problem, state, stream, at.next_frame)
            return
        at.next_frame += 1
    at.next_release_ns = NEVER


@compiled
def release(
    problem: Problem, state: State, record: Ints, stream: int, frame: int, nominal: int
) -> None:
    """Put a frame in a slot, behind all that were released before it; displace if too many wait."""
    now_ns = state.run[0].now_ns
    model = problem.streams[stream].model
    state.run[0].free_count -= 1
    slot = state.free[state.run[0].free_count]
    state.run[0].releases += 1
    state.slots[slot].serial = state.run[0].releases
    state.slots[slot].model = model
    state.slots[slot].stream = stream
    state.slots[slot].network = problem.models[model].first_network
    state.slots[slot].frame = problem.streams[stream].first_frame + frame
    state.slots[slot].nominal_ns = nominal
    state.slots[slot].release_ns = now_ns
    state.slots[slot].deadline_ns = nominal + problem.streams[stream].deadline_ns
    state.slots[slot].layer = problem.networks[state.slots[slot].network].first_layer
    state.slots[slot].ready_since_ns = now_ns
    state.slots[slot].executing = 0
    state.slots[slot].last_accelerator = NONE
    state.slots[slot].energy_pj = 0
    for note in range(NOTES):
        state.notes[slot, note] = 0.0
    at = state.run[0].live_count
    while at > 0 and _comes_before(state, slot, state.live[at - 1]):
        state.live[at] = state.live[at - 1]
        at -= 1
    state.live[at] = slot
    state.run[0].live_count += 1
    state.models[model].waiting += 1
    if state.models[model].waiting > problem.models[model].backlog_limit:
        lose(problem, state, record, _oldest_waiting(state, model), DISPLACED)


@inlined
def _comes_before(state: State, slot: int, other: int) -> bool:
    if state.slots[slot].release_ns != state.slots[other].release_ns:
        return bool(state.slots[slot].release_ns < state.slots[other].release_ns)
    if state.slots[slot].model != state.slots[other].model:
        return bool(state.slots[slot].model < state.slots[other].model)
    return bool(state.slots[slot].frame < state.slots[other].frame)


@compiled
def _oldest_waiting(state: State, model: int) -> int:
    oldest = NONE
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if (
            state.slots[slot].model == model
            and state.slots[slot].executing == 0
            and (oldest == NONE or state.slots[slot].frame < state.slots[oldest].frame)
        ):
            oldest = slot
    return oldest


@inlined
def frame_in_stream(problem: Problem, state: State, slot: int) -> int:
    """Index of a slot's frame in its stream."""
    return int(state.slots[slot].frame - problem.streams[state.slots[slot].stream].first_frame)


@compiled
def complete(problem: Problem, state: State, record: Ints, slot: int) -> None:
    """Account for a frame that has run its last layer; its slot is freed by the caller."""
    model, stream = state.slots[slot].model, state.slots[slot].stream
    state.models[model].completed += 1
    _remember(state, model, lost=0)
    state.models[model].completed_energy_pj += state.slots[slot].energy_pj
    if state.slots[slot].deadline_ns < state.run[0].now_ns:
        state.models[model].late_energy_pj += state.slots[slot].energy_pj
    state.networks[state.slots[slot].network].completed += 1
    _leave(state, slot)
    _resolve_in_time(problem, state, stream, frame_in_stream(problem, state, slot), MET)
    _record_slot(problem, state, record, slot, COMPLETED)


@compiled
def lose(problem: Problem, state: State, record: Ints, slot: int, fate: int) -> None:
    """Lose a live frame that waits, and with it all frames that it would have triggered."""
    _leave(state, slot)
    stream, frame = state.slots[slot].stream, frame_in_stream(problem, state, slot)
    _count_loss(problem, state, stream, frame)
    _record_slot(problem, state, record, slot, fate)
    free_slot(state, slot)
    lose_descendants(problem, state, record, stream, frame)


@compiled
def lose_descendants(problem: Problem, state: State, record: Ints, stream: int, frame: int) -> None:
    """Lose the frames, never released, that a lost frame would have triggered."""
    for child in range(len(problem.streams)):
        ratio = problem.descent[stream, child]
        if ratio > 0 and frame % ratio == 0:
            index = frame // ratio
            if exists(problem, state, child, index, stream):
                _lose_unreleased(problem, state, record, child, index, PARENT_LOST)


@compiled
def lose_pending_root(problem: Problem, state: State, record: Ints, stream: int) -> None:
    """Lose a root's next frame, which the horizon overtook before its release."""
    frame = state.streams[stream].next_frame
    _lose_unreleased(problem, state, record, stream, frame, UNFINISHED)
    lose_descendants(problem, state, record, stream, frame)
    state.streams[stream].next_frame += 1
    schedule_release(problem, state, stream)


@compiled
def _lose_unreleased(
    problem: Problem, state: State, record: Ints, stream: int, frame: int, fate: int
) -> None:
    _count_loss(problem, state, stream, frame)
    if len(record) > 0:
        row = record[_add_row(state, record, fate)]
        row[0] = problem.streams[stream].model
        row[1] = problem.streams[stream].first_frame + frame
        row[2] = NEVER_RELEASED
        row[3] = due_ns(problem, stream, frame)
        row[6] = 0
        row[7] = 0


@inlined
def free_slot(state: State, slot: int) -> None:
    """Give a slot back."""
    state.slots[slot].serial = 0
    state.free[state.run[0].free_count] = slot
    state.run[0].free_count += 1


@inlined
def _leave(state: State, slot: int) -> None:
    if state.slots[slot].executing == 0:
        state.models[state.slots[slot].model].waiting -= 1
    at = 0
    while state.live[at] != slot:
        at += 1
    state.run[0].live_count -= 1
    for after in range(at, state.run[0].live_count):
        state.live[after] = state.live[after + 1]


@inlined
def _remember(state: State, model: int, lost: int) -> None:
    recent = (state.models[model].recent_losses << 1) | lost
    state.models[model].recent_losses = recent & ((1 << RECENT) - 1)


@compiled
def _count_loss(problem: Problem, state: State, stream: int, frame: int) -> None:
    model = problem.streams[stream].model
    state.models[model].lost += 1
    _remember(state, model, lost=1)
    if _resolve_in_time(problem, state, stream, frame, LOST):
        state.models[model].violations += 1


@compiled
def _resolve_in_time(problem: Problem, state: State, stream: int, frame: int, verdict: int) -> bool:
    """Note how a frame was resolved, unless its deadline has been judged already."""
    judge(problem, state, stream, state.run[0].now_ns - 1)
    if frame < state.streams[stream].judged:
        return False
    state.verdict[stream, frame % state.verdict.shape[1]] = verdict
    return True


@inlined
def judge_all(problem: Problem, state: State) -> None:
    """Count as violations all frames that have passed their deadline unresolved by now."""
    for stream in range(len(problem.streams)):
        judge(problem, state, stream, state.run[0].now_ns)


@inlined
def judge(problem: Problem, state: State, stream: int, until_ns: int) -> None:
    """Count as violations the frames of a stream that passed their deadline unresolved.

    Args:
        problem: The problem.
        state: The state.
        stream: The stream.
        until_ns: Deadlines up to this time, inclusive, are judged.
    """
    if state.streams[stream].judged_due_ns <= until_ns:  # else there is nothing to call for
        _judge(problem, state, stream, until_ns)


@compiled
def _judge(problem: Problem, state: State, stream: int, until_ns: int) -> None:
    ring = state.verdict.shape[1]
    frame = state.streams[stream].judged
    last_ns = min(until_ns, state.run[0].horizon_ns)
    while True:
        deadline_ns = due_ns(problem, stream, frame)
        if deadline_ns > last_ns:
            break
        verdict = state.verdict[stream, frame % ring]
        if verdict != UNDECIDED:
            state.verdict[stream, frame % ring] = UNDECIDED
        if verdict == EXISTS or (
            verdict == UNDECIDED and exists(problem, state, stream, frame, NONE)
        ):
            state.models[problem.streams[stream].model].violations += 1
        frame += 1
    state.streams[stream].judged = frame
    state.streams[stream].judged_due_ns = deadline_ns


@compiled
def _record_slot(problem: Problem, state: State, record: Ints, slot: int, fate: int) -> None:
    if len(record) > 0:
        frame = state.slots[slot]
        row = record[_add_row(state, record, fate)]
        row[0] = frame.model
        row[1] = frame.frame
        row[2] = frame.release_ns
        row[3] = frame.deadline_ns
        row[6] = frame.energy_pj
        row[7] = frame.network - problem.models[frame.model].first_network


@inlined
def _add_row(state: State, record: Ints, fate: int) -> int:
    """The index of a new row of the record, which holds what is the same for all that end now."""
    index = state.run[0].frame_rows
    record[index, 4] = state.run[0].now_ns
    record[index, 5] = fate
    state.run[0].frame_rows += 1
    return int(index)
