"""The world of a seed: which frames exist, when they are released, and which path they take.

Here and in `frames`, a frame is counted in its stream.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.problem import FAR_NS, NONE, Problem
from dream_gym.simulator.state import State
from dream_gym.workload import chance


@inlined
def nominal_ns(problem: Problem, stream: int, frame: int) -> int:
    """Nominal time of a frame, which is that of the root frame that it stems from.

    It is recorded, or else first + floor(frame × period of the stream), exactly: the period of a
    dependent is a whole multiple of its root's. It is `FAR_NS` behind the last frame.
    """
    given = problem.streams[stream]
    if frame >= given.frames:
        return FAR_NS
    root = problem.streams[given.root]
    if root.recorded_first != NONE:
        return int(problem.recorded[root.recorded_first + frame * given.root_ratio].nominal_ns)
    fraction_ns = frame * given.period_remainder // given.period_divisor
    return int(given.first_ns + frame * given.period_quotient_ns + fraction_ns)


@inlined
def due_ns(problem: Problem, stream: int, frame: int) -> int:
    """Deadline of a frame."""
    return nominal_ns(problem, stream, frame) + int(problem.streams[stream].deadline_ns)


@inlined
def is_triggered(problem: Problem, state: State, stream: int, frame: int) -> bool:
    """Whether a frame exists, given that its parent does; recorded, or else drawn."""
    given = problem.streams[stream]
    if given.recorded_first != NONE:
        if frame >= given.recorded_frames:
            return False
        return bool(problem.recorded[given.recorded_first + frame].triggered)
    if given.parent == NONE:
        return True
    index = given.first_frame + frame
    word = chance.draw(state.run[0].seed, chance.TRIGGER, given.model, index, 0)
    return chance.happens(word, given.trigger_threshold)


@inlined
def drawn_release_ns(problem: Problem, state: State, stream: int, frame: int) -> int:
    """Release of a root frame; recorded, or else its nominal time and a drawn jitter."""
    given = problem.streams[stream]
    if given.recorded_first != NONE:
        return int(problem.recorded[given.recorded_first + frame].release_ns)
    index = given.first_frame + frame
    word = chance.draw(state.run[0].seed, chance.JITTER, given.model, index, 0)
    jitter_ns = chance.uniform_integer(word, given.jitter_ns)
    return nominal_ns(problem, stream, frame) + int(jitter_ns)


@compiled
def exists(problem: Problem, state: State, stream: int, frame: int, given: int) -> bool:
    """Whether a frame is part of the run: it and its ancestors are triggered and due in time.

    Args:
        problem: The problem.
        state: The state.
        stream: The stream.
        frame: The frame.
        given: Stream of an ancestor that is known to be part of it, `NONE` where none is. What is
            known is not drawn again, see `futures.redraw`.
    """
    while stream != given:
        if due_ns(problem, stream, frame) > state.run[0].horizon_ns:
            return False
        if not is_triggered(problem, state, stream, frame):
            return False
        frame *= problem.streams[stream].parent_ratio
        stream = problem.streams[stream].parent  # `NONE` behind a root
    return True


@compiled
def count_frames(
    problem: Problem, state: State, stream: int, frame: int, most: int
) -> tuple[int, int]:
    """Number of frames of a stream that are part of the run, from one on, and where to go on.

    Args:
        problem: The problem.
        state: The state.
        stream: The stream.
        frame: The first frame to look at.
        most: How many to look at; all roots that are drawn are counted at once.

    Returns:
        The number, and the first frame that was not looked at, `NONE` where there are no more.
    """
    given = problem.streams[stream]
    horizon_ns = state.run[0].horizon_ns
    if given.parent == NONE and given.recorded_first == NONE:
        # All are part of it. No period is longer than its quotient + 1, so a stride passes none.
        due = due_ns(problem, stream, frame)
        while due <= horizon_ns:
            frame += max((horizon_ns - due) // (given.period_quotient_ns + 1), 1)
            due = due_ns(problem, stream, frame)
        return min(frame, given.frames), NONE
    count, end = 0, frame + most
    while due_ns(problem, stream, frame) <= horizon_ns:
        if frame == end:
            return count, frame
        count += exists(problem, state, stream, frame, NONE)
        frame += 1
    return count, NONE


@inlined
def leaves_after(problem: Problem, state: State, layer: int, model: int, frame: int) -> bool:
    """Whether a frame, here counted in its model, is complete after a layer by an early exit."""
    given = problem.layers[layer]
    if given.exit_threshold == 0:
        return False
    word = chance.draw(state.run[0].seed, chance.EXIT, model, frame, given.exit_index)
    return chance.happens(word, given.exit_threshold)


@compiled
def layer_after(problem: Problem, state: State, layer: int, network: int, frame: int) -> int:
    """The layer that a frame, here counted in its model, runs after another; `NONE` at its end."""
    model, last = problem.networks[network].model, problem.networks[network].last_layer
    if leaves_after(problem, state, layer, model, frame):
        return NONE
    layer += 1
    while layer <= last and problem.layers[layer].skip_threshold > 0:
        given = problem.layers[layer]
        word = chance.draw(state.run[0].seed, chance.SKIP, model, frame, given.skip_index)
        if not chance.happens(word, given.skip_threshold):
            break
        layer = given.skip_to
    return layer if layer <= last else NONE


@compiled
def path_energy_pj(problem: Problem, state: State, network: int, frame: int) -> int:
    """Energy of a frame, here counted in its model, whose layers run where they need least."""
    if problem.networks[network].forks == 0:
        return int(problem.networks[network].best_energy_pj)
    energy_pj, layer = 0, int(problem.networks[network].first_layer)
    while layer != NONE:
        energy_pj += problem.layers[layer].least_energy_pj
        layer = layer_after(problem, state, layer, network, frame)
    return energy_pj


@compiled
def latest_stream(problem: Problem, model: int, now_ns: int) -> int:
    """The stream of a model in the present phase, else in the last before, else its first."""
    found = NONE
    for stream in range(len(problem.streams)):
        given = problem.streams[stream]
        if given.model == model and (
            found == NONE or problem.phase_starts_ns[given.phase] <= now_ns
        ):
            found = stream
    return found
