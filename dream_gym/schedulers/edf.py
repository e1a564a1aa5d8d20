"""Earliest deadline first, on the fastest idle accelerator."""

from __future__ import annotations

from dream_gym.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.placement import fastest_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the waiting frame of the earliest deadline; ties go to the earlier release."""
    earliest = NONE
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing == 0 and (
            earliest == NONE or state.slots[slot].deadline_ns < state.slots[earliest].deadline_ns
        ):
            earliest = slot
    if earliest == NONE:
        return wait()
    accelerator = fastest_idle(problem, state, state.slots[earliest].layer)
    return wait() if accelerator == NONE else dispatch(earliest, accelerator)


EDF = BuiltinScheduler("edf", decide)
