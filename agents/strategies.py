"""Evolution strategies: they ask for points, are told what each costs, and move their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from dream_gym.analysis.extra import cma
from dream_gym.simulator import Floats


class Strategy(Protocol):
    """A search in progress; it can be pickled, and goes on as if it had not been."""

    @property
    def mean(self) -> Floats:
        """Where it is: float64 (dimensions,)."""

    @property
    def step_size(self) -> float:
        """How far from there it looks."""

    def ask(self) -> Sequence[Floats]:
        """The points of the next generation."""

    def tell(self, points: Sequence[Floats], costs: Floats) -> None:
        """Learn what these points cost."""


class CmaEs:
    """CMA-ES (Hansen and Ostermeier, 2001), in the package of its authors.

    Args:
        start: Where the search begins.
        population: Points of a generation.
        step_size: How far from the mean the first ones are.
        seed: Of its draws.
    """

    def __init__(self, start: Floats, population: int, step_size: float, seed: int) -> None:
        options = {"popsize": population, "randn": _Normal(seed), "seed": np.nan, "verbose": -9}
        self._search = cma().CMAEvolutionStrategy(start, step_size, options)

    @property
    def mean(self) -> Floats:
        """See `Strategy.mean`."""
        return np.array(self._search.mean)

    @property
    def step_size(self) -> float:
        """See `Strategy.step_size`."""
        return float(self._search.sigma)

    def ask(self) -> Sequence[Floats]:
        """See `Strategy.ask`."""
        points: Sequence[Floats] = self._search.ask()
        return points

    def tell(self, points: Sequence[Floats], costs: Floats) -> None:
        """See `Strategy.tell`."""
        self._search.tell(points, costs.tolist())


class OpenAiEs:
    """Gradient steps along antithetic pairs, for many dimensions (Salimans et al., 2017).

    Costs count by their ranks; the steps are Adam's (Kingma and Ba, 2015).

    Args:
        start: Where the search begins.
        population: Points of a generation, in pairs.
        step_size: How far from the mean they are.
        learning_rate: Of Adam.
        seed: Of its draws.
    """

    def __init__(
        self, start: Floats, population: int, step_size: float, learning_rate: float, seed: int
    ) -> None:
        self.mean = start.copy()
        self.step_size = step_size
        self._pairs = population // 2
        self._learning_rate = learning_rate
        self._normal = _Normal(seed)
        self._first, self._second = np.zeros_like(start), np.zeros_like(start)
        self._steps = 0

    def ask(self) -> Sequence[Floats]:
        """See `Strategy.ask`; the pairs are points i and i + population / 2."""
        noise = self.step_size * self._normal(self._pairs, len(self.mean))
        return list(np.concatenate([self.mean + noise, self.mean - noise]))

    def tell(self, points: Sequence[Floats], costs: Floats) -> None:
        """See `Strategy.tell`."""
        ranks = np.empty(len(costs))
        ranks[np.argsort(costs, kind="stable")] = np.linspace(-0.5, 0.5, len(costs))
        offsets = (np.array(points) - self.mean) / self.step_size**2
        gradient = ranks @ offsets / len(costs)
        self._steps += 1
        self._first += 0.1 * (gradient - self._first)
        self._second += 0.001 * (gradient**2 - self._second)
        first = self._first / (1 - 0.9**self._steps)
        second = self._second / (1 - 0.999**self._steps)
        self.mean = self.mean - self._learning_rate * first / (np.sqrt(second) + 1e-8)


class _Normal:
    """Draws from a normal distribution."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> Any:
        return self._random.standard_normal(shape)
