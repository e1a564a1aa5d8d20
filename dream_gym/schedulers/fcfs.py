"""First come, first served: the oldest release first, on the fastest idle accelerator."""

from __future__ import annotations

from dream_gym.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.placement import fastest_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the waiting frame of the earliest release; live frames are in that order."""
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing == 0:
            accelerator = fastest_idle(problem, state, state.slots[slot].layer)
            return wait() if accelerator == NONE else dispatch(slot, accelerator)
    return wait()


FCFS = BuiltinScheduler("fcfs", decide)
