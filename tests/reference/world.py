"""What is known before anything runs: models, accelerators, and all frames of a seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from dream_gym.hardware import Platform, cost_table
from dream_gym.workload import Layer, Scenario
from tests.reference.chance import JITTER, TRIGGER, draw, happens

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


@dataclass(eq=False)
class Model:
    """One model of the scenario, at the load of the run."""

    index: int
    name: str
    layers: tuple[Layer, ...]
    latency_ns: list[list[int]]  # by layer and accelerator
    energy_pj: list[list[int]]
    rate: Fraction  # frames per second at the load
    deadline_ns: int
    phase_ns: int
    jitter_ns: int
    backlog: int
    probability: float
    parent: Model | None = None
    children: list[Model] = field(default_factory=list)

    @property
    def period_ns(self) -> Fraction:
        return NS_PER_S / self.rate

    @property
    def worst_energy_pj(self) -> int:
        return sum(max(energies) for energies in self.energy_pj)

    @property
    def best_energy_pj(self) -> int:
        return sum(min(energies) for energies in self.energy_pj)


@dataclass(eq=False)
class Frame:
    """One frame, and how far it has come."""

    model: Model
    index: int
    root_nominal_ns: int
    deadline_ns: int
    children: list[Frame] = field(default_factory=list)
    release_ns: int | None = None
    ready_since_ns: int = 0
    next_layer: int = 0
    executing: bool = False
    last_accelerator: Accelerator | None = None
    energy_pj: int = 0
    fate: str | None = None
    end_ns: int = -1

    @property
    def waiting(self) -> bool:
        return self.release_ns is not None and self.fate is None and not self.executing

    @property
    def layer(self) -> Layer:
        """The layer that it runs, or will run next."""
        return self.model.layers[self.next_layer]

    @property
    def latencies_ns(self) -> list[int]:
        """Of its next layer, by accelerator."""
        return self.model.latency_ns[self.next_layer]

    @property
    def energies_pj(self) -> list[int]:
        """Of its next layer, by accelerator."""
        return self.model.energy_pj[self.next_layer]

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
    running: Frame | None = None
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


def make_models(scenario: Scenario, platform: Platform, load: float) -> list[Model]:
    factor = Fraction(load).limit_denominator(1000)
    models: dict[str, Model] = {}
    for index, spec in enumerate(scenario.models):
        table = cost_table(spec.built_network, platform)
        rate = spec.rate * factor
        period_ns = NS_PER_S / rate
        models[spec.name] = Model(
            index=index,
            name=spec.name,
            layers=spec.built_network.layers,
            latency_ns=table.latency_ns.tolist(),
            energy_pj=table.energy_pj.tolist(),
            rate=rate,
            deadline_ns=(
                math.floor(period_ns)
                if spec.deadline_ms is None
                else round(spec.deadline_ms * NS_PER_MS)
            ),
            phase_ns=round(spec.phase_ms * NS_PER_MS),
            jitter_ns=round(spec.jitter_ms * NS_PER_MS),
            backlog=spec.backlog,
            probability=0.0 if spec.depends_on is None else spec.depends_on.probability,
        )
    for spec in scenario.models:
        if spec.depends_on is not None:
            child, parent = models[spec.name], models[spec.depends_on.model]
            child.parent = parent
            parent.children.append(child)
    return list(models.values())


def make_roots(model: Model, seed: int, horizon_ns: int) -> list[tuple[int, Frame]]:
    """The frames of a root model with their release times, their dependents attached."""
    roots: list[tuple[int, Frame]] = []
    for index in itertools.count():
        nominal_ns = model.phase_ns + math.floor(index * model.period_ns)
        frame = Frame(model, index, nominal_ns, nominal_ns + model.deadline_ns)
        if frame.deadline_ns > horizon_ns:
            break
        jitter_ns = draw(seed, JITTER, model.index, index) % (model.jitter_ns + 1)
        _add_children(frame, seed, horizon_ns)
        roots.append((nominal_ns + jitter_ns, frame))
    return roots


def _add_children(frame: Frame, seed: int, horizon_ns: int) -> None:
    for model in frame.model.children:
        every = frame.model.rate / model.rate
        index = frame.index / every
        if index.denominator != 1:
            continue
        child = Frame(
            model, int(index), frame.root_nominal_ns, frame.root_nominal_ns + model.deadline_ns
        )
        triggered = happens(draw(seed, TRIGGER, model.index, child.index), model.probability)
        if triggered and child.deadline_ns <= horizon_ns:
            frame.children.append(child)
            _add_children(child, seed, horizon_ns)
