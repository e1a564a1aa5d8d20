"""Planaria: each frame gets the least resources with which it meets its deadline.

After "Planaria: Dynamic Architecture Fission for Spatial Multi-Tenant Acceleration of Deep Neural
Networks" (MICRO 2020) and its public code; adapted for layer-granular dispatch on fixed
heterogeneous accelerators, where a frame takes one accelerator for a layer and none can be split or
joined. A frame needs 1 accelerator if some accelerator could run all its remaining layers within
its slack; it needs all of them if only the fastest accelerator for each layer could; otherwise it
is infeasible. Feasible frames come first, by priority / (slack × need), then infeasible ones by
priority / remaining time. All models have priority 1, as UXCost weighs them alike. Among the idle
accelerators that could run all its remaining layers within its slack, a frame's next layer takes
the one that needs least energy for the layer; if there is none, it takes the fastest idle one.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.placement import any_idle, fastest_idle, is_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the first frame in Planaria's order."""
    if not any_idle(state):
        return wait()
    chosen, chosen_infeasible, chosen_key = NONE, 0, 0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing:
            continue
        infeasible, key = _order(problem, state, slot)
        if (
            chosen == NONE
            or infeasible < chosen_infeasible
            or (infeasible == chosen_infeasible and key < chosen_key)
        ):
            chosen, chosen_infeasible, chosen_key = slot, infeasible, key
    if chosen == NONE:
        return wait()
    return dispatch(chosen, _cheapest(problem, state, chosen))


@compiled
def _order(problem: Problem, state: State, slot: int) -> tuple[int, int]:
    """Whether a frame is infeasible, and its key among the frames of its kind; least goes first."""
    slack_ns = state.slots[slot].deadline_ns - state.run[0].now_ns
    least_ns = problem.layers[state.slots[slot].layer].least_remaining_ns
    if least_ns > slack_ns:
        return 1, least_ns
    for accelerator in range(len(state.accelerators)):
        if _fits(problem, state, slot, accelerator):
            return 0, slack_ns
    return 0, slack_ns * len(state.accelerators)


@compiled
def _fits(problem: Problem, state: State, slot: int, accelerator: int) -> bool:
    """Whether an accelerator could run all remaining layers of a frame within its slack."""
    left_ns = state.slots[slot].deadline_ns - state.run[0].now_ns
    last = problem.networks[state.slots[slot].network].last_layer
    for layer in range(state.slots[slot].layer, last + 1):
        left_ns -= problem.costs[layer, accelerator].latency_ns
        if left_ns < 0:
            return False
    return True


@inlined
def _cheapest(problem: Problem, state: State, slot: int) -> int:
    """The idle accelerator for a frame's next layer."""
    layer, best = state.slots[slot].layer, NONE
    for accelerator in range(len(state.accelerators)):
        if (
            is_idle(state, accelerator)
            and (
                best == NONE
                or problem.costs[layer, accelerator].energy_pj
                < problem.costs[layer, best].energy_pj
            )
            and _fits(problem, state, slot, accelerator)
        ):
            best = accelerator
    return fastest_idle(problem, state, layer) if best == NONE else best


PLANARIA = BuiltinScheduler(
    "planaria", decide, family="rival", label="Planaria: the least resources that meet the deadline"
)
