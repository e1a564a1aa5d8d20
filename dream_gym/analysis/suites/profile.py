"""What the models of a scenario ask of a platform, before anything is scheduled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dream_gym.hardware import Platform, busiest_share, cost_table
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Cell, Simulation
from dream_gym.units import MS_PER_S, NS_PER_MS, NS_PER_S, PJ_PER_MJ
from dream_gym.workload import ModelSpec, Scenario


@dataclass(frozen=True)
class ModelProfile:
    """One model at a load, alone on an idle platform, context switches left out.

    Args:
        name: Its name.
        rate: Frames per second at the load; of a dependent, those expected to be triggered.
        deadline_ms: Relative deadline.
        layers: Number of layers.
        macs: Multiply-accumulate operations per frame.
        weights: Weight elements.
        latency_ms: Latency of a frame by accelerator, all layers on that one.
        energy_mj: Energy of a frame by accelerator, all layers on that one.
        least_latency_ms: Latency with every layer on the accelerator that is fastest for it.
        needed_ms: The least latencies of the model and of all that it depends on: no scheduler
            can finish a frame in less after its nominal time.
    """

    name: str
    rate: float
    deadline_ms: float
    layers: int
    macs: int
    weights: int
    latency_ms: dict[str, float]
    energy_mj: dict[str, float]
    least_latency_ms: float
    needed_ms: float

    @property
    def load_on_best(self) -> float:
        """Share of the time of the accelerator that is fastest for it as a whole."""
        return self.rate * min(self.latency_ms.values()) / 1e3

    @property
    def can_meet_deadline(self) -> bool:
        """Whether a frame can meet its deadline when nothing else runs."""
        return self.needed_ms <= self.deadline_ms


@dataclass(frozen=True)
class Profile:
    """A scenario on a platform at a load.

    Args:
        models: Its models.
        utilisation: Share of the time for which some accelerator must be busy, however layers are
            spread, see `busiest_share`; above 1, no scheduler keeps up.
        lower_bound: The lower bound of UXCost for `seed` and `seconds`.
        seed: Seed of the world of the lower bound.
        seconds: Simulated time of the lower bound.
    """

    models: tuple[ModelProfile, ...]
    utilisation: float
    lower_bound: float
    seed: int
    seconds: float


def profile(
    scenario: Scenario,
    platform: Platform,
    *,
    load: float = 1.0,
    seed: int = 0,
    seconds: float = 5.0,
) -> Profile:
    """Profile a scenario, which has no phases, on a platform.

    Raises:
        ConfigError: The load or the seconds are out of range.
    """
    simulation = Simulation(scenario, platform, get_scheduler("fcfs").engine, load=load)
    simulation.reset(seed=seed, seconds=seconds)
    models = tuple(
        _profile_model(scenario, platform, model, load, int(row.deadline_ns))
        for model, row in zip(scenario.models, simulation.problem.streams, strict=True)
    )
    work = [
        cost_table(spec.built_network, platform).latency_ns * (model.rate / NS_PER_S)
        for spec, model in zip(scenario.models, models, strict=True)
    ]
    return Profile(
        models=models,
        utilisation=busiest_share(np.concatenate(work)),
        lower_bound=simulation.result().lower_bound,
        seed=seed,
        seconds=seconds,
    )


def full_load(cell: Cell) -> float:
    """The load beyond which a cell cannot be served, whoever schedules, and whatever its own load.

    It is the least at which the utilisation of `Profile` is 1, or at which a frame of some
    model, released as late as jitter lets it, cannot meet its deadline even alone on the platform;
    of several phases, that of the first to reach it. A deadline that the scenario states does not
    depend on the load, and so does not limit it.
    """
    scenario = cell.workload
    if not scenario.phases:
        return _full_load(scenario, cell)
    return min(_full_load(each.scenario, cell) / float(each.load) for each in scenario.phases)


def _full_load(scenario: Scenario, cell: Cell) -> float:
    found, share = profile(scenario, cell.hardware), cell.jitter or 0.0
    limits = [1 / found.utilisation]
    for spec, alone in zip(scenario.models, found.models, strict=True):
        if spec.deadline_ms is None:
            root = _ancestry(scenario, spec)[-1]
            period_ms, root_period_ms = (MS_PER_S / float(each.rate) for each in (spec, root))
            fixed_ms = root.jitter_ms if cell.jitter is None else 0.0
            limits.append((period_ms - share * root_period_ms) / (alone.needed_ms + fixed_ms))
    return min(limits)


def _profile_model(
    scenario: Scenario, platform: Platform, model: ModelSpec, load: float, deadline_ns: int
) -> ModelProfile:
    costs = cost_table(model.built_network, platform)
    latency_ms = (costs.latency_ns.sum(axis=0) / NS_PER_MS).tolist()
    energy_mj = (costs.energy_pj.sum(axis=0) / PJ_PER_MJ).tolist()
    chance, needed_ms = 1.0, 0.0
    for link in _ancestry(scenario, model):
        chance *= link.depends_on.probability if link.depends_on else 1.0
        needed_ms += _least_latency_ms(link, platform)
    return ModelProfile(
        name=model.name,
        rate=float(model.rate) * load * chance,
        deadline_ms=deadline_ns / NS_PER_MS,
        layers=len(model.built_network.layers),
        macs=model.built_network.macs,
        weights=model.built_network.weights,
        latency_ms=dict(zip(platform.accelerator_names, latency_ms, strict=True)),
        energy_mj=dict(zip(platform.accelerator_names, energy_mj, strict=True)),
        least_latency_ms=_least_latency_ms(model, platform),
        needed_ms=needed_ms,
    )


def _ancestry(scenario: Scenario, model: ModelSpec) -> list[ModelSpec]:
    """The model, the one that it depends on, and so on up to the root."""
    by_name = {item.name: item for item in scenario.models}
    chain = [model]
    while (parent := chain[-1].depends_on) is not None:
        chain.append(by_name[parent.model])
    return chain


def _least_latency_ms(model: ModelSpec, platform: Platform) -> float:
    latency_ns = cost_table(model.built_network, platform).latency_ns
    return float(latency_ns.min(axis=1).sum() / NS_PER_MS)
