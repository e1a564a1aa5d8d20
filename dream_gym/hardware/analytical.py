"""The analytical cost model: MAESTRO for the accelerator, a roofline for the off-chip link."""

from __future__ import annotations

import functools
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import ConfigError
from dream_gym.hardware.chip import Accelerator, Chip, dram_bytes
from dream_gym.hardware.cost import MAX_COST, CostModel, CostTable
from dream_gym.hardware.maestro import Edges, LayerCost, layer_cost
from dream_gym.workload import Layer, Network

Whole: TypeAlias = NDArray[Any]
"""Python's integers in an array: exact, whatever the digits of a clock or a bandwidth."""


class MaestroCosts(CostModel):
    """Costs by the closed form of MAESTRO.

    With ``dram``, the latency is the larger of the accelerator's compute time and the time of the
    off-chip traffic (`chip.dram_bytes`), and the energy is the sum of both.

    Args:
        model: ``maestro``.
        dram: Whether layers pay for off-chip traffic; false gives the pure model.
        edges: How layers count that do not fill the array: ``physical``, or as the ``reference``
            counts them, see `layer_cost`.
        depthwise: ``exact``, or ``dense``: a depthwise layer counts as a dense convolution with as
            many filters as channels, as in the layer tables that XRBench ships.
        stride: ``exact``, or ``ignored``: every stride is 1, as in the same tables.
    """

    model: Literal["maestro"] = "maestro"
    dram: bool = True
    edges: Edges = "physical"
    depthwise: Literal["exact", "dense"] = "exact"
    stride: Literal["exact", "ignored"] = "exact"

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
        kind = accelerator.dataflow, accelerator.num_pes, accelerator.noc_bandwidth
        if None in kind:
            raise ConfigError(
                f"{chip.name}: {field}: the maestro cost model needs dataflow, num_pes and "
                "noc_bandwidth"
            )
        try:
            cost = _cost_on(self, network, *kind)
        except (ValueError, OverflowError) as error:
            raise ConfigError(f"{chip.name}: {field}: network {network.name}: {error}") from error
        where = f"costs on {accelerator.name}"
        latency_ns = _time_ns(cost.latency_cycles.astype(object), chip.clock_ghz)
        _check(latency_ns, network, f"{chip.name}: clock_ghz: {where}", "ns")
        energy_pj = cost.energy_nj * 1000
        if self.dram:
            traffic_bytes = _whole([dram_bytes(layer, chip) for layer in self.counted(network)])
            dram_ns = _time_ns(traffic_bytes, chip.dram_bandwidth_gb_s)
            _check(dram_ns, network, f"{chip.name}: dram_bandwidth_gb_s: {where}", "ns")
            latency_ns = np.maximum(latency_ns, dram_ns)
            traffic_pj = traffic_bytes * chip.dram_energy_pj_per_byte
            energy_pj = energy_pj + traffic_pj.astype(np.float64)
        _check(energy_pj, network, f"{chip.name}: {where}", "pJ")
        return (
            np.maximum(latency_ns, 1).astype(np.int64),
            np.maximum(np.rint(energy_pj), 1).astype(np.int64),
        )

    def counted(self, network: Network) -> list[Layer]:
        """The layers as they count."""
        return [self._counted(layer) for layer in network.layers]

    def _counted(self, layer: Layer) -> Layer:
        changes: dict[str, Any] = {}
        if self.depthwise == "dense" and layer.depthwise:
            changes |= {"depthwise": False, "K": layer.C}
        if self.stride == "ignored":
            changes["stride"] = 1
        return replace(layer, **changes) if changes else layer


@functools.lru_cache(maxsize=4096)
def _cost_on(
    costs: MaestroCosts, network: Network, dataflow: str, num_pes: int, noc_bandwidth: int
) -> LayerCost:
    """Costs of the layers of a network on a kind of accelerator, computed once.

    Raises:
        ValueError: The kind is too small, or a layer too large.
    """
    layers = costs.counted(network)

    def sizes(name: str) -> Whole:
        return _whole([getattr(layer, name) for layer in layers])

    return layer_cost(
        dataflow,
        **{name: sizes(name) for name in ("K", "C", "Y", "X", "R", "S", "stride")},
        depthwise=sizes("depthwise").astype(bool),
        num_pes=num_pes,
        noc_bandwidth=noc_bandwidth,
        edges=costs.edges,
    )


def _whole(values: list[int]) -> Whole:
    return np.array(values, dtype=object)


def _time_ns(amount: Whole, per_ns: Fraction) -> Whole:
    """Time for an amount, rounded up to whole ns."""
    return -(-amount * per_ns.denominator // per_ns.numerator)


def _check(costs: Whole, network: Network, where: str, unit: str) -> None:
    most = int(np.argmax(costs))
    if costs[most] > MAX_COST:
        raise ConfigError(
            f"{where}: layer {network.layers[most].name!r} of {network.name} needs more than "
            f"{MAX_COST:.0e} {unit}"
        )
