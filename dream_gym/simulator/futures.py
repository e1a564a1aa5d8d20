"""Another future of a run: what has been revealed stays, and everything else is drawn again.

So a planner may play on from a state without knowing what will come. Revealed are the frames that
were released, with their jitter; the layers that they have run; whether a frame has triggered its
dependents, once it has ended; and that a frame is not released yet. All draws are independent of
each other, so what is drawn again is distributed as it is given all that is revealed. The numbers
of frames of the whole run, by which UXCost divides, stay as they are.

Releases and triggers of a recording are no draws, and stay.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.frames import frame_in_stream, judge_all
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import EXISTS, MET, NEVER, UNDECIDED, State
from dream_gym.simulator.worlds import due_ns, exists, nominal_ns
from dream_gym.workload import chance


@compiled
def redraw(problem: Problem, state: State, seed: int) -> None:
    """Give a state, at a decision point, the future of another seed.

    Args:
        problem: The problem.
        state: A copy of the state of a run; it may be played on, but is of no run any more.
        seed: The other seed, in [0, 2^63).
    """
    judge_all(problem, state)  # by the run's own seed: it is about the past
    _recount(problem, state, -1)
    state.run[0].seed = seed
    _recount(problem, state, 1)
    for stream in range(len(problem.streams)):
        if problem.streams[stream].parent != NONE:
            _rule_out(problem, state, stream)
        elif state.streams[stream].next_release_ns != NEVER:
            _redraw_release(problem, state, stream)
    for at in range(state.run[0].live_count):
        _note_line(problem, state, state.live[at])


@inlined
def _recount(problem: Problem, state: State, sign: int) -> None:
    """Add to the violations, or take off, descendants of live frames whose deadlines have passed.

    They are counted then, if the seed says that they will be triggered, though it is not revealed.
    """
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        stream, frame = state.slots[slot].stream, frame_in_stream(problem, state, slot)
        for child in range(len(problem.streams)):
            ratio = problem.descent[stream, child]
            if ratio > 0 and frame % ratio == 0 and frame // ratio < state.streams[child].judged:
                late = exists(problem, state, child, frame // ratio, stream)
                state.models[problem.streams[child].model].violations += sign * late


@inlined
def _redraw_release(problem: Problem, state: State, stream: int) -> None:
    """Draw the release of a root's next frame among the times that have not passed.

    Of the later frames no time has passed, since jitter is below the period.
    """
    given, frame = problem.streams[stream], state.streams[stream].next_frame
    if given.recorded_first != NONE:
        return
    nominal = nominal_ns(problem, stream, frame)
    least_ns = max(int(state.run[0].now_ns + 1 - nominal), 0)
    index = given.first_frame + frame
    word = chance.draw(state.run[0].seed, chance.JITTER, given.model, index, 0)
    jitter_ns = least_ns + int(chance.uniform_integer(word, given.jitter_ns - least_ns))
    state.streams[stream].next_release_ns = nominal + jitter_ns


@inlined
def _rule_out(problem: Problem, state: State, stream: int) -> None:
    """Note of a dependent's frames that they do not exist, where they are undecided so far.

    It is of those whose roots were released; `_note_line` then says which of them do exist.
    """
    given, ring = problem.streams[stream], state.verdict.shape[1]
    frame = state.streams[stream].judged
    while (
        frame * given.root_ratio < state.streams[given.root].next_frame
        and due_ns(problem, stream, frame) <= state.run[0].horizon_ns
    ):
        if state.verdict[stream, frame % ring] == UNDECIDED:
            state.verdict[stream, frame % ring] = MET
        frame += 1


@inlined
def _note_line(problem: Problem, state: State, slot: int) -> None:
    """Note of a live frame, and of its descendants as they are now drawn, that they exist."""
    stream, frame = state.slots[slot].stream, frame_in_stream(problem, state, slot)
    _note(state, stream, frame)
    for child in range(len(problem.streams)):
        ratio = problem.descent[stream, child]
        if ratio > 0 and frame % ratio == 0:
            index = frame // ratio
            if exists(problem, state, child, index, stream):
                _note(state, child, index)


@inlined
def _note(state: State, stream: int, frame: int) -> None:
    if frame >= state.streams[stream].judged:
        state.verdict[stream, frame % state.verdict.shape[1]] = EXISTS
