"""MoCA: a score of priority, waiting and urgency.

After "MoCA: Memory-Centric, Adaptive Execution for Multi-Tenant Deep Neural Networks" (HPCA 2023)
and its public code; adapted for layer-granular dispatch on fixed heterogeneous accelerators. The
frame with the highest

    priority + time since its release / its isolated time + 10 × ToGo / slack

goes to the fastest idle accelerator; slack counts as at least 1 µs. All models have priority 1, as
UXCost weighs them alike. MoCA's throttling of memory traffic is not part of a dispatch, so it is
left out.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.dream.scoring import LEAST_SLACK_NS
from dream_gym.schedulers.measures import isolated_ns
from dream_gym.schedulers.placement import any_idle, fastest_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait

PRIORITY = 1.0
URGENCY_WEIGHT = 10.0


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the frame with the highest score."""
    if not any_idle(state):
        return wait()
    now_ns = state.run[0].now_ns
    best, best_score = NONE, 0.0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing:
            continue
        togo_ns = problem.layers[state.slots[slot].layer].remaining_latency_ns
        slack_ns = max(state.slots[slot].deadline_ns - now_ns, LEAST_SLACK_NS)
        urgency = togo_ns / len(state.accelerators) / slack_ns
        waited_ns = now_ns - state.slots[slot].release_ns
        score = PRIORITY + waited_ns / isolated_ns(problem, state, slot) + URGENCY_WEIGHT * urgency
        if best == NONE or score > best_score:
            best, best_score = slot, score
    if best == NONE:
        return wait()
    return dispatch(best, fastest_idle(problem, state, state.slots[best].layer))


MOCA = BuiltinScheduler(
    "moca", decide, family="rival", label="MoCA: by priority, waiting and urgency"
)
