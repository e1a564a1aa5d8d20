"""PREMA: tokens that grow while a frame waits; among those with enough, the shortest.

After "PREMA: A Predictive Multi-task Scheduling Algorithm for Preemptible Neural Processing Units"
(HPCA 2020), in the form of the public code of Dysta (MICRO 2023); adapted for layer-granular
dispatch on fixed heterogeneous accelerators. A frame has as many tokens at its release as its
priority. At each decision point, a waiting frame gets priority × (time since it last ran / its
isolated time) more. Candidates are the frames with at least as many tokens as the largest of 1, 3
and 9 that the richest waiting frame has reached; of these the one with the least mean latency left
goes to the fastest idle accelerator.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.measures import highest_rates, isolated_ns
from dream_gym.schedulers.placement import fastest_idle
from dream_gym.simulator import NONE, Decision, Floats, Ints, Problem, State, dispatch, wait

PRIORITIES = 0
RATE, EQUAL = range(2)
TOKENS, COUNTED_NS = range(2)  # of the notes on a frame


class PremaOptions(Options):
    """Options of `prema`.

    Args:
        priorities: ``rate`` gives models 1, 3 or 9 by terciles of their rates; ``equal`` gives all
            of them 1.
    """

    priorities: Literal["rate", "equal"] = "rate"


def prepare(problem: Problem, parameters: Floats) -> Ints:
    """The priority of each layer's model by its rate.

    It is 9 where at least two thirds of all models have a lower rate, 3 where one third has, else
    1: models of one rate share one priority.
    """
    rates = highest_rates(problem)
    plan = np.ones(len(problem.layers), dtype=np.int64)
    for network in problem.networks:
        lower = sum(rate < rates[network.model] for rate in rates)
        priority = 9 if 3 * lower >= 2 * len(rates) else 3 if 3 * lower >= len(rates) else 1
        plan[network.first_layer : network.last_layer + 1] = priority
    return plan


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Count tokens, once per instant, and dispatch the shortest candidate."""
    most = 0.0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing == 0:
            most = max(most, _count(problem, state, slot))
    threshold = 9.0 if most >= 9.0 else 3.0 if most >= 3.0 else 1.0
    shortest, shortest_ns = NONE, 0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing or state.notes[slot, TOKENS] < threshold:
            continue
        remaining_ns = problem.layers[state.slots[slot].layer].remaining_latency_ns
        if shortest == NONE or remaining_ns < shortest_ns:
            shortest, shortest_ns = slot, remaining_ns
    if shortest == NONE:
        return wait()
    accelerator = fastest_idle(problem, state, state.slots[shortest].layer)
    return wait() if accelerator == NONE else dispatch(shortest, accelerator)


@inlined
def _count(problem: Problem, state: State, slot: int) -> float:
    """A frame's tokens, brought up to this instant."""
    now_ns = state.run[0].now_ns
    priority = 1.0
    if state.parameter[PRIORITIES] == RATE:
        priority = float(state.plan[state.slots[slot].layer])
    if state.notes[slot, TOKENS] == 0.0:
        state.notes[slot, TOKENS] = priority
    elif state.notes[slot, COUNTED_NS] < now_ns:
        idle_ns = now_ns - state.slots[slot].ready_since_ns
        state.notes[slot, TOKENS] += priority * (idle_ns / isolated_ns(problem, state, slot))
    state.notes[slot, COUNTED_NS] = now_ns
    return float(state.notes[slot, TOKENS])


PREMA = BuiltinScheduler(
    "prema",
    decide,
    PremaOptions,
    prepare,
    family="rival",
    label="PREMA: tokens that grow while waiting",
)
