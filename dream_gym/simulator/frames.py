"""The life of a frame: which frames exist, when they are released, and how they end."""

from __future__ import annotations

from dream_gym.jit import compiled, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import (
    FRAME_ROWS,
    FREE,
    HORIZON_NS,
    LIVE,
    LOST,
    MET,
    NEVER,
    NOW_NS,
    SEED,
    SERIAL,
    UNDECIDED,
    State,
)
from dream_gym.workload import chance

COMPLETED, DROPPED, DISPLACED, EXPIRED, PARENT_LOST, UNFINISHED = range(6)
"""The fates of a frame; all but the first are losses."""

FATES = ("completed", "dropped", "displaced", "expired", "parent lost", "unfinished")

FRAME_COLUMNS = ("model", "frame", "release_ns", "deadline_ns", "end_ns", "fate", "energy_pj")
"""Columns of the record of frames."""

NEVER_RELEASED = -1
"""The release in the record of a frame that never was."""


@inlined
def nominal_ns(problem: Problem, model: int, frame: int) -> int:
    """Nominal time of a frame: phase + floor(frame × period of its model), exactly.

    For a dependent it is the nominal time of the root frame that it stems from, because its
    period is a whole multiple of the root's.
    """
    return (
        problem.phase_ns[model]
        + frame * problem.period_quotient_ns[model]
        + frame * problem.period_remainder[model] // problem.period_divisor[model]
    )


@compiled
def exists(problem: Problem, state: State, model: int, frame: int) -> bool:
    """Whether a frame is part of the run: due within the horizon, and triggered by the draws."""
    horizon_ns = state.scalar[HORIZON_NS]
    while True:
        if nominal_ns(problem, model, frame) + problem.deadline_ns[model] > horizon_ns:
            return False
        if problem.parent[model] == NONE:
            return True
        word = chance.draw(state.scalar[SEED], chance.TRIGGER, model, frame, 0)
        if not chance.happens(word, problem.trigger_threshold[model]):
            return False
        frame *= problem.parent_ratio[model]
        model = problem.parent[model]


@compiled
def schedule_release(problem: Problem, state: State, model: int) -> None:
    """Draw the release of a root's next frame."""
    frame = state.next_frame[model]
    if not exists(problem, state, model, frame):
        state.next_release_ns[model] = NEVER
        return
    word = chance.draw(state.scalar[SEED], chance.JITTER, model, frame, 0)
    jitter_ns = chance.uniform_integer(word, problem.jitter_ns[model])
    state.next_release_ns[model] = nominal_ns(problem, model, frame) + jitter_ns


@compiled
def release(
    problem: Problem, state: State, record: Ints, model: int, frame: int, nominal: int
) -> None:
    """Put a frame in a slot, behind all that were released before it; displace if too many wait."""
    now_ns = state.scalar[NOW_NS]
    state.scalar[FREE] -= 1
    slot = state.free[state.scalar[FREE]]
    state.scalar[SERIAL] += 1
    state.serial[slot] = state.scalar[SERIAL]
    state.model[slot] = model
    state.frame[slot] = frame
    state.nominal_ns[slot] = nominal
    state.release_ns[slot] = now_ns
    state.deadline_ns[slot] = nominal + problem.deadline_ns[model]
    state.layer[slot] = problem.first_layer[model]
    state.ready_since_ns[slot] = now_ns
    state.executing[slot] = 0
    state.last_accelerator[slot] = NONE
    state.frame_energy_pj[slot] = 0
    at = state.scalar[LIVE]
    while at > 0 and _comes_before(state, slot, state.live[at - 1]):
        state.live[at] = state.live[at - 1]
        at -= 1
    state.live[at] = slot
    state.scalar[LIVE] += 1
    state.waiting[model] += 1
    if state.waiting[model] > problem.backlog_limit[model]:
        lose(problem, state, record, _oldest_waiting(state, model), DISPLACED)


@inlined
def _comes_before(state: State, slot: int, other: int) -> bool:
    if state.release_ns[slot] != state.release_ns[other]:
        return bool(state.release_ns[slot] < state.release_ns[other])
    if state.model[slot] != state.model[other]:
        return bool(state.model[slot] < state.model[other])
    return bool(state.frame[slot] < state.frame[other])


@compiled
def _oldest_waiting(state: State, model: int) -> int:
    oldest = NONE
    for at in range(state.scalar[LIVE]):
        slot = state.live[at]
        if (
            state.model[slot] == model
            and state.executing[slot] == 0
            and (oldest == NONE or state.frame[slot] < state.frame[oldest])
        ):
            oldest = slot
    return oldest


@compiled
def complete(problem: Problem, state: State, record: Ints, slot: int) -> None:
    """Account for a frame that has run its last layer; its slot is freed by the caller."""
    model = state.model[slot]
    state.completed[model] += 1
    state.completed_energy_pj[model] += state.frame_energy_pj[slot]
    _leave(state, slot)
    _resolve_in_time(problem, state, model, state.frame[slot], MET)
    _record(
        state,
        record,
        model,
        state.frame[slot],
        state.release_ns[slot],
        state.deadline_ns[slot],
        COMPLETED,
        state.frame_energy_pj[slot],
    )


@compiled
def lose(problem: Problem, state: State, record: Ints, slot: int, fate: int) -> None:
    """Lose a live frame that waits, and with it all frames that it would have triggered."""
    _leave(state, slot)
    model, frame = state.model[slot], state.frame[slot]
    _count_loss(
        problem,
        state,
        record,
        model,
        frame,
        state.release_ns[slot],
        state.deadline_ns[slot],
        fate,
        state.frame_energy_pj[slot],
    )
    free_slot(state, slot)
    lose_descendants(problem, state, record, model, frame)


@compiled
def lose_descendants(problem: Problem, state: State, record: Ints, model: int, frame: int) -> None:
    """Lose the frames, never released, that a lost frame would have triggered."""
    for child in range(len(problem.first_layer)):
        ratio = problem.descent[model, child]
        if ratio > 0 and frame % ratio == 0 and exists(problem, state, child, frame // ratio):
            _lose_unreleased(problem, state, record, child, frame // ratio, PARENT_LOST)


@compiled
def lose_pending_root(problem: Problem, state: State, record: Ints, model: int) -> None:
    """Lose a root's next frame, which the horizon overtook before its release."""
    frame = state.next_frame[model]
    _lose_unreleased(problem, state, record, model, frame, UNFINISHED)
    lose_descendants(problem, state, record, model, frame)
    state.next_frame[model] += 1
    schedule_release(problem, state, model)


@compiled
def _lose_unreleased(
    problem: Problem, state: State, record: Ints, model: int, frame: int, fate: int
) -> None:
    deadline_ns = nominal_ns(problem, model, frame) + problem.deadline_ns[model]
    _count_loss(problem, state, record, model, frame, NEVER_RELEASED, deadline_ns, fate, 0)


@inlined
def free_slot(state: State, slot: int) -> None:
    """Give a slot back."""
    state.serial[slot] = 0
    state.free[state.scalar[FREE]] = slot
    state.scalar[FREE] += 1


@inlined
def _leave(state: State, slot: int) -> None:
    if state.executing[slot] == 0:
        state.waiting[state.model[slot]] -= 1
    at = 0
    while state.live[at] != slot:
        at += 1
    state.scalar[LIVE] -= 1
    for after in range(at, state.scalar[LIVE]):
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
    state.lost[model] += 1
    if _resolve_in_time(problem, state, model, frame, LOST):
        state.violations[model] += 1
    _record(state, record, model, frame, release_ns, deadline_ns, fate, energy_pj)


@compiled
def _resolve_in_time(
    problem: Problem, state: State, model: int, frame: int, verdict: int
) -> bool:
    """Note how a frame was resolved, unless its deadline has been judged already."""
    judge(problem, state, model, state.scalar[NOW_NS] - 1)
    if frame < state.judged[model]:
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
    horizon_ns = state.scalar[HORIZON_NS]
    frame = state.judged[model]
    while True:
        deadline_ns = nominal_ns(problem, model, frame) + problem.deadline_ns[model]
        if deadline_ns > until_ns or deadline_ns > horizon_ns:
            break
        if state.verdict[model, frame % ring] != UNDECIDED:
            state.verdict[model, frame % ring] = UNDECIDED
        elif exists(problem, state, model, frame):
            state.violations[model] += 1
        frame += 1
    state.judged[model] = frame


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
        row = record[state.scalar[FRAME_ROWS]]
        row[0] = model
        row[1] = frame
        row[2] = release_ns
        row[3] = deadline_ns
        row[4] = state.scalar[NOW_NS]
        row[5] = fate
        row[6] = energy_pj
        state.scalar[FRAME_ROWS] += 1
