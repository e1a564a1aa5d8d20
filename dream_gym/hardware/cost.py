"""What every layer of a network costs on every accelerator of a platform, in ns and pJ."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.hardware.maestro import layer_cost
from dream_gym.hardware.platform import Accelerator, Platform
from dream_gym.workload import Network


@dataclass(frozen=True)
class CostTable:
    """Costs of the layers of one network on one platform.

    Args:
        latency_ns: int64 array (layers, accelerators), rounded up to whole ns.
        energy_pj: int64 array (layers, accelerators), rounded to nearest.
    """

    latency_ns: NDArray[np.int64]
    energy_pj: NDArray[np.int64]


@functools.lru_cache(maxsize=1024)
def cost_table(network: Network, platform: Platform) -> CostTable:
    """Cost every layer of a network on every accelerator of a platform.

    The latency is the larger of the accelerator's compute time and the time of the off-chip
    traffic; the energy is the sum of both. Weights always cross the off-chip link; input and
    output cross it unless both together fit in the shared memory.
    """
    columns = [_accelerator_cost(network, platform, item) for item in platform.accelerators]
    latency_ns = np.stack([latency for latency, _ in columns], axis=1)
    energy_pj = np.stack([energy for _, energy in columns], axis=1)
    latency_ns.flags.writeable = energy_pj.flags.writeable = False
    return CostTable(latency_ns, energy_pj)


def _accelerator_cost(
    network: Network, platform: Platform, accelerator: Accelerator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    def sizes(field: str) -> NDArray[np.int64]:
        return np.array([getattr(layer, field) for layer in network.layers], dtype=np.int64)

    cost = layer_cost(
        accelerator.dataflow,
        **{field: sizes(field) for field in ("K", "C", "Y", "X", "R", "S", "stride")},
        depthwise=sizes("depthwise").astype(bool),
        num_pes=accelerator.num_pes,
        noc_bandwidth=accelerator.noc_bandwidth,
    )
    clock, bandwidth = platform.clock_ghz, platform.dram_bandwidth_gb_s
    latency_ns = _ceil_divide(cost.latency_cycles * clock.denominator, clock.numerator)
    energy_pj = cost.energy_nj * 1000
    if platform.dram:
        activations = sizes("input_elements") + sizes("output_elements")
        stay = activations <= platform.shared_memory_kib * 1024
        traffic_bytes = sizes("weights") + np.where(stay, 0, activations)
        dram_ns = _ceil_divide(traffic_bytes * bandwidth.denominator, bandwidth.numerator)
        latency_ns = np.maximum(latency_ns, dram_ns)
        energy_pj = energy_pj + traffic_bytes * platform.dram_energy_pj_per_byte
    return np.maximum(latency_ns, 1), np.maximum(np.rint(energy_pj), 1).astype(np.int64)


def _ceil_divide(numerator: NDArray[np.int64], denominator: int) -> NDArray[np.int64]:
    return -(-numerator // denominator)
