"""Where the episodes of an environment play: cells, or scenarios, platforms and loads to draw."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dream_gym.arguments import checked_number
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, load_platform
from dream_gym.reading import resources
from dream_gym.simulator import Cell, Engine, Simulation
from dream_gym.workload import Scenario, load_scenario, vary

OneScenario: TypeAlias = str | Path | Scenario
OnePlatform: TypeAlias = str | Path | Platform
Scenarios: TypeAlias = OneScenario | Sequence[OneScenario]
Platforms: TypeAlias = OnePlatform | Sequence[OnePlatform]
Load: TypeAlias = float | tuple[float, float]
Cells: TypeAlias = Sequence[Cell | Mapping[str, Any]]

DEFAULT_SCENARIO, DEFAULT_PLATFORM = "ar_social", "4k_1ws_2os"
PLACE_ARGUMENTS = ("scenario", "platform", "load", "cascade", "jitter", "expiry")
"""The arguments of an environment that say where it plays, in place of ``cells``."""
LOAD_DIGITS = 3
"""Digits of a drawn load."""
LEAST_LOAD, MOST_LOAD = 0.001, 1000.0
MOST_JITTER = 0.999
_KEPT = 256
"""Problems that an environment and its clones keep together, of about 0.1 MB each."""


@dataclass(frozen=True)
class Place:
    """A scenario on a platform, at any load of a range.

    Args:
        scenario: The scenario.
        platform: The platform.
        loads: Least and largest load.
        cascade: See `vary`.
        jitter: See `vary`.
        expiry: See `Simulation`.
        contention: See `Simulation`; None for that of the sampler.
    """

    scenario: Scenario
    platform: Platform
    loads: tuple[float, float]
    cascade: float | None
    jitter: float | None
    expiry: str | None
    contention: bool | None = None


class Drawn(NamedTuple):
    """What an episode plays in."""

    place: int
    """Index of the place."""
    load: float


def read_places(
    cells: Cells | None,
    *,
    scenario: Scenarios | None,
    platform: Platforms | None,
    load: Load | None,
    cascade: float | None,
    jitter: float | None,
    expiry: str | None,
) -> list[Place]:
    """The places that the arguments of an environment stand for.

    Args:
        cells: Cells, or mappings of their fields; the other arguments are then None.
        scenario: One scenario, or several to draw from; None for the default.
        platform: One platform, or several to draw from; None for the default.
        load: A factor on every rate, or a range to draw it from, uniformly; None for the default.
        cascade: See `vary`.
        jitter: See `vary`.
        expiry: See `Simulation`.

    Raises:
        ConfigError: An argument is malformed.
    """
    if cells is not None:
        others = (scenario, platform, load, cascade, jitter, expiry)
        given = [n for n, value in zip(PLACE_ARGUMENTS, others, strict=True) if value is not None]
        if given:
            raise ConfigError(f"cells: they say what {', '.join(given)} are; give one or the other")
        return [_place_of(cell) for cell in _read_cells(cells)]
    if cascade is not None:
        cascade = checked_number("cascade", cascade, 0.0, 1.0)
    if jitter is not None:
        jitter = checked_number("jitter", jitter, 0.0, MOST_JITTER)
    scenario = DEFAULT_SCENARIO if scenario is None else scenario
    platform = DEFAULT_PLATFORM if platform is None else platform
    scenarios = [load_scenario(one) for one in _listed("scenario", scenario)]
    platforms = [load_platform(one) for one in _listed("platform", platform)]
    loads = _range(1.0 if load is None else load)
    return [
        Place(*pair, loads, cascade, jitter, expiry)
        for pair in itertools.product(scenarios, platforms)
    ]


class Sampler:
    """Draws episodes from places, and makes their simulations.

    Args:
        places: Where episodes play, one at least.
        engine: The engine of a scheduler; None where decisions come from outside.
        **options: Further options of `Simulation`.

    Raises:
        ConfigError: A place cannot be simulated.
    """

    def __init__(self, places: Sequence[Place], engine: Engine | None, **options: Any) -> None:
        self._places = places
        self._engine = engine
        self._options = options
        self._original = functools.lru_cache(_KEPT)(self._make)
        self.examples = [self._original(drawn) for drawn in self._largest()]
        """A simulation of each place, at its largest load; not to be run."""

    @property
    def first(self) -> Drawn:
        """A place and load to begin with."""
        return self._largest()[0]

    def draw(self, generator: np.random.Generator) -> Drawn:
        """The place and load of an episode; draws nothing where there is but one."""
        count = len(self._places)
        index = int(generator.integers(count)) if count > 1 else 0
        low, high = self._places[index].loads
        load = high
        if low < high:
            load = round(float(generator.uniform(low, high)), LOAD_DIGITS)
        return Drawn(index, min(max(load, low), high))

    def simulate(self, drawn: Drawn) -> Simulation:
        """A new simulation, at no cost but its own state where the problem is kept."""
        return self._original(drawn).clone()

    def check_frames(self, episode_seconds: float) -> None:
        """Raise `ConfigError` where an episode might have nothing to schedule."""
        for index, place in enumerate(self._places):
            # The higher the load, the earlier are default deadlines.
            example = self._original(Drawn(index, place.loads[0]))
            example.check_frames(episode_seconds, "episode_seconds")

    def _largest(self) -> list[Drawn]:
        return [Drawn(index, place.loads[1]) for index, place in enumerate(self._places)]

    def _make(self, drawn: Drawn) -> Simulation:
        place, load = self._places[drawn.place], drawn.load
        scenario = vary(place.scenario, load=load, cascade=place.cascade, jitter=place.jitter)
        options = {**self._options, "load": load, "expiry": place.expiry}
        if place.contention is not None:
            options["contention"] = place.contention
        return Simulation(scenario, place.platform, self._engine, **options)


def _place_of(cell: Cell) -> Place:
    # The cell's cascade and jitter are in its workload.
    loads = cell.load, cell.load
    return Place(cell.workload, cell.hardware, loads, None, None, cell.expiry, cell.contention)


def _read_cells(cells: Any) -> list[Cell]:
    if isinstance(cells, str | Mapping) or not isinstance(cells, Sequence) or not cells:
        raise ConfigError(f"cells: expected a list of at least one cell, got {cells!r}")
    return [
        cell
        if isinstance(cell, Cell)
        else resources.validate(_mapping(index, cell), Cell, origin=f"cells.{index}")
        for index, cell in enumerate(cells)
    ]


def _mapping(index: int, cell: Any) -> dict[str, Any]:
    if not isinstance(cell, Mapping):
        raise ConfigError(
            f"cells.{index}: expected a cell or a mapping of its fields, got {cell!r}"
        )
    return dict(cell)


def _range(load: Any) -> tuple[float, float]:
    ends = load if isinstance(load, tuple | list) else (load, load)
    if len(ends) != 2:
        raise ConfigError(f"load: expected a number or a range (low, high), got {load!r}")
    low, high = (checked_number("load", end, LEAST_LOAD, MOST_LOAD) for end in ends)
    if low > high:
        raise ConfigError(f"load: expected a range (low, high) with low <= high, got {load!r}")
    return low, high


def _listed(field: str, value: Any) -> list[Any]:
    if isinstance(value, str | Path | Scenario | Platform):
        return [value]
    if not isinstance(value, Sequence) or not value:
        raise ConfigError(f"{field}: expected one, or a list of at least one, got {value!r}")
    return list(value)
