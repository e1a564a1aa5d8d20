"""Earliest deadline first."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.ordering import make_ordered
from dream_gym.schedulers.placement import IdlePlacement
from dream_gym.simulator import Problem, State


@inlined
def deadline(problem: Problem, state: State, slot: int) -> int:
    """The key: when the frame is due."""
    return int(state.slots[slot].deadline_ns)


EDF = BuiltinScheduler(
    "edf", make_ordered(deadline), IdlePlacement, family="rule", label="earliest deadline first"
)
