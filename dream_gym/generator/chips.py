"""Random platforms, and the least time that a network needs on one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dream_gym.generator.draws import Draws
from dream_gym.hardware import Platform, cost_table
from dream_gym.reading.resources import validate
from dream_gym.units import NS_PER_S
from dream_gym.workload import build_network

DATAFLOWS = ("WS", "OS", "RS")
PES = (256, 512, 1024, 2048, 4096)
MOST_PES = 8192
"""Of all accelerators of a platform."""
NARROW_NOC, WIDE_NOC = 128, 256
WIDE_ABOVE_PES = 2048
"""An accelerator with more has the wide on-chip network."""
CHIP = {
    "schema": 1,
    "clock_ghz": 0.7,
    "dram_bandwidth_gb_s": 90,
    "shared_memory_kib": 8192,
}
"""What all platforms share, which is what DREAM's have."""


class Kind(NamedTuple):
    """A kind of accelerator."""

    dataflow: str
    num_pes: int

    @property
    def fields(self) -> dict[str, str | int]:
        """The fields of such an `Accelerator`, but for its name."""
        noc_bandwidth = WIDE_NOC if self.num_pes > WIDE_ABOVE_PES else NARROW_NOC
        return {**self._asdict(), "noc_bandwidth": noc_bandwidth}


def draw_kinds(draws: Draws, count: int) -> list[Kind]:
    """The kinds of the accelerators of a platform, drawn again while they have too many PEs."""
    while True:
        kinds = [Kind(draws.choice(DATAFLOWS), draws.choice(PES)) for _ in range(count)]
        if sum(kind.num_pes for kind in kinds) <= MOST_PES:
            return kinds


def make_platform(name: str, kinds: Sequence[Kind]) -> Platform:
    """The platform of these accelerators, which are called by their dataflow and position."""
    accelerators = [
        {"name": f"{kind.dataflow.lower()}{index}", **kind.fields}
        for index, kind in enumerate(kinds)
    ]
    content = {**CHIP, "name": name, "accelerators": accelerators}
    return validate(content, Platform, origin=name)


def least_seconds(network: str, kinds: Sequence[Kind]) -> float:
    """Latency of a catalogue network in s, each layer where it is fastest."""
    latencies = np.min([_latency_ns(network, kind) for kind in kinds], axis=0)
    return int(latencies.sum()) / NS_PER_S


@functools.cache
def _latency_ns(network: str, kind: Kind) -> NDArray[np.int64]:
    """Latency of each layer on a kind of accelerator."""
    return cost_table(build_network(network), make_platform("one", [kind])).latency_ns[:, 0]
