"""The cells of an environment: scenarios, platforms and loads that an episode is drawn from."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, load_platform
from dream_gym.simulator import Engine, Simulation
from dream_gym.workload import Scenario, load_scenario

OneScenario: TypeAlias = str | Path | Scenario
OnePlatform: TypeAlias = str | Path | Platform
Scenarios: TypeAlias = OneScenario | Sequence[OneScenario]
Platforms: TypeAlias = OnePlatform | Sequence[OnePlatform]
Load: TypeAlias = float | tuple[float, float]


class Cells:
    """All pairs of some scenarios and platforms, and a range of loads.

    Args:
        scenario: One scenario, or a list to draw from.
        platform: One platform, or a list to draw from.
        load: A factor on every rate, or a range to draw it from, uniformly.
        engine: The engine of a scheduler; None where decisions come from outside.
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
        **options: Any,
    ) -> None:
        scenarios = [load_scenario(one) for one in _listed("scenario", scenario)]
        platforms = [load_platform(one) for one in _listed("platform", platform)]
        self._pairs = list(itertools.product(scenarios, platforms))
        self._engine = engine
        self._options = options
        self._low, self._high = load if isinstance(load, tuple | list) else (load, load)
        if not 0 < self._low <= self._high:
            raise ConfigError(f"load: expected a positive number or a range, got {load!r}")
        self.examples = [self._make(index, self._high) for index in range(len(self._pairs))]
        """A simulation of each pair, at the largest load."""

    @property
    def varies(self) -> bool:
        """Whether episodes are drawn from more than one cell."""
        return len(self._pairs) > 1 or self._low < self._high

    def twin(self) -> Cells:
        """The same cells, with runs of their own."""
        other = copy.copy(self)
        other.examples = [example.twin() for example in self.examples]
        return other

    def draw(self, generator: np.random.Generator) -> Simulation:
        """The simulation of an episode; draws nothing where there is but one."""
        index = int(generator.integers(len(self._pairs))) if len(self._pairs) > 1 else 0
        if self._low < self._high:
            return self._make(index, float(generator.uniform(self._low, self._high)))
        return self.examples[index]

    def _make(self, index: int, load: float) -> Simulation:
        return Simulation(*self._pairs[index], self._engine, load=load, **self._options)


def _listed(field: str, value: Any) -> list[Any]:
    if isinstance(value, str | Path | Scenario | Platform):
        return [value]
    if not isinstance(value, Sequence) or not value:
        raise ConfigError(f"{field}: expected one, or a list of at least one, got {value!r}")
    return list(value)
