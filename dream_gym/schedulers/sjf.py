"""Shortest job first: the frame with the least mean latency left, by layers not yet run."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.ordering import make_ordered
from dream_gym.schedulers.placement import IdlePlacement
from dream_gym.simulator import Problem, State


@inlined
def remaining(problem: Problem, state: State, slot: int) -> int:
    """The key: ToGo, as a sum over accelerators, which orders as the mean does."""
    return int(problem.layers[state.slots[slot].layer].remaining_latency_ns)


SJF = BuiltinScheduler(
    "sjf", make_ordered(remaining), IdlePlacement, family="rule", label="shortest job first"
)
