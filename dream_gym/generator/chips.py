"""Random platforms, and the least time that a network needs on one."""

from __future__ import annotations

import functools
import itertools
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
_KINDS = tuple(itertools.product(DATAFLOWS, PES))
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


def frame_seconds(network: str, kinds: Sequence[Kind]) -> NDArray[np.float64]:
    """What a frame of a catalogue network takes on accelerators, shape (rows, accelerators), in s.

    A row is all of its layers that cost the same on every kind that there is.
    """
    latency_ns = _latency_ns(network)
    columns = [_KINDS.index((kind.dataflow, kind.num_pes)) for kind in kinds]
    seconds: NDArray[np.float64] = latency_ns[:, columns] / NS_PER_S
    return seconds


@functools.cache
def _latency_ns(network: str) -> NDArray[np.int64]:
    """Latencies on each kind of accelerator; see `frame_seconds` for the rows."""
    kinds = [Kind(*kind) for kind in _KINDS]
    built = build_network(network)
    columns = [cost_table(built, make_platform("one", [kind])).latency_ns[:, 0] for kind in kinds]
    rows, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    latencies: NDArray[np.int64] = rows * counts[:, None]
    return latencies
