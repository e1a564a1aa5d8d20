"""What frames would need if they had the whole platform to themselves."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, entry_point, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import State, view_state_compiled
from dream_gym.simulator.worlds import drawn_release_ns, layer_after


@entry_point("isolation")
def export_alone(problem_arena: Ints, state_arena: Ints, frames: Ints, out: Ints) -> None:
    """Write what each frame needs at the least, and when it could end at the earliest.

    A frame alone runs every layer of its path, as drawn, where that is fastest, in the variant
    that is done first, without context switches. A dependent is released no earlier than its
    ancestors could end alone.

    Args:
        problem_arena: The problem.
        state_arena: A state that has begun.
        frames: int64 array (rows, 2) of models and of frames counted in them.
        out: int64 array (rows, 2) for the least time from release to end, and the earliest end.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    for row in range(len(frames)):
        stream = _stream_of(problem, frames[row, 0], frames[row, 1])
        frame = frames[row, 1] - problem.streams[stream].first_frame
        least_ns = _least_ns(problem, state, stream, frame)
        out[row, 0] = least_ns
        while problem.streams[stream].parent != NONE:
            frame *= problem.streams[stream].parent_ratio
            stream = problem.streams[stream].parent
            least_ns += _least_ns(problem, state, stream, frame)
        out[row, 1] = drawn_release_ns(problem, state, stream, frame) + least_ns


@inlined
def _stream_of(problem: Problem, model: int, frame: int) -> int:
    """The stream of a frame that is counted in its model."""
    found = NONE
    for stream in range(len(problem.streams)):
        given = problem.streams[stream]
        if given.model == model and given.first_frame <= frame:
            found = stream
    return found


@compiled
def _least_ns(problem: Problem, state: State, stream: int, frame: int) -> int:
    """Least time of a frame on its path, in whichever variant is fastest."""
    model = problem.streams[stream].model
    index = problem.streams[stream].first_frame + frame
    first = problem.models[model].first_network
    least_ns = _path_ns(problem, state, first, index)
    for network in range(first + 1, first + problem.models[model].networks):
        least_ns = min(least_ns, _path_ns(problem, state, network, index))
    return least_ns


@compiled
def _path_ns(problem: Problem, state: State, network: int, frame: int) -> int:
    """Time of a frame, here counted in its model, whose layers run where they are fastest."""
    given = problem.networks[network]
    if given.forks == 0:
        return int(problem.layers[given.first_layer].least_remaining_ns)
    total_ns, layer = 0, int(given.first_layer)
    while layer != NONE:
        total_ns += problem.layers[layer].least_remaining_ns
        if layer < given.last_layer:
            total_ns -= problem.layers[layer + 1].least_remaining_ns
        layer = layer_after(problem, state, layer, network, frame)
    return total_ns
