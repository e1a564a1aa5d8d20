"""What there is: models, frames, accelerators, and dispatches under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from dream_gym.workload import Layer, Network
from tests.reference.paths import Luck, block_of, layer_after, path


@dataclass(eq=False)
class Version:
    """A network that the frames of a model may run, and what its layers cost."""

    network: Network
    latency_ns: list[list[int]]  # by layer and accelerator
    energy_pj: list[list[int]]
    dram_bytes: list[int]  # by layer

    @property
    def worst_energy_pj(self) -> int:
        return sum(max(energies) for energies in self.energy_pj)

    @cached_property
    def total_ns(self) -> list[int]:
        """Latencies of a layer and all behind it, summed over accelerators, too; 0 at the end."""
        return _sums_from([sum(latencies) for latencies in self.latency_ns])

    @cached_property
    def least_ns(self) -> list[int]:
        """The same, with each layer where it is fastest."""
        return _sums_from([min(latencies) for latencies in self.latency_ns])

    def path_energy_pj(self, luck: Luck) -> int:
        """What a frame of this luck needs at least."""
        return sum(min(self.energy_pj[layer]) for layer in path(self.network, luck))


def _sums_from(numbers: list[int]) -> list[int]:
    """At each index the sum from there to the end."""
    return list(accumulate(reversed(numbers), initial=0))[::-1]


@dataclass(eq=False)
class Model:
    """One model of the scenario, through all its phases."""

    index: int
    name: str
    versions: list[Version]  # the original, then its variants
    backlog: int
    has_dependents: bool  # in any phase
    losses: list[bool] = field(default_factory=list)
    """Of each frame that is complete or lost, in the order of their ends, whether it is lost."""

    @cached_property
    def worst_energy_pj(self) -> int:
        return self.versions[0].worst_energy_pj


@dataclass(eq=False)
class Frame:
    """One frame, and how far it has come."""

    model: Model
    index: int
    root_nominal_ns: int
    deadline_ns: int
    luck: Luck
    part: int  # the phase that it is of
    parent: Frame | None = None
    children: list[Frame] = field(default_factory=list)
    release_ns: int | None = None
    ready_since_ns: int = 0
    variant: int = 0
    next_layer: int = 0
    executing: bool = False
    last_accelerator: Accelerator | None = None
    energy_pj: int = 0
    fate: str | None = None
    end_ns: int = -1
    by_decision: bool = False  # lost because the scheduler dropped it or its parent

    @property
    def waiting(self) -> bool:
        return self.release_ns is not None and self.fate is None and not self.executing

    @property
    def version(self) -> Version:
        """What it runs: the original until its first dispatch."""
        return self.model.versions[self.variant]

    @property
    def layer(self) -> Layer:
        """The layer that it runs, or will run next."""
        return self.version.network.layers[self.next_layer]

    @property
    def latencies_ns(self) -> list[int]:
        """Of its next layer, by accelerator."""
        return self.version.latency_ns[self.next_layer]

    @property
    def energies_pj(self) -> list[int]:
        """Of its next layer, by accelerator."""
        return self.version.energy_pj[self.next_layer]

    def block(self, layers: int) -> range:
        """Its next layers that run as one if so many are asked for."""
        return block_of(self.version.network, self.next_layer, layers)

    def layer_after(self, layer: int) -> int | None:
        """Where it goes from a layer; None if it is complete."""
        return layer_after(self.version.network, layer, self.luck)

    def family(self) -> Iterator[Frame]:
        """The frame and all that descend from it."""
        yield self
        for child in self.children:
            yield from child.family()


@dataclass(eq=False)
class Accelerator:
    """One accelerator, and what it last ran."""

    index: int
    name: str
    running: Execution | None = None
    last_frame: Frame | None = None
    last_layer: Layer | None = None

    def switch_bytes(self, frame: Frame) -> int:
        """Bytes that move if it starts the next layer of a frame."""
        if self.last_frame is frame:
            return 0
        moved = frame.layer.input_elements
        last = self.last_frame
        if last is not None and last.fate is None and last.last_accelerator is self:
            assert self.last_layer is not None
            moved += self.last_layer.output_elements
        return moved


@dataclass(eq=False)
class Execution:
    """One dispatch: some layers of a frame on an accelerator."""

    frame: Frame
    accelerator: Accelerator
    variant: int
    layers: range
    decided_ns: int
    start_ns: int
    switch_ns: int
    isolated_ns: int  # with the link to itself, switch included
    moved_bytes: int  # over the link
    energy_pj: int
    end_ns: int  # as things stand
