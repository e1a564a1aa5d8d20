"""The begin and the end of a run, in pieces between which Python may interrupt it."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, entry_point
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.frames import UNFINISHED, judge, lose, lose_pending_root, schedule_release
from dream_gym.simulator.problem import NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import NEVER, STATE, State, view_state_compiled
from dream_gym.simulator.worlds import (
    count_frames,
    drawn_release_ns,
    due_ns,
    is_triggered,
    nominal_ns,
)

_DIMENSIONS = len(STATE.dimensions)
"""The first words of a state; parameters and plan come next, and a reset keeps all three."""


@entry_point("engine")
def begin(problem_arena: Ints, state_arena: Ints, seed: int, horizon_ns: int) -> None:
    """Reset a state to the start of a run, but for the number of frames, see `count`.

    Args:
        problem_arena: The problem.
        state_arena: The state; the scheduler's parameters stay.
        seed: Seed of the world, in [0, 2^63).
        horizon_ns: End of the run.
    """
    _begin_uncounted(problem_arena, state_arena, seed, horizon_ns)


@entry_point("engine")
def count(problem_arena: Ints, state_arena: Ints, cursor: Ints, most: int) -> bool:
    """Count the frames of a run that has begun; return whether any are left to look at.

    Args:
        problem_arena: The problem.
        state_arena: The state.
        cursor: [2] stream and frame to go on with; zeros at the first call, and then kept.
        most: How many frames of each stream to look at.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    while cursor[0] < len(problem.streams):
        stream = cursor[0]
        found, frame = count_frames(problem, state, stream, cursor[1], most)
        state.models[problem.streams[stream].model].frames += found
        if frame != NONE:
            cursor[1] = frame
            return True
        cursor[0] += 1
        cursor[1] = 0
    return False


@compiled
def begin_run(problem_arena: Ints, state_arena: Ints, seed: int, horizon_ns: int) -> None:
    """`begin` and `count` for compiled code."""
    _begin_uncounted(problem_arena, state_arena, seed, horizon_ns)
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    for stream in range(len(problem.streams)):
        found, _ = count_frames(problem, state, stream, 0, NEVER)
        state.models[problem.streams[stream].model].frames += found


@compiled
def _begin_uncounted(problem_arena: Ints, state_arena: Ints, seed: int, horizon_ns: int) -> None:
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    kept = _DIMENSIONS + len(state.parameter) + len(state.plan)
    for word in range(kept, len(state_arena)):
        state_arena[word] = 0
    state.run[0].seed = seed
    state.run[0].horizon_ns = horizon_ns
    slots = len(state.free)
    state.run[0].free_count = slots
    for at in range(slots):
        state.free[at] = slots - 1 - at
    for accelerator in range(len(state.accelerators)):
        state.accelerators[accelerator].busy_until_ns = NEVER
    for stream in range(len(problem.streams)):
        state.streams[stream].next_release_ns = NEVER
        if problem.streams[stream].parent == NONE:
            schedule_release(problem, state, stream)


@entry_point("engine")
def judge_some(problem_arena: Ints, state_arena: Ints, most: int) -> bool:
    """Judge deadlines before the horizon, when it has come; return whether any are left.

    Args:
        problem_arena: The problem.
        state_arena: The state.
        most: How many deadlines of each stream to judge, but for recorded ones.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    left = False
    for stream in range(len(problem.streams)):
        until_ns = state.run[0].horizon_ns - 1
        from_ns = state.streams[stream].judged_due_ns
        stride_ns = problem.streams[stream].period_quotient_ns + 1
        if (until_ns - from_ns) // stride_ns > most:
            until_ns = from_ns + most * stride_ns
            left = True
        judge(problem, state, stream, until_ns)
    return left


@entry_point("engine")
def finish(problem_arena: Ints, state_arena: Ints, frames: Ints) -> None:
    """End a run at its horizon: what is unfinished is lost, and every deadline is judged."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    finish_run(problem, state, frames)


@compiled
def finish_run(problem: Problem, state: State, frames: Ints) -> None:
    """`finish` for compiled code."""
    while state.run[0].live_count > 0:
        slot = state.live[0]
        if state.slots[slot].executing:
            state.slots[slot].executing = 0
            state.models[state.slots[slot].model].waiting += 1
        lose(problem, state, frames, slot, UNFINISHED)
    for stream in range(len(problem.streams)):
        while state.streams[stream].next_release_ns != NEVER:
            lose_pending_root(problem, state, frames, stream)
    for stream in range(len(problem.streams)):
        judge(problem, state, stream, state.run[0].horizon_ns)


@entry_point("engine")
def export_frames(
    problem_arena: Ints, state_arena: Ints, stream: int, first: int, out: Ints
) -> int:
    """Write frames of a stream, as drawn, to rows of nominal time, release and trigger.

    Args:
        problem_arena: The problem.
        state_arena: A state that has begun.
        stream: The stream.
        first: The first frame to write.
        out: int64 array (rows, 3).

    Returns:
        The number of rows written: all, unless frames, triggered or not, are no more due within
        the horizon.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    for row in range(len(out)):
        frame = first + row
        if due_ns(problem, stream, frame) > state.run[0].horizon_ns:
            return row
        out[row, 0] = nominal_ns(problem, stream, frame)
        out[row, 1] = out[row, 0]
        if problem.streams[stream].parent == NONE:
            out[row, 1] = drawn_release_ns(problem, state, stream, frame)
        out[row, 2] = is_triggered(problem, state, stream, frame)
    return len(out)
