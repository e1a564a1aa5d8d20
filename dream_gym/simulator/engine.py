"""The engine: events in their order, and the decisions that a scheduler takes between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dream_gym.compiling.jit import compiled, entry_point, inlined
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.bandwidth import bring_up_to_date, next_start_ns, share
from dream_gym.simulator.decision import DROP, PASS, Decide, Decision
from dream_gym.simulator.dispatching import start
from dream_gym.simulator.frames import (
    DROPPED,
    EXPIRED,
    UNFINISHED,
    complete,
    frame_in_stream,
    free_slot,
    judge,
    lose,
    lose_pending_root,
    release,
    schedule_release,
)
from dream_gym.simulator.problem import NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import MAX_PARAMETERS, NEVER, STATE, State, view_state_compiled
from dream_gym.simulator.worlds import (
    count_frames,
    drawn_release_ns,
    due_ns,
    exists,
    is_triggered,
    layer_after,
    nominal_ns,
)

Run = Callable[[Ints, Ints, Ints, Ints, int, int], int]
"""The loop around one scheduler, see `make_run`."""

DONE, MORE, IMPOSSIBLE = range(3)
"""Why the loop returned: the time, as many events as asked for, or a wrong decision."""


_KEPT = len(STATE.dimensions) + MAX_PARAMETERS
"""The first words of a state: dimensions and parameters, which a reset keeps, as it does the plan,
which comes next."""


class Engine(NamedTuple):
    """What takes a run forward.

    Args:
        run: The loop.
        prepare: Works out, before a run, one number for each layer of a problem, from it and the
            scheduler's parameters.
    """

    run: Run
    prepare: Callable[[Problem, Floats], Ints] | None = None


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
    for word in range(_KEPT + len(state.plan), len(state_arena)):
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


@inlined
def advance(problem: Problem, state: State, timeline: Ints, frames: Ints, until_ns: int) -> bool:
    """Let time pass to the next instant; return whether that comes before a time.

    If the next instant is the time itself, what happens then happens, and the decision stays due.
    """
    event_ns = _next_event_ns(problem, state)
    if problem.setting[0].contention:
        start_ns = next_start_ns(state)
        if start_ns < event_ns and start_ns <= until_ns:
            # What only starts is nothing that a scheduler is asked about.
            state.run[0].now_ns = start_ns
            bring_up_to_date(problem, state)
            share(problem, state, timeline)
            return True
    if event_ns > until_ns:
        state.run[0].now_ns = until_ns
        return False
    state.run[0].now_ns = event_ns
    _process_events(problem, state, timeline, frames)
    state.run[0].decision_due = 1
    return bool(event_ns < until_ns)


@inlined
def _next_event_ns(problem: Problem, state: State) -> int:
    event_ns = NEVER
    for accelerator in range(len(state.accelerators)):
        event_ns = min(event_ns, state.accelerators[accelerator].busy_until_ns)
    for stream in range(len(state.streams)):
        event_ns = min(event_ns, state.streams[stream].next_release_ns)
    if problem.setting[0].firm:
        for at in range(state.run[0].live_count):
            slot = state.live[at]
            if state.slots[slot].executing == 0:
                event_ns = min(event_ns, state.slots[slot].deadline_ns)
    return event_ns


@inlined
def _process_events(problem: Problem, state: State, timeline: Ints, frames: Ints) -> None:
    """All that happens at this instant before the scheduler is asked."""
    now_ns = state.run[0].now_ns
    ended, finished = 0, 0
    for accelerator in range(len(state.accelerators)):
        if state.accelerators[accelerator].busy_until_ns == now_ns:
            if ended == 0 and problem.setting[0].contention:
                bring_up_to_date(problem, state)
            ended += 1
            if _end_dispatch(problem, state, frames, accelerator):
                state.accelerators[finished].finished = state.accelerators[accelerator].slot
                finished += 1
    if problem.setting[0].contention and (ended > 0 or next_start_ns(state) == now_ns):
        bring_up_to_date(problem, state)
        share(problem, state, timeline)
    for index in range(finished):
        slot = state.accelerators[index].finished
        _release_dependents(problem, state, frames, slot)
        free_slot(state, slot)
    for stream in range(len(state.streams)):
        # Two frames of a stream come at once where jitter is the whole part of a broken period.
        while state.streams[stream].next_release_ns == now_ns:
            _release_root(problem, state, frames, stream)
    if problem.setting[0].firm:
        at = 0
        while at < state.run[0].live_count:
            slot = state.live[at]
            if state.slots[slot].executing == 0 and state.slots[slot].deadline_ns <= now_ns:
                lose(problem, state, frames, slot, EXPIRED)
            else:
                at += 1


@inlined
def _end_dispatch(problem: Problem, state: State, frames: Ints, accelerator: int) -> bool:
    """Take a frame off its accelerator; return whether it is complete."""
    now_ns = state.run[0].now_ns
    run = state.accelerators[accelerator]
    run.busy_until_ns = NEVER
    run.busy_ns += now_ns - run.busy_since_ns
    slot = run.slot
    model, network = state.slots[slot].model, state.slots[slot].network
    state.slots[slot].executing = 0
    state.models[model].waiting += 1
    if problem.setting[0].firm and state.slots[slot].deadline_ns < now_ns:
        lose(problem, state, frames, slot, EXPIRED)
        return False
    layer = run.layer + 1
    if problem.networks[network].forks > 0:
        layer = layer_after(problem, state, run.layer, network, state.slots[slot].frame)
    elif run.layer == problem.networks[network].last_layer:
        layer = NONE
    if layer == NONE:
        complete(problem, state, frames, slot)
        return True
    state.slots[slot].layer = layer
    state.slots[slot].ready_since_ns = now_ns
    return False


@compiled
def _release_dependents(problem: Problem, state: State, frames: Ints, slot: int) -> None:
    stream, frame = state.slots[slot].stream, frame_in_stream(problem, state, slot)
    for child in range(len(problem.streams)):
        ratio = problem.streams[child].parent_ratio
        if problem.streams[child].parent == stream and frame % ratio == 0:
            index = frame // ratio
            if exists(problem, state, child, index):
                release(problem, state, frames, child, index, state.slots[slot].nominal_ns)


@compiled
def _release_root(problem: Problem, state: State, frames: Ints, stream: int) -> None:
    frame = state.streams[stream].next_frame
    release(problem, state, frames, stream, frame, nominal_ns(problem, stream, frame))
    state.streams[stream].next_frame += 1
    schedule_release(problem, state, stream)


@inlined
def apply_decision(
    problem: Problem, state: State, timeline: Ints, frames: Ints, decision: Decision
) -> bool:
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
        or not 0 <= decision.variant < problem.models[state.slots[slot].model].networks
        or decision.layers < 1
    ):
        return False
    start(problem, state, timeline, decision)
    return True
