"""Cells: where players play, and what is compared there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from dream_gym.generator import PREFIX, generate_workload
from dream_gym.hardware import AnyCosts, MaestroCosts, Platform, load_platform
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.simulator.engine import Engine
from dream_gym.simulator.simulation import Simulation
from dream_gym.workload import Scenario, load_scenario, vary

Expiry: TypeAlias = Literal["soft", "firm"]
Load: TypeAlias = Annotated[float, Field(gt=0, le=1000)]
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


class Cell(Config):
    """One place to play: a scenario on a platform, at a load.

    Args:
        scenario: Name of a scenario or path of its file, relative to the folder of the suite's.
        platform: Name of a platform or path of its file, likewise.
        load: Factor on every rate.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
        cascade: Probability that a parent's frame triggers one of a dependent, in place of all
            those of the scenario.
        jitter: Release jitter of every root as a share of its period at this load, in place of
            those of the scenario.
        contention: Whether dispatches share the off-chip bandwidth; by default what the platform
            says.
        costs: Where the costs of layers come from, in place of what the platform says.
    """

    scenario: str
    platform: str
    load: Load = 1.0
    expiry: Expiry | None = None
    cascade: Probability | None = None
    jitter: Share | None = None
    contention: bool | None = None
    costs: AnyCosts | None = None

    _scenario: Scenario = PrivateAttr()
    _hardware: Platform = PrivateAttr()
    _references: tuple[str, str] = PrivateAttr()

    @model_validator(mode="after")
    def _load_parts(self, info: ValidationInfo) -> Cell:
        self._scenario = resources.load_once(load_scenario, self.scenario, info)
        self._hardware = resources.load_once(load_platform, self.platform, info)
        self._references = (
            resources.in_folder_if_path(self.scenario, info),
            resources.in_folder_if_path(self.platform, info),
        )
        return self

    def portable(self) -> dict[str, Any]:
        """Its fields, but for those that are not given, with the whole paths of its files."""
        fields = self.model_dump(exclude_none=True)
        return fields | dict(zip(("scenario", "platform"), self._references, strict=True))

    @classmethod
    def of(
        cls, scenario: Scenario, platform: Platform, *, load: float = 1.0, expiry: str | None = None
    ) -> Cell:
        """A cell of a scenario and a platform that need not be files; it goes by their names."""
        cell = cls.model_construct(
            scenario=scenario.name,
            platform=platform.name,
            load=load,
            expiry=expiry,
            cascade=None,
            jitter=None,
            contention=None,
            costs=None,
        )
        cell._scenario, cell._hardware = scenario, platform
        return cell

    @classmethod
    def generated(cls, seed: int) -> Cell:
        """The cell that the generator of workloads draws for a seed, see `generate_workload`.

        Raises:
            ConfigError: The seed is out of range.
        """
        reference = f"{PREFIX}{seed}"
        return cls(scenario=reference, platform=reference, load=generate_workload(seed).load)

    @property
    def workload(self) -> Scenario:
        """The scenario, with the cell's cascades and jitter."""
        return vary(self._scenario, load=self.load, cascade=self.cascade, jitter=self.jitter)

    @property
    def hardware(self) -> Platform:
        """The platform, with the cell's costs."""
        if self.costs is None:
            return self._hardware
        return self._hardware.model_copy(update={"costs": self.costs})

    @property
    def expiry_in_force(self) -> str:
        """``soft`` or ``firm``, by the cell or else by the scenario."""
        return self.expiry or self._scenario.expiry

    def simulation(self, engine: Engine | None = None) -> Simulation:
        """A simulation of the cell, under an engine or with decisions from outside."""
        return Simulation(
            self.workload,
            self.hardware,
            engine,
            load=self.load,
            expiry=self.expiry,
            contention=self.contention,
        )

    def check_frames(self, seconds: float, field: str = "seconds") -> None:
        """Raise `ConfigError` where a run of this length has nothing to schedule."""
        self.simulation().check_frames(seconds, f"{self.title}: {field}")

    def digest(self) -> str:
        """SHA-256 over the cell: what it is called, and the whole problem that the engine reads."""
        family = [member for network in self.workload.networks for member in network.family]
        names, accuracies = [each.name for each in family], [each.top1 for each in family]
        told = [self.model_dump_json(), self.workload.model_names, names, accuracies]
        digest = hashlib.sha256(repr(told).encode())
        digest.update(self.simulation().problem_arena.tobytes())
        return digest.hexdigest()

    def at_load(self, load: float) -> Cell:
        """The same cell at another load."""
        return self.model_copy(update={"load": load})

    def without_variants(self) -> Cell:
        """The same cell, with the original network of each Supernet only."""
        cell = self.model_copy()
        cell._scenario = _without_variants(self._scenario)
        return cell

    @property
    def title(self) -> str:
        """What tables and plots call the cell."""
        return cell_title(**self.model_dump(mode="json"))


def _without_variants(scenario: Scenario) -> Scenario:
    phases = tuple(
        phase.model_copy(update={"scenario": _without_variants(phase.scenario)})
        for phase in scenario.phases
    )
    models = tuple(
        model.model_copy(update={"network": replace(model.built_network, variants=())})
        for model in scenario.models
    )
    return scenario.model_copy(update={"phases": phases, "models": models})


_USUAL_COSTS = MaestroCosts().model_dump(mode="json")


def cell_title(
    scenario: str,
    platform: str,
    load: float,
    expiry: str | None,
    cascade: float | None,
    jitter: float | None,
    contention: bool | None = None,
    costs: Mapping[str, Any] | None = None,
) -> str:
    """What tables and plots call a cell of these fields; other values, other titles."""
    parts = [f"{scenario} on {platform}", f"load {load:.15g}"]
    if expiry:
        parts.append(expiry)
    if cascade is not None:
        parts.append(f"cascade {cascade:.15g}")
    if jitter is not None:
        parts.append(f"jitter {jitter:.15g}")
    if contention is not None:
        parts.append("contention" if contention else "no contention")
    if costs is not None:
        usual = _USUAL_COSTS if costs["model"] == _USUAL_COSTS["model"] else {}
        told = [
            f"{name} {value}"
            for name, value in costs.items()
            if name != "model" and value != usual.get(name)
        ]
        parts.append(f"costs {costs['model']}" + (f" ({', '.join(told)})" if told else ""))
    return ", ".join(parts)
