"""Herald: each layer has its accelerator, and each accelerator serves its queue by release.

After "Heterogeneous Dataflow Accelerators for Multi-DNN Workloads" (HPCA 2021); adapted for frames
that come at rates. Before the run, model by model, each layer is given to the accelerator of the
least energy-delay product for it. Load-balance feedback: where that one's work per second, this
layer included, would exceed `BALANCE_FACTOR` times what the accelerator would have that were then
loaded least, the next best takes its place. Every frame is taken as triggered, no layer as skipped.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.fcfs_static import decide
from dream_gym.schedulers.measures import highest_rates
from dream_gym.simulator import Ints, Problem

BALANCE_FACTOR = 2


def prepare(problem: Problem) -> Ints:
    """The accelerator of each layer."""
    plan = np.zeros(len(problem.layers), dtype=np.int64)
    loads = [Fraction(0)] * problem.costs.shape[1]
    for model, rate in zip(problem.models, highest_rates(problem), strict=True):
        network = problem.networks[model.first_network]
        for layer in range(network.first_layer, network.last_layer + 1):
            latency_ns = problem.costs["latency_ns"][layer].tolist()
            energy_pj = problem.costs["energy_pj"][layer].tolist()
            after = [load + rate * time for load, time in zip(loads, latency_ns, strict=True)]
            products = [time * energy for time, energy in zip(latency_ns, energy_pj, strict=True)]
            limit = BALANCE_FACTOR * min(after)
            allowed = [index for index, load in enumerate(after) if load <= limit]
            chosen = min(allowed, key=products.__getitem__)
            loads[chosen] = after[chosen]
            plan[layer] = chosen
    return plan


HERALD = BuiltinScheduler("herald", decide, prepare=prepare)
