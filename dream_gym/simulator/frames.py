"""The life of a frame: which frames exist, when they are released, and how they end."""

from __future__ import annotations

from dream_gym.jit import compiled, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import (
    LOST,
    MET,
    NEVER,
    UNDECIDED,
    State,
)
from dream_gym.workload import chance

COMPLETED, DROPPED, DISPLACED, EXPIRED, PARENT_LOST, UNFINISHED = range(6)
"""The fates of a frame; all but the first are losses."""

FATES = ("completed", "dropped", "displaced", "expired", "parent lost", "unfinished")

FRAME_COLUMNS = ("model", "frame", "release_ns", "deadline_ns", "end_ns", "fate", "energy_pj")
"""Columns of the record of frames."""

FAR_NS = 2**62
"""A time that no run reaches, and to which a deadline may be added."""

NEVER_RELEASED = -1
"""The release in the record of a frame that never was."""


@inlined
def nominal_ns(problem: Problem, model: int, frame: int) -> int:
    """Nominal time of a frame, which is that of the root frame that it stems from.

    It is recorded, or else phase + floor(frame × period of the model), exactly: the period of a
    dependent is a whole multiple of its root's. It is `FAR_NS` behind the end of a recording.
    """
    given = problem.models[model]
    root = problem.models[given.root]
    if root.recorded_frames > 0:
        frame *= given.root_ratio
        if frame >= root.recorded_frames:
            return FAR_NS
        return int(problem.recorded[root.recorded_first + frame].nominal_ns)
    fraction_ns = frame * given.period_remainder // given.period_divisor
    return int(given.phase_ns + frame * given.period_quotient_ns + fraction_ns)


@inlined
def due_ns(problem: Problem, model: int, frame: int) -> int:
    """Deadline of a frame."""
    return nominal_ns(problem, model, frame) + int(problem.models[model].deadline_ns)


@inlined
def is_triggered(problem: Problem, state: State, model: int, frame: int) -> bool:
    """Whether a frame exists, given that its parent does; recorded, or else drawn."""
    given = problem.models[model]
    if given.recorded_frames > 0:
        if frame >= given.recorded_frames:
            return False
        return bool(problem.recorded[given.recorded_first + frame].triggered)
    if given.parent == NONE:
        return True
    word = chance.draw(state.run[0].seed, chance.TRIGGER, model, frame, 0)
    return chance.happens(word, given.trigger_threshold)


@inlined
def drawn_release_ns(problem: Problem, state: State, model: int, frame: int) -> int:
    """Release of a root frame; recorded, or else its nominal time and a drawn jitter."""
    given = problem.models[model]
    if given.recorded_frames > 0:
        return int(problem.recorded[given.recorded_first + frame].release_ns)
    word = chance.draw(state.run[0].seed, chance.JITTER, model, frame, 0)
    jitter_ns = chance.uniform_integer(word, given.jitter_ns)
    return nominal_ns(problem, model, frame) + int(jitter_ns)


@compiled
def exists(problem: Problem, state: State, model: int, frame: int) -> bool:
    """Whether a frame is part of the run: it and its ancestors are triggered and due in time."""
    while True:
        if due_ns(problem, model, frame) > state.run[0].horizon_ns:
            return False
        if not is_triggered(problem, state, model, frame):
            return False
        if problem.models[model].parent == NONE:
            return True
        frame *= problem.models[model].parent_ratio
        model = problem.models[model].parent


@compiled
def schedule_release(problem: Problem, state: State, model: int) -> None:
    """Find a root's next frame, from ``next_frame`` on, and when it is released."""
    counts = state.models[model]
    while due_ns(problem, model, counts.next_frame) <= state.run[0].horizon_ns:
        if is_triggered(problem, state, model, counts.next_frame):
            release_ns = drawn_release_ns(problem, state, model, counts.next_frame)
            counts.next_release_ns = release_ns
            return
        counts.next_frame += 1
    counts.next_release_ns = NEVER


@compiled
def release(
    problem: Problem, state: State, record: Ints, model: int, frame: int, nominal: int
) -> None:
    """Put a frame in a slot, behind all that were released before it; displace if too many wait."""
    now_ns = state.run[0].now_ns
    state.run[0].free_count -= 1
    slot = state.free[state.run[0].free_count]
    state.run[0].releases += 1
    state.slots[slot].serial = state.run[0].releases
    state.slots[slot].model = model
    state.slots[slot].frame = frame
    state.slots[slot].nominal_ns = nominal
    state.slots[slot].release_ns = now_ns
    state.slots[slot].deadline_ns = nominal + problem.models[model].deadline_ns
    state.slots[slot].layer = problem.models[model].first_layer
    state.slots[slot].ready_since_ns = now_ns
    state.slots[slot].executing = 0
    state.slots[slot].last_accelerator = NONE
    state.slots[slot].energy_pj = 0
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


@compiled
def complete(problem: Problem, state: State, record: Ints, slot: int) -> None:
    """Account for a frame that has run its last layer; its slot is freed by the caller."""
    model = state.slots[slot].model
    state.models[model].completed += 1
    state.models[model].completed_energy_pj += state.slots[slot].energy_pj
    _leave(state, slot)
    _resolve_in_time(problem, state, model, state.slots[slot].frame, MET)
    _record(
        state,
        record,
        model,
        state.slots[slot].frame,
        state.slots[slot].release_ns,
        state.slots[slot].deadline_ns,
        COMPLETED,
        state.slots[slot].energy_pj,
    )


@compiled
def lose(problem: Problem, state: State, record: Ints, slot: int, fate: int) -> None:
    """Lose a live frame that waits, and with it all frames that it would have triggered."""
    _leave(state, slot)
    model, frame = state.slots[slot].model, state.slots[slot].frame
    _count_loss(
        problem,
        state,
        record,
        model,
        frame,
        state.slots[slot].release_ns,
        state.slots[slot].deadline_ns,
        fate,
        state.slots[slot].energy_pj,
    )
    free_slot(state, slot)
    lose_descendants(problem, state, record, model, frame)


@compiled
def lose_descendants(problem: Problem, state: State, record: Ints, model: int, frame: int) -> None:
    """Lose the frames, never released, that a lost frame would have triggered."""
    for child in range(len(problem.models)):
        ratio = problem.descent[model, child]
        if ratio > 0 and frame % ratio == 0 and exists(problem, state, child, frame // ratio):
            _lose_unreleased(problem, state, record, child, frame // ratio, PARENT_LOST)


@compiled
def lose_pending_root(problem: Problem, state: State, record: Ints, model: int) -> None:
    """Lose a root's next frame, which the horizon overtook before its release."""
    frame = state.models[model].next_frame
    _lose_unreleased(problem, state, record, model, frame, UNFINISHED)
    lose_descendants(problem, state, record, model, frame)
    state.models[model].next_frame += 1
    schedule_release(problem, state, model)


@compiled
def _lose_unreleased(
    problem: Problem, state: State, record: Ints, model: int, frame: int, fate: int
) -> None:
    deadline_ns = due_ns(problem, model, frame)
    _count_loss(problem, state, record, model, frame, NEVER_RELEASED, deadline_ns, fate, 0)


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


@compiled
def _count_loss(
    problem: Problem,
    state: State,
    record: Ints,
    model: int,
    frame: int,
    release_ns: int,
    deadline_ns: int,
    fate: int,
    energy_pj: int,
) -> None:
    state.models[model].lost += 1
    if _resolve_in_time(problem, state, model, frame, LOST):
        state.models[model].violations += 1
    _record(state, record, model, frame, release_ns, deadline_ns, fate, energy_pj)


@compiled
def _resolve_in_time(problem: Problem, state: State, model: int, frame: int, verdict: int) -> bool:
    """Note how a frame was resolved, unless its deadline has been judged already."""
    judge(problem, state, model, state.run[0].now_ns - 1)
    if frame < state.models[model].judged:
        return False
    state.verdict[model, frame % state.verdict.shape[1]] = verdict
    return True


@compiled
def judge(problem: Problem, state: State, model: int, until_ns: int) -> None:
    """Count as violations the frames of a model that passed their deadline unresolved.

    Args:
        problem: The problem.
        state: The state.
        model: The model.
        until_ns: Deadlines up to this time, inclusive, are judged.
    """
    ring = state.verdict.shape[1]
    horizon_ns = state.run[0].horizon_ns
    frame = state.models[model].judged
    while True:
        deadline_ns = due_ns(problem, model, frame)
        if deadline_ns > until_ns or deadline_ns > horizon_ns:
            break
        if state.verdict[model, frame % ring] != UNDECIDED:
            state.verdict[model, frame % ring] = UNDECIDED
        elif exists(problem, state, model, frame):
            state.models[model].violations += 1
        frame += 1
    state.models[model].judged = frame


@inlined
def _record(
    state: State,
    record: Ints,
    model: int,
    frame: int,
    release_ns: int,
    deadline_ns: int,
    fate: int,
    energy_pj: int,
) -> None:
    if len(record) > 0:
        row = record[state.run[0].frame_rows]
        row[0] = model
        row[1] = frame
        row[2] = release_ns
        row[3] = deadline_ns
        row[4] = state.run[0].now_ns
        row[5] = fate
        row[6] = energy_pj
        state.run[0].frame_rows += 1
