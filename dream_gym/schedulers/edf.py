"""Earliest deadline first, on the fastest idle accelerator."""

from __future__ import annotations

from dream_gym.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.placement import fastest_idle
from dream_gym.simulator import DISPATCH, LIVE, NONE, PASS, Decision, Problem, State


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the waiting frame of the earliest deadline; ties go to the earlier release."""
    earliest = NONE
    for at in range(state.scalar[LIVE]):
        slot = state.live[at]
        if state.executing[slot] == 0 and (
            earliest == NONE or state.deadline_ns[slot] < state.deadline_ns[earliest]
        ):
            earliest = slot
    if earliest == NONE:
        return Decision(PASS, NONE, NONE)
    accelerator = fastest_idle(problem, state, state.layer[earliest])
    return Decision(PASS if accelerator == NONE else DISPATCH, earliest, accelerator)


EDF = BuiltinScheduler("edf", decide)
