"""The analytical cost model: MAESTRO for the accelerator, a roofline for the off-chip link."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import ConfigError
from dream_gym.hardware.chip import Accelerator, Chip, dram_bytes
from dream_gym.hardware.cost import CostModel, CostTable
from dream_gym.hardware.maestro import layer_cost
from dream_gym.workload import Network


class MaestroCosts(CostModel):
    """Costs by the closed form of MAESTRO.

    With ``dram``, the latency is the larger of the accelerator's compute time and the time of the
    off-chip traffic (`chip.dram_bytes`), and the energy is the sum of both.

    Args:
        model: ``maestro``.
        dram: Whether layers pay for off-chip traffic; false gives the pure model.
    """

    model: Literal["maestro"] = "maestro"
    dram: bool = True

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        columns = [
            self._costs_on(network, chip, accelerator, f"accelerators.{index}")
            for index, accelerator in enumerate(chip.accelerators)
        ]
        return CostTable(
            np.stack([latency_ns for latency_ns, _ in columns], axis=1),
            np.stack([energy_pj for _, energy_pj in columns], axis=1),
        )

    def _costs_on(
        self, network: Network, chip: Chip, accelerator: Accelerator, field: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        def sizes(name: str) -> NDArray[np.int64]:
            return np.array([getattr(layer, name) for layer in network.layers], dtype=np.int64)

        dataflow, num_pes = accelerator.dataflow, accelerator.num_pes
        noc_bandwidth = accelerator.noc_bandwidth
        if dataflow is None or num_pes is None or noc_bandwidth is None:
            raise ConfigError(
                f"{chip.name}: {field}: the maestro cost model needs dataflow, num_pes and "
                "noc_bandwidth"
            )
        cost = layer_cost(
            dataflow,
            **{name: sizes(name) for name in ("K", "C", "Y", "X", "R", "S", "stride")},
            depthwise=sizes("depthwise").astype(bool),
            num_pes=num_pes,
            noc_bandwidth=noc_bandwidth,
        )
        clock, bandwidth = chip.clock_ghz, chip.dram_bandwidth_gb_s
        latency_ns = _ceil_divide(cost.latency_cycles * clock.denominator, clock.numerator)
        energy_pj = cost.energy_nj * 1000
        if self.dram:
            traffic_bytes = np.array([dram_bytes(layer, chip) for layer in network.layers])
            dram_ns = _ceil_divide(traffic_bytes * bandwidth.denominator, bandwidth.numerator)
            latency_ns = np.maximum(latency_ns, dram_ns)
            energy_pj = energy_pj + traffic_bytes * chip.dram_energy_pj_per_byte
        return np.maximum(latency_ns, 1), np.maximum(np.rint(energy_pj), 1).astype(np.int64)


def _ceil_divide(numerator: NDArray[np.int64], denominator: int) -> NDArray[np.int64]:
    return -(-numerator // denominator)
