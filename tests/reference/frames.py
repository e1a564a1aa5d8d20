"""What is known before anything runs: the models, and all frames of a seed."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction

from dream_gym.hardware import Platform, cost_table, dram_bytes
from dream_gym.workload import ModelSpec, Network, Scenario
from tests.reference.chance import JITTER, TRIGGER, draw, happens
from tests.reference.paths import Luck
from tests.reference.world import Frame, Model, Version

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def make_models(scenario: Scenario, platform: Platform) -> list[Model]:
    """The models of all phases, in the order in which their names first appear."""
    models: dict[str, Model] = {}
    links = [spec.depends_on for part in scenario.parts for spec in part.models]
    parents = {link.model for link in links if link is not None}
    for part in scenario.parts:
        for spec in part.models:
            if spec.name not in models:
                network = spec.built_network
                versions = [_make_version(item, platform) for item in (network, *network.variants)]
                models[spec.name] = Model(
                    len(models), spec.name, versions, spec.backlog, spec.name in parents
                )
    return list(models.values())


def _make_version(network: Network, platform: Platform) -> Version:
    table = cost_table(network, platform)
    return Version(
        network,
        table.latency_ns.tolist(),
        table.energy_pj.tolist(),
        [dram_bytes(layer, platform) for layer in network.layers],
    )


@dataclass(eq=False)
class Stint:
    """One model during one phase."""

    model: Model
    part: int  # index of the phase
    rate: Fraction  # frames per second at the load of run and phase
    deadline_ns: int
    phase_ns: int
    jitter_ns: int
    probability: float
    first_index: int = 0  # how many frame indices the model used up in earlier phases
    children: list[Stint] = field(default_factory=list)

    @property
    def period_ns(self) -> Fraction:
        return NS_PER_S / self.rate

    def frame(self, local: int, root_nominal_ns: int, seed: int, parent: Frame | None) -> Frame:
        index = self.first_index + local
        luck = Luck(seed, self.model.index, index)
        deadline_ns = root_nominal_ns + self.deadline_ns
        return Frame(self.model, index, root_nominal_ns, deadline_ns, luck, self.part, parent)


def make_roots(
    scenario: Scenario, models: list[Model], load: float, seed: int, horizon_ns: int
) -> list[tuple[int, Frame]]:
    """All root frames with their release times, their dependents attached."""
    by_name = {model.name: model for model in models}
    used = dict.fromkeys(by_name, 0)  # frame indices, by name
    roots: list[tuple[int, Frame]] = []
    for index, part in enumerate(scenario.parts):
        last = index == len(scenario.parts) - 1
        stop_ns = math.inf if last else scenario.parts[index + 1].start_ns
        factor = Fraction(str(load)) * part.load
        stints = {
            spec.name: _make_stint(spec, by_name[spec.name], index, factor) for spec in part.models
        }
        for spec in part.models:
            stints[spec.name].first_index = used[spec.name]
            if spec.depends_on is not None:
                stints[spec.depends_on.model].children.append(stints[spec.name])
        for spec in part.models:
            if spec.depends_on is None:
                stint = stints[spec.name]
                roots += _stint_roots(stint, part.start_ns, stop_ns, seed, horizon_ns, used)
    return roots


def _make_stint(spec: ModelSpec, model: Model, part: int, factor: Fraction) -> Stint:
    rate = spec.rate * factor
    return Stint(
        model=model,
        part=part,
        rate=rate,
        deadline_ns=(
            math.floor(NS_PER_S / rate)
            if spec.deadline_ms is None
            else round(spec.deadline_ms * NS_PER_MS)
        ),
        phase_ns=round(spec.phase_ms * NS_PER_MS),
        jitter_ns=round(spec.jitter_ms * NS_PER_MS),
        probability=0.0 if spec.depends_on is None else spec.depends_on.probability,
    )


def _stint_roots(
    stint: Stint, start_ns: int, stop_ns: float, seed: int, horizon_ns: int, used: dict[str, int]
) -> list[tuple[int, Frame]]:
    """Root frames of one phase with their release times; counts the frame indices it uses up."""
    roots: list[tuple[int, Frame]] = []
    for local in itertools.count():
        nominal_ns = start_ns + stint.phase_ns + math.floor(local * stint.period_ns)
        # Beyond the horizon nothing exists, in later phases neither.
        if nominal_ns >= stop_ns or nominal_ns > horizon_ns:
            _count(stint, local, used)
            return roots
        frame = stint.frame(local, nominal_ns, seed, None)
        if frame.deadline_ns <= horizon_ns:
            jitter = draw(seed, JITTER, stint.model.index, frame.index) % (stint.jitter_ns + 1)
            _add_children(frame, stint, local, seed, horizon_ns)
            roots.append((nominal_ns + jitter, frame))
    raise AssertionError("counts on for ever")


def _count(stint: Stint, frames: int, used: dict[str, int]) -> None:
    """Count what a phase uses up of a model's frame indices and of its dependents'."""
    used[stint.model.name] += frames
    for child in stint.children:
        _count(child, math.ceil(frames / (stint.rate / child.rate)), used)


def _add_children(frame: Frame, stint: Stint, local: int, seed: int, horizon_ns: int) -> None:
    for below in stint.children:
        child_local = local / (stint.rate / below.rate)
        if child_local.denominator != 1:
            continue
        child = below.frame(int(child_local), frame.root_nominal_ns, seed, frame)
        triggered = happens(draw(seed, TRIGGER, below.model.index, child.index), below.probability)
        if triggered and child.deadline_ns <= horizon_ns:
            frame.children.append(child)
            _add_children(child, below, int(child_local), seed, horizon_ns)
