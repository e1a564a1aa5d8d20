"""Suites: which policies are compared on which cells, over how many seeds."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from dream_gym.analysis.suites.cells import Cells
from dream_gym.errors import ConfigError
from dream_gym.players import OptionValue, Player, check_reference, make_player, short_name
from dream_gym.reading import resources
from dream_gym.reading.fields import FileName, Prose, SchemaVersion, Title
from dream_gym.reading.resources import Config
from dream_gym.simulator import Cell
from dream_gym.simulator.limits import MAX_SECONDS
from dream_gym.workload import EVALUATION, TRAINING

Seconds = Annotated[float, Field(ge=1e-9, le=MAX_SECONDS)]
MAX_POLICIES = 200
MAX_COMBINATIONS = 10_000


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

    @model_validator(mode="after")
    def _check_size(self) -> Tuning:
        if math.prod(map(len, self.grid.values())) > MAX_COMBINATIONS:
            raise ValueError(f"grid: more than {MAX_COMBINATIONS} combinations")
        return self

    def combinations(self) -> list[dict[str, OptionValue]]:
        """All points of the grid, the last option varying fastest."""
        return [
            dict(zip(self.grid, point, strict=True))
            for point in itertools.product(*self.grid.values())
        ]


class PolicySpec(Config):
    """A player in a benchmark.

    Args:
        scheduler: A reference: the id of a scheduler, ``tuned:FILE``, ``rollout:BASE``,
            ``python:MODULE.CLASS`` or ``agent:FOLDER``, see `make_player`; paths are relative to
            the folder of this file, and modules are looked for there first.
        options: Its options; defaults for those not named.
        tune: Options to search for, beside the fixed ones.
        name: What tables call it, by default after the reference.
    """

    scheduler: str
    options: dict[str, OptionValue] = Field(default_factory=dict)
    tune: Tuning | None = None
    name: Title = ""

    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _check_reference(self, info: ValidationInfo) -> PolicySpec:
        if info.context:
            self._folder = Path(info.context["folder"])
        for point in self.tune.combinations() if self.tune else [{}]:
            check_reference(self.scheduler, {**self.options, **point}, folder=self._folder)
        return self

    @property
    def title(self) -> str:
        """What tables and plots call the policy."""
        return self.name or short_name(self.scheduler)

    def searched(self, effort: Effort) -> PolicySpec:
        """The same, searched with another effort if it is tuned."""
        if self.tune is None:
            return self
        return self.model_copy(update={"tune": self.tune.model_copy(update=effort.model_dump())})

    def player(self, point: dict[str, OptionValue] | None = None) -> Player:
        """The player, with the options of a point of the search beside the fixed ones."""
        options = {**self.options, **(point or {})}
        return make_player(self.scheduler, options, name=self.title, folder=self._folder)


class Roster(Config):
    """Policies that several suites share.

    Args:
        schema_version: Version of this file format, 1.
        policies: The policies.
    """

    schema_version: SchemaVersion = Field(alias="schema")
    policies: tuple[PolicySpec, ...] = Field(min_length=1)


class Effort(Config):
    """How long to search for options, in place of what a roster says.

    Args:
        seeds: See `Tuning`.
        seconds: See `Tuning`.
    """

    seeds: int = Field(ge=1, le=len(TRAINING))
    seconds: Seconds


class RosterReference(Config):
    """All policies of a roster.

    Args:
        roster: Name of a roster or path of its file.
        tune: How long to search for the options of those that are tuned.
    """

    roster: str
    tune: Effort | None = None

    def policies(self) -> list[PolicySpec]:
        """The policies."""
        found = resources.load("rosters", self.roster, Roster).policies
        return [spec if self.tune is None else spec.searched(self.tune) for spec in found]


def _expand(items: Any) -> Any:
    """Replace rosters by their policies."""
    if not isinstance(items, list | tuple):
        return items
    expanded: list[Any] = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            expanded.append({"scheduler": item})
        elif isinstance(item, dict) and "roster" in item:
            expanded += resources.validate(item, RosterReference, origin=str(index)).policies()
        else:
            expanded.append(item)
        if len(expanded) > MAX_POLICIES:
            raise ValueError(f"more than {MAX_POLICIES} policies")
    return expanded


Policies: TypeAlias = Annotated[
    tuple[PolicySpec, ...],
    Field(min_length=1),
    BeforeValidator(_expand, json_schema_input_type=list[str | PolicySpec | RosterReference]),
]
"""Policies, in YAML listed, by reference alone, or by rosters."""


class Suite(Config):
    """A benchmark.

    Args:
        schema_version: Version of this file format, 1.
        name: What the suite is called.
        description: One line for listings.
        notes: What to know before reading its figures; reports show it.
        cells: Where policies are compared: each is a `Cell`, a `Grid` of them, or a
            `Generate`.
        policies: Who is compared: each is a `PolicySpec`, its reference alone, or all of a
            ``roster``; the others are compared with the first.
        seeds: Number of evaluation seeds, the same for every policy and cell.
        seconds: Simulated time per seed.
        xrbench_score: Whether reports show XRBench's own score, too.
    """

    schema_version: SchemaVersion = Field(alias="schema")
    name: FileName
    description: Prose = ""
    notes: Prose = ""
    cells: Cells
    policies: Policies
    seeds: int = Field(default=20, ge=1, le=len(EVALUATION))
    seconds: Seconds = 5.0
    xrbench_score: bool = False

    @model_validator(mode="after")
    def _check_twice(self) -> Suite:
        titles = [policy.title for policy in self.policies]
        for index, title in enumerate(titles):
            if title in titles[:index]:
                raise ValueError(f"policies.{index}.name: {title!r} is used twice")
        seen: set[tuple[Any, ...]] = set()
        for index, cell in enumerate(self.cells):
            fields = tuple(getattr(cell, name) for name in Cell.model_fields)
            if fields in seen:
                raise ValueError(f"cells.{index}: {cell.title} is listed twice")
            seen.add(fields)
        return self

    def with_seeds(self, seeds: int) -> Suite:
        """The same suite with another number of seeds.

        Raises:
            ConfigError: The number is out of range.
        """
        if not 1 <= seeds <= len(EVALUATION):
            raise ConfigError(f"seeds: expected a count in [1, {len(EVALUATION)}], got {seeds}")
        return self.model_copy(update={"seeds": seeds})


def load_suite(reference: str | Path | Suite) -> Suite:
    """Load a suite by name, by path, or pass an object through.

    Raises:
        ConfigError: There is no such suite or its file is malformed; names file and field.
    """
    return resources.load("suites", reference, Suite)
