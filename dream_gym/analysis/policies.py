"""Policies: whatever can play a cell of a benchmark under a seed."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np

from dream_gym.analysis.cells import Cell
from dream_gym.analysis.suite import OptionValue, PolicySpec, Tuning
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Result, Simulation
from dream_gym.workload.seeds import training_seeds


class Policy(Protocol):
    """One contestant; the outcome of `run` depends on its arguments only. It can be pickled."""

    @property
    def name(self) -> str:
        """What tables and plots call it; unique in a benchmark."""

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Play one world.

        Args:
            cell: Scenario, platform, load and expiry.
            seed: Seed of the world.
            seconds: Simulated time.
            record: Whether the result holds the frames and the timeline.
        """

    @property
    def settings(self) -> dict[str, Any]:
        """What it is, ready for JSON: all that its runs depend on, but for their arguments."""


class SchedulerPolicy:
    """A built-in scheduler with fixed options.

    Args:
        scheduler: Its id, or ``tuned:FILE``.
        options: Its options; defaults for those not named.
        name: What tables call it, by default its id.
    """

    def __init__(
        self, scheduler: str, options: dict[str, OptionValue] | None = None, *, name: str = ""
    ) -> None:
        self.name = name or scheduler
        self._scheduler = get_scheduler(scheduler)
        self._options = {**self._scheduler.preset, **(options or {})}
        self._parameters = self._scheduler.configure(**self._options).parameters()
        self._latest: tuple[Cell, Simulation] | None = None

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Simulate the scheduler; see `Policy.run`."""
        simulation = self._simulation(cell)
        simulation.reset(seed=seed, seconds=seconds, record=record)
        simulation.advance(simulation.horizon_ns)
        return simulation.result()

    @property
    def settings(self) -> dict[str, Any]:
        """Its id and the options given."""
        return {"scheduler": self._scheduler.name, "options": self._options}

    def __reduce__(self) -> tuple[Any, ...]:
        return _scheduler_policy, (self._scheduler.name, self._options, self.name)

    def _simulation(self, cell: Cell) -> Simulation:
        """The simulation of a cell; the latest is kept, since seeds follow one another."""
        if self._latest is None or self._latest[0] is not cell:
            simulation = Simulation(
                cell.workload,
                cell.hardware,
                self._scheduler.engine,
                load=cell.load,
                expiry=cell.expiry,
            )
            simulation.parameters[: len(self._parameters)] = self._parameters
            self._latest = cell, simulation
        return self._latest[1]


def _scheduler_policy(
    scheduler: str, options: dict[str, OptionValue], name: str
) -> SchedulerPolicy:
    """Make a pickled policy again."""
    return SchedulerPolicy(scheduler, options, name=name)


class TunedPolicy:
    """A built-in scheduler with the options that are best on training seeds, cell by cell.

    Args:
        scheduler: Its id.
        tuning: What is searched, and on what.
        options: Options that are not searched.
        name: What tables call it.
    """

    def __init__(
        self,
        scheduler: str,
        tuning: Tuning,
        options: dict[str, OptionValue] | None = None,
        *,
        name: str = "",
    ) -> None:
        self.name = name or f"{scheduler} (tuned)"
        self.tuning = tuning
        self._scheduler = scheduler
        self._options = dict(options or {})

    @property
    def settings(self) -> dict[str, Any]:
        """Its id, the options given, and what is searched."""
        return {
            "scheduler": self._scheduler,
            "options": self._options,
            "tuning": self.tuning.model_dump(mode="json"),
        }

    def search(self, cell: Cell) -> dict[str, OptionValue]:
        """The best point of the grid on a cell: least mean UXCost, the first of several."""
        points = self.tuning.combinations()
        costs = [self._mean_uxcost(self.settled(point), cell) for point in points]
        return points[int(np.argmin(costs))]

    def settled(self, point: dict[str, OptionValue]) -> SchedulerPolicy:
        """The scheduler at a point of the grid."""
        return SchedulerPolicy(self._scheduler, {**self._options, **point}, name=self.name)

    def _mean_uxcost(self, candidate: SchedulerPolicy, cell: Cell) -> float:
        seeds = training_seeds(self.tuning.seeds)
        costs = [candidate.run(cell, seed, self.tuning.seconds).uxcost for seed in seeds]
        return float(np.mean(costs))


Contestant: TypeAlias = Policy | TunedPolicy
"""A policy, or one that is first to be tuned on each cell."""


def make_policy(spec: PolicySpec) -> Contestant:
    """What a suite describes."""
    if spec.tune is None:
        return SchedulerPolicy(spec.scheduler, spec.options, name=spec.title)
    return TunedPolicy(spec.scheduler, spec.tune, spec.options, name=spec.title)
