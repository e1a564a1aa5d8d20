"""Static FCFS: each model has its accelerator, and each accelerator serves its queue by release.

DREAM's static baseline as reconstructed. Before the run, models are assigned to accelerators for
the worst case: every frame is triggered, no layer is skipped, and each model has the rate of the
phase where it is highest. The model with the most work per second, on the accelerator where it is
fastest, comes first. Each goes to the accelerator that is then loaded least.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.measures import highest_rates
from dream_gym.schedulers.placement import any_idle, is_idle
from dream_gym.simulator import Decision, Floats, Ints, Problem, State, dispatch, wait


def prepare(problem: Problem, parameters: Floats) -> Ints:
    """The accelerator of each layer, which is that of its model."""
    plan = np.zeros(len(problem.layers), dtype=np.int64)
    rates = highest_rates(problem)
    layers, works = [], []
    for model, rate in zip(problem.models, rates, strict=True):
        network = problem.networks[model.first_network]
        own = slice(network.first_layer, network.last_layer + 1)
        layers.append(own)
        frame_ns = problem.costs["latency_ns"][own].sum(axis=0).tolist()
        works.append([rate * time_ns for time_ns in frame_ns])
    loads = [Fraction(0)] * problem.costs.shape[1]
    for model in sorted(range(len(works)), key=lambda model: -min(works[model])):
        after = [load + work for load, work in zip(loads, works[model], strict=True)]
        chosen = after.index(min(after))
        loads[chosen] = after[chosen]
        plan[layers[model]] = chosen
    return plan


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the oldest waiting frame whose assigned accelerator is idle."""
    if not any_idle(state):
        return wait()
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing == 0:
            accelerator = state.plan[state.slots[slot].layer]
            if is_idle(state, accelerator):
                return dispatch(slot, accelerator)
    return wait()


FCFS_STATIC = BuiltinScheduler(
    "fcfs_static",
    decide,
    prepare=prepare,
    family="rival",
    label="FCFS with an accelerator for each model",
)
