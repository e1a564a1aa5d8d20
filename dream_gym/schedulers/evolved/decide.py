"""``evolved``: each frame takes the accelerator that it scores best on, idle or busy.

Frames to choose from, their features and blocks of layers are those of `learned`, the score is an
expression. A frame whose best accelerator is busy waits for it; of the others the one with the
highest score is dispatched. There is no other choice: no frame is dropped, and an accelerator that
is some frame's best is not kept idle. While all are idle, each frame's best one is, so that no
frame starves where there is little to do. Supernets run their original network.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.evolved.machine import MOST_TOKENS, evaluate
from dream_gym.schedulers.learned.decide import (
    DROP_SCORE,
    FASTEST,
    NO_CHOICE,
    ROW,
    SLOT,
    WIDTH,
    Places,
    choose,
    ends_of,
    look,
    pair_of,
    places_of,
)
from dream_gym.schedulers.learned.describing import scale_of
from dream_gym.schedulers.learned.features import PAIR
from dream_gym.schedulers.placement import any_idle
from dream_gym.simulator import Decision, Problem, State, wait

_places_of = inlined(places_of)


def memory_of(models: int, accelerators: int) -> int:
    """How many numbers it keeps: those of `learned` without hidden units, then the stack."""
    return places_of(0, models, accelerators, False).end + MOST_TOKENS


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Look at the frames to choose from, and dispatch the one with the highest score."""
    if not any_idle(state):
        return wait()
    places = _places_of(0, len(state.models), len(state.accelerators), False)
    count = look(problem, state, state.memory, places)
    if count == 0:
        return wait()
    score(problem, state, places, count)
    return choose(problem, state, places, count, NO_CHOICE)


@compiled
def score(problem: Problem, state: State, places: Places, count: int) -> None:
    """Write the scores of all frames on all accelerators."""
    memory, accelerators, scale = state.memory, len(state.accelerators), scale_of(problem)
    pair = memory[places.pairs : places.pairs + PAIR]
    for index in range(count):
        row = places.rows + index * WIDTH
        memory[row + DROP_SCORE] = NO_CHOICE
        slot = int(memory[row + SLOT])
        least = ends_of(problem, state, slot, int(memory[row + FASTEST]), memory, places)
        for accelerator in range(accelerators):
            pair_of(problem, state, slot, accelerator, scale, memory, places, row, least, pair)
            memory[places.scores + index * accelerators + accelerator] = evaluate(
                state.parameter, memory, places.pairs, row + ROW, places.end
            )
