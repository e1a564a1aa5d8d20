"""The cells of an environment: scenarios, platforms and loads that an episode is drawn from."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dream_gym.arguments import checked_number
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, load_platform
from dream_gym.simulator import Engine, Simulation
from dream_gym.workload import Scenario, load_scenario, vary

OneScenario: TypeAlias = str | Path | Scenario
OnePlatform: TypeAlias = str | Path | Platform
Scenarios: TypeAlias = OneScenario | Sequence[OneScenario]
Platforms: TypeAlias = OnePlatform | Sequence[OnePlatform]
Load: TypeAlias = float | tuple[float, float]

LOAD_DIGITS = 3
"""Digits of a drawn load."""
LEAST_LOAD, MOST_LOAD = 0.001, 1000.0
MOST_JITTER = 0.999
_KEPT = 256
"""Problems that an environment and its twins keep together, of about 0.1 MB each."""


class Cell(NamedTuple):
    """What an episode plays in."""

    pair: int
    """Index among the pairs of a scenario and a platform."""
    load: float


class Cells:
    """All pairs of some scenarios and platforms, and a range of loads.

    Args:
        scenario: One scenario, or a list to draw from.
        platform: One platform, or a list to draw from.
        load: A factor on every rate, or a range to draw it from, uniformly.
        engine: The engine of a scheduler; None where decisions come from outside.
        cascade: See `vary`.
        jitter: See `vary`.
        **options: Further options of `Simulation`.

    Raises:
        ConfigError: An argument is malformed.
    """

    def __init__(
        self,
        scenario: Scenarios,
        platform: Platforms,
        load: Load,
        engine: Engine | None,
        *,
        cascade: float | None = None,
        jitter: float | None = None,
        **options: Any,
    ) -> None:
        if cascade is not None:
            cascade = checked_number("cascade", cascade, 0.0, 1.0)
        if jitter is not None:
            jitter = checked_number("jitter", jitter, 0.0, MOST_JITTER)
        scenarios = [load_scenario(one) for one in _listed("scenario", scenario)]
        platforms = [load_platform(one) for one in _listed("platform", platform)]
        self._pairs = list(itertools.product(scenarios, platforms))
        self._engine = engine
        self._chances = {"cascade": cascade, "jitter": jitter}
        self._options = options
        self._low, self._high = _range(load)
        self._original = functools.lru_cache(_KEPT)(self._make)
        self.examples = [self._original(cell) for cell in self._largest()]
        """A simulation of each pair, at the largest load; not to be run."""

    @property
    def first(self) -> Cell:
        """A cell to begin with."""
        return self._largest()[0]

    def draw(self, generator: np.random.Generator) -> Cell:
        """The cell of an episode; draws nothing where there is but one."""
        pair = int(generator.integers(len(self._pairs))) if len(self._pairs) > 1 else 0
        load = self._high
        if self._low < self._high:
            load = round(float(generator.uniform(self._low, self._high)), LOAD_DIGITS)
        return Cell(pair, min(max(load, self._low), self._high))

    def simulate(self, cell: Cell) -> Simulation:
        """A new simulation of a cell, at no cost but its own state where the problem is kept."""
        return self._original(cell).twin()

    def check_frames(self, episode_seconds: float) -> None:
        """Raise `ConfigError` where an episode might have nothing to schedule."""
        for pair in range(len(self._pairs)):
            # The higher the load, the earlier are default deadlines.
            example = self._original(Cell(pair, self._low))
            example.check_frames(episode_seconds, "episode_seconds")

    def _largest(self) -> list[Cell]:
        return [Cell(pair, self._high) for pair in range(len(self._pairs))]

    def _make(self, cell: Cell) -> Simulation:
        scenario, platform = self._pairs[cell.pair]
        scenario = vary(scenario, load=cell.load, **self._chances)
        return Simulation(scenario, platform, self._engine, load=cell.load, **self._options)


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
