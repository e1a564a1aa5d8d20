"""Schedulers that order the waiting frames by a key and place them by a rule."""

from __future__ import annotations

from collections.abc import Callable

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.placement import PLACEMENT, any_idle, place
from dream_gym.simulator import NONE, Decide, Decision, Problem, State, dispatch, wait

Key = Callable[[Problem, State, int], float]
"""The key of a slot; compiled."""


def make_ordered(key: Key) -> Decide:
    """The decision to dispatch the frame with the least key among those that can be placed.

    Ties go to the earlier release, then to the lower model and frame, which is the order of the
    live frames. The first parameter is the placement.
    """

    @inlined
    def decide(problem: Problem, state: State) -> Decision:
        if not any_idle(state):
            return wait()
        rule = int(state.parameter[PLACEMENT])
        chosen, chosen_accelerator = NONE, NONE
        least = key(problem, state, 0)  # only for the type, int or float
        for at in range(state.run[0].live_count):
            slot = state.live[at]
            if state.slots[slot].executing:
                continue
            own = key(problem, state, slot)
            if chosen == NONE or own < least:
                accelerator = place(problem, state, state.slots[slot].layer, rule)
                if accelerator != NONE:
                    chosen, chosen_accelerator, least = slot, accelerator, own
        return wait() if chosen == NONE else dispatch(chosen, chosen_accelerator)

    return decide
