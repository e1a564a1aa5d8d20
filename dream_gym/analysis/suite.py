"""Suites: which policies are compared on which cells, over how many seeds."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from dream_gym import resources
from dream_gym.hardware import Platform, load_platform
from dream_gym.resources import Config
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator.simulation import MAX_SECONDS
from dream_gym.workload import Scenario, load_scenario
from dream_gym.workload.seeds import EVALUATION, TRAINING

OptionValue = int | float | str
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS)]


class Cell(Config):
    """One place where policies are compared.

    Args:
        scenario: Name of a scenario or path of its file, relative to the folder of the suite's.
        platform: Name of a platform or path of its file, likewise.
        load: Factor on every rate.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
    """

    scenario: str
    platform: str
    load: float = Field(default=1.0, gt=0, le=1000)
    expiry: Literal["soft", "firm"] | None = None

    _workload: Scenario = PrivateAttr()
    _hardware: Platform = PrivateAttr()

    @model_validator(mode="after")
    def _load_parts(self, info: ValidationInfo) -> Cell:
        self._workload = load_scenario(resources.in_folder_if_path(self.scenario, info))
        self._hardware = load_platform(resources.in_folder_if_path(self.platform, info))
        return self

    @property
    def workload(self) -> Scenario:
        """The scenario."""
        return self._workload

    @property
    def hardware(self) -> Platform:
        """The platform."""
        return self._hardware

    @property
    def expiry_in_force(self) -> str:
        """``soft`` or ``firm``, by the cell or else by the scenario."""
        return self.expiry or self._workload.expiry

    def at_load(self, load: float) -> Cell:
        """The same cell at another load."""
        return self.model_copy(update={"load": load})

    @property
    def title(self) -> str:
        """What tables and plots call the cell."""
        expiry = f", {self.expiry}" if self.expiry else ""
        return f"{self.scenario} on {self.platform}, load {self.load:g}{expiry}"


class Tuning(Config):
    """A search for the best options of a scheduler, once per cell, on training seeds.

    Args:
        grid: The values to try of each option; every combination is tried.
        seeds: Number of training seeds; the least mean UXCost over them wins.
        seconds: Simulated time per seed.
    """

    grid: dict[str, Annotated[tuple[OptionValue, ...], Field(min_length=1)]] = Field(min_length=1)
    seeds: int = Field(default=4, ge=1, le=len(TRAINING))
    seconds: Seconds = 5.0

    def combinations(self) -> list[dict[str, OptionValue]]:
        """All points of the grid, the last option varying fastest."""
        return [
            dict(zip(self.grid, point, strict=True))
            for point in itertools.product(*self.grid.values())
        ]


class PolicySpec(Config):
    """A built-in scheduler that takes part.

    Args:
        scheduler: Its id.
        options: Its options; defaults for those not named.
        tune: Options to search for, beside the fixed ones.
        name: What tables call it, by default its id.
    """

    scheduler: str
    options: dict[str, OptionValue] = Field(default_factory=dict)
    tune: Tuning | None = None
    name: str = ""

    @model_validator(mode="after")
    def _check_options(self) -> PolicySpec:
        scheduler = get_scheduler(self.scheduler)
        for point in self.tune.combinations() if self.tune else [{}]:
            scheduler.configure(**{**self.options, **point})
        return self

    @property
    def title(self) -> str:
        """What tables and plots call the policy."""
        return self.name or self.scheduler


class Suite(Config):
    """A benchmark.

    Args:
        schema_version: Version of this file format, 1.
        name: What the suite is called.
        description: One line for listings.
        cells: Where policies are compared.
        policies: Who is compared; the others are set in relation to the first.
        seeds: Number of evaluation seeds, the same for every policy and cell.
        seconds: Simulated time per seed.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = ""
    cells: tuple[Cell, ...] = Field(min_length=1)
    policies: tuple[PolicySpec, ...] = Field(min_length=1)
    seeds: int = Field(default=20, ge=1, le=len(EVALUATION))
    seconds: Seconds = 5.0

    @model_validator(mode="after")
    def _check_twice(self) -> Suite:
        titles = [policy.title for policy in self.policies]
        for index, title in enumerate(titles):
            if title in titles[:index]:
                raise ValueError(f"policies.{index}.name: {title!r} is used twice")
        for index, cell in enumerate(self.cells):
            if cell in self.cells[:index]:
                raise ValueError(f"cells.{index}: {cell.title} is listed twice")
        return self


def load_suite(reference: str | Path | Suite) -> Suite:
    """Load a suite by name, by path, or pass an object through.

    Raises:
        ConfigError: There is no such suite or its file is malformed; names file and field.
    """
    return resources.load("suites", reference, Suite)
