"""A chip: its accelerators, its clock and its memory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dream_gym.reading.fields import FileName, Name, Prose, Rational, SchemaVersion
from dream_gym.reading.resources import Config
from dream_gym.workload import Layer

MAX_ACCELERATORS = 64


class Accelerator(Config):
    """One accelerator; all but its name is for the ``maestro`` cost model.

    Args:
        name: What it is called in timelines, unique on the platform.
        dataflow: Weight stationary (NVDLA-like), output stationary, or row stationary
            (Eyeriss-like).
        num_pes: Processing elements.
        noc_bandwidth: Bandwidth of the on-chip network in elements per cycle.
    """

    name: Name
    dataflow: Literal["WS", "OS", "RS"] | None = None
    num_pes: int | None = Field(default=None, ge=256, le=2**20)
    noc_bandwidth: int | None = Field(default=None, ge=1, le=2**20)


class Chip(Config):
    """Several accelerators that share a clock, an on-chip memory and an off-chip link.

    Args:
        schema_version: Version of this file format, 1.
        name: What the platform is called in tables.
        description: One line for listings.
        clock_ghz: Clock of all accelerators.
        dram_bandwidth_gb_s: Bandwidth of the off-chip link in GB/s, which is bytes per ns.
        dram_energy_pj_per_byte: Energy of the off-chip link; the default is 75 MACs of the
            cost model.
        shared_memory_kib: On-chip memory; a layer whose input and output fit in it together
            leaves its activations on the chip.
        contention: Whether layers that run at the same time share the bandwidth of the off-chip
            link, and slow each other down where it is not enough.
        accelerators: The accelerators; their order is the order of accelerator indices.
    """

    schema_version: SchemaVersion = Field(alias="schema")
    name: FileName
    description: Prose = ""
    clock_ghz: Rational
    dram_bandwidth_gb_s: Rational
    dram_energy_pj_per_byte: int = Field(default=216, ge=0, le=10**6)
    shared_memory_kib: int = Field(ge=0, le=2**30)
    contention: bool = False
    accelerators: tuple[Accelerator, ...] = Field(min_length=1, max_length=MAX_ACCELERATORS)

    @model_validator(mode="after")
    def _check_names(self) -> Chip:
        names = [accelerator.name for accelerator in self.accelerators]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"accelerators.{index}.name: {name!r} is used twice")
        return self

    @property
    def accelerator_names(self) -> tuple[str, ...]:
        """Names of the accelerators, by accelerator index."""
        return tuple(accelerator.name for accelerator in self.accelerators)


def dram_bytes(layer: Layer, chip: Chip) -> int:
    """Bytes that a layer moves over the off-chip link.

    Its weights, and its input and output unless both together fit in the shared memory.
    """
    activations = layer.input_elements + layer.output_elements
    stay = activations <= chip.shared_memory_kib * 1024
    return layer.weights + (0 if stay else activations)
