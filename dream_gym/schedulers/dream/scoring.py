"""MapScore, the score of a frame on an accelerator, which DREAM's schedulers share.

Reconstructed from "DREAM: A Dynamic Scheduler for Dynamic Real-time Multi-model ML Workloads"
(ASPLOS 2023, doi 10.1145/3623278.3624753); docs/fidelity.md says how sure each term is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import Options
from dream_gym.schedulers.placement import any_idle
from dream_gym.simulator import (
    NEVER,
    NONE,
    Problem,
    State,
    switch_bytes,
    switch_energy_pj,
)

LEAST_SLACK_NS = 1000
"""Slack counts as at least 1 µs, so that urgency stays finite."""

NO_LIMIT = 8.0
"""The patience at which a layer takes any accelerator, as in DREAM."""

ALPHA, BETA, LATE_URGENCY = range(3)
FLOOR, ONE, LAST = range(3)


class MapScoreOptions(Options):
    """Options of MapScore; the order of the fields is that of the parameters.

    Args:
        alpha: Weight of starvation, in [0, 2].
        beta: Weight of the energy preference, in [0, 2].
        late_urgency: Urgency of a frame that has reached its deadline: ``floor`` takes its slack
            as 1 µs, ``one`` takes its urgency as 1, ``last`` puts it after all frames in time.
    """

    alpha: float = Field(default=1.0, ge=0, le=2)
    beta: float = Field(default=1.0, ge=0, le=2)
    late_urgency: Literal["floor", "one", "last"] = "floor"


@inlined
def best_pair(
    problem: Problem, state: State, alpha: float, beta: float, late_rule: int, patience: float
) -> tuple[int, int]:
    """The waiting frame and the idle accelerator with the highest MapScore.

    MapScore(f, a) = urgency(f) × latency preference(f, a) + alpha × starvation(f)
    + beta × energy preference(f, a). Ties go to the earlier release, then to the lower model,
    frame and accelerator index, which is the order of the loops.

    Args:
        problem: The problem.
        state: The state.
        alpha: Weight of starvation.
        beta: Weight of the energy preference.
        late_rule: ``FLOOR``, ``ONE`` or ``LAST``.
        patience: A pair counts only if the layer's latency is at most this many times the least
            time to its end over all accelerators, including busy ones; `NO_LIMIT`: all count.

    Returns:
        Slot and accelerator, both `NONE` if no pair is left.
    """
    if not any_idle(state):
        return NONE, NONE
    now_ns = state.run[0].now_ns
    accelerators = len(state.accelerators)
    best_slot, best_accelerator, best_score, best_in_time = NONE, NONE, 0.0, False
    for model in range(len(state.models)):
        state.models[model].scratch = NONE
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing or _stands_behind(state, slot, late_rule):
            continue
        layer = state.slots[slot].layer
        sums = problem.layers[layer]
        slack_ns = state.slots[slot].deadline_ns - now_ns
        in_time = slack_ns > 0 or late_rule != LAST
        urgency = sums.remaining_latency_ns / accelerators / max(slack_ns, LEAST_SLACK_NS)
        if slack_ns <= 0 and late_rule == ONE:
            urgency = 1.0
        mean_latency_ns = sums.total_latency_ns / accelerators
        starvation = (now_ns - state.slots[slot].ready_since_ns) / mean_latency_ns
        limit_ns = 0.0
        if patience < NO_LIMIT:
            limit_ns = patience * _least_time_to_end_ns(problem, state, layer)
        for accelerator in range(accelerators):
            if state.accelerators[accelerator].busy_until_ns != NEVER:
                continue
            cost = problem.costs[layer, accelerator]
            if patience < NO_LIMIT and cost.latency_ns > limit_ns:
                continue
            latency_preference = sums.total_latency_ns / cost.latency_ns
            switch_pj = switch_energy_pj(problem, switch_bytes(problem, state, slot, accelerator))
            energy_preference = sums.total_energy_pj / cost.energy_pj - switch_pj / cost.energy_pj
            score = urgency * latency_preference + alpha * starvation + beta * energy_preference
            if (
                best_slot == NONE
                or in_time > best_in_time
                or (in_time == best_in_time and score > best_score)
            ):
                best_slot, best_accelerator = slot, accelerator
                best_score, best_in_time = score, in_time
    return best_slot, best_accelerator


@inlined
def _stands_behind(state: State, slot: int, late_rule: int) -> bool:
    """Whether a frame's score is certainly not above that of one before it, so need not be known.

    It is so if neither has started, both are of one model and due in order: the older has waited
    longer, and its slack is less. If late frames are a kind of their own, both must be of one kind.
    """
    if state.slots[slot].last_accelerator != NONE:
        return False
    model, now_ns = state.slots[slot].model, state.run[0].now_ns
    older = state.models[model].scratch
    if older == NONE:
        state.models[model].scratch = slot
        return False
    older_ns, own_ns = state.slots[older].deadline_ns, state.slots[slot].deadline_ns
    alike = late_rule == FLOOR or (older_ns > now_ns) == (own_ns > now_ns)
    return bool(alike and older_ns <= own_ns)


@inlined
def _least_time_to_end_ns(problem: Problem, state: State, layer: int) -> int:
    """Least time from now to the end of a layer, if it may wait for any accelerator."""
    least_ns = NEVER
    for accelerator in range(len(state.accelerators)):
        time_ns = problem.costs[layer, accelerator].latency_ns
        busy_until_ns = state.accelerators[accelerator].busy_until_ns
        if busy_until_ns != NEVER:
            time_ns += busy_until_ns - state.run[0].now_ns
        least_ns = min(least_ns, time_ns)
    return int(least_ns)
