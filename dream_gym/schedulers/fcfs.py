"""First come, first served: the oldest release first."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.ordering import make_ordered
from dream_gym.schedulers.placement import IdlePlacement
from dream_gym.simulator import Problem, State


@inlined
def release(problem: Problem, state: State, slot: int) -> int:
    """The key: when the frame was released."""
    return int(state.slots[slot].release_ns)


FCFS = BuiltinScheduler(
    "fcfs", make_ordered(release), IdlePlacement, family="rule", label="first come, first served"
)
