"""Events in their order: what happens at an instant, and what a decision changes."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.bandwidth import bring_up_to_date, next_start_ns, share
from dream_gym.simulator.decision import DROP, Decision
from dream_gym.simulator.dispatching import start
from dream_gym.simulator.frames import (
    DROPPED,
    EXPIRED,
    complete,
    frame_in_stream,
    free_slot,
    lose,
    release,
    schedule_release,
)
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import NEVER, State
from dream_gym.simulator.worlds import exists, layer_after, nominal_ns


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
            if exists(problem, state, child, index, stream):
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
