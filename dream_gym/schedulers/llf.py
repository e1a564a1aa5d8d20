"""Least laxity first: the frame that can afford to wait least.

Laxity is deadline - now - remaining latency with every layer where it is fastest; now is the same
for all frames and left out.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.ordering import make_ordered
from dream_gym.schedulers.placement import IdlePlacement
from dream_gym.simulator import Problem, State


@inlined
def latest_start(problem: Problem, state: State, slot: int) -> int:
    """The key: the latest time at which the frame must continue to be in time."""
    layer = state.slots[slot].layer
    return int(state.slots[slot].deadline_ns - problem.layers[layer].least_remaining_ns)


LLF = BuiltinScheduler(
    "llf", make_ordered(latest_start), IdlePlacement, family="rule", label="least laxity first"
)
