"""Dysta: the least weighted sum of work left, slack to spare and waiting.

After "Sparse-DySta: Sparsity-Aware Dynamic and Static Scheduling for Sparse Multi-DNN Workloads"
(MICRO 2023) and its public code: the frame with the least

    remaining + WEIGHT × (max(0, slack - remaining) + (idle / isolated) / waiting frames)

goes to the fastest idle accelerator. Remaining is the mean latency of the layers left, idle the
time since the frame last ran, isolated its time alone on the platform; times are in ms. Adapted: it
serves several accelerators, and its predictor of sparse latencies has nothing to predict here.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.measures import isolated_ns
from dream_gym.schedulers.placement import any_idle, fastest_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait
from dream_gym.units import NS_PER_MS

WEIGHT = 0.01


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the frame with the least score."""
    if not any_idle(state):
        return wait()
    now_ns = state.run[0].now_ns
    waiting = 0
    for model in range(len(state.models)):
        waiting += state.models[model].waiting
    best, best_score = NONE, 0.0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing:
            continue
        togo_ns = problem.layers[state.slots[slot].layer].remaining_latency_ns
        remaining = togo_ns / len(state.accelerators) / NS_PER_MS
        slack = (state.slots[slot].deadline_ns - now_ns) / NS_PER_MS
        idle_ns = now_ns - state.slots[slot].ready_since_ns
        penalty = idle_ns / isolated_ns(problem, state, slot) / waiting
        score = remaining + WEIGHT * (max(0.0, slack - remaining) + penalty)
        if best == NONE or score < best_score:
            best, best_score = slot, score
    if best == NONE:
        return wait()
    return dispatch(best, fastest_idle(problem, state, state.slots[best].layer))


DYSTA = BuiltinScheduler(
    "dysta", decide, family="rival", label="Dysta: by slack, work left and waiting"
)
