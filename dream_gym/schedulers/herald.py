"""Herald: each layer has its accelerator, and each accelerator serves its queue by release.

After "Heterogeneous Dataflow Accelerators for Multi-DNN Workloads" (HPCA 2021); adapted for frames
that come at rates. Before the run, model by model, each layer is assigned to the accelerator with
the least energy-delay product for it. Load-balance feedback: an accelerator is passed over for the
next best if its work per second, including this layer, would exceed `balance` times the work of the
accelerator that would then be loaded least. Every frame counts as triggered, no layer as skipped.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from pydantic import Field

from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.fcfs_static import decide
from dream_gym.schedulers.measures import highest_rates
from dream_gym.simulator import Floats, Ints, Problem

BALANCE = 0


class HeraldOptions(Options):
    """Options of `herald`.

    Args:
        balance: A layer's best accelerator may have up to this many times the work of the least
            loaded one. Values near 1 balance loads; large ones let layers run where they are best.
    """

    balance: float = Field(default=2.0, ge=1, le=1000)


def prepare(problem: Problem, parameters: Floats) -> Ints:
    """The accelerator of each layer."""
    balance = Fraction(float(parameters[BALANCE]))
    plan = np.zeros(len(problem.layers), dtype=np.int64)
    loads = [Fraction(0)] * problem.costs.shape[1]
    for model, rate in zip(problem.models, highest_rates(problem), strict=True):
        network = problem.networks[model.first_network]
        for layer in range(network.first_layer, network.last_layer + 1):
            latency_ns = problem.costs["latency_ns"][layer].tolist()
            energy_pj = problem.costs["energy_pj"][layer].tolist()
            after = [load + rate * time for load, time in zip(loads, latency_ns, strict=True)]
            products = [time * energy for time, energy in zip(latency_ns, energy_pj, strict=True)]
            limit = balance * min(after)
            allowed = [index for index, load in enumerate(after) if load <= limit]
            chosen = min(allowed, key=products.__getitem__)
            loads[chosen] = after[chosen]
            plan[layer] = chosen
    return plan


HERALD = BuiltinScheduler(
    "herald",
    decide,
    HeraldOptions,
    prepare,
    family="rival",
    label="Herald: a queue for each accelerator",
)
