"""Smart frame drop: which waiting frame may be given up, so that others can be saved."""

from __future__ import annotations

from dream_gym.jit import compiled
from dream_gym.simulator import NONE, Problem, State

DROP_CAP = 2
"""A model must have lost fewer of its last 10 resolved frames."""


@compiled
def may_drop(problem: Problem, state: State, slot: int) -> bool:
    """Conditions 1, 3 and 4 of DREAM: the waiting frame alone decides them.

    It would miss its deadline even with every layer where that is fastest; its model has lost few
    of its last resolved frames; and no model depends on its model, in any phase.
    """
    frame = state.slots[slot]
    if state.run[0].now_ns + problem.layers[frame.layer].least_remaining_ns <= frame.deadline_ns:
        return False
    losses, recent = 0, state.models[frame.model].recent_losses
    while recent > 0:
        losses += recent & 1
        recent >>= 1
    if losses >= DROP_CAP:
        return False
    for stream in range(len(problem.streams)):
        parent = problem.streams[stream].parent
        if parent != NONE and problem.streams[parent].model == frame.model:
            return False
    return True
