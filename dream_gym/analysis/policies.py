"""Policies: whatever can play a cell of a benchmark under a seed."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from dream_gym.analysis.suite import Cell, OptionValue, PolicySpec, Tuning
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Result, Simulation
from dream_gym.workload.seeds import training_seeds


class Policy(Protocol):
    """One contestant; the outcome of `run` depends on its arguments only."""

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

    def settings(self, cell: Cell) -> dict[str, Any]:
        """What it is and what it was set to on a cell, ready for JSON."""


class SchedulerPolicy:
    """A built-in scheduler with fixed options.

    Args:
        scheduler: Its id.
        options: Its options; defaults for those not named.
        name: What tables call it, by default its id.
    """

    def __init__(
        self, scheduler: str, options: dict[str, OptionValue] | None = None, *, name: str = ""
    ) -> None:
        self.name = name or scheduler
        self._scheduler = get_scheduler(scheduler)
        self._options = dict(options or {})
        self._parameters = self._scheduler.configure(**self._options).parameters()
        self._latest: tuple[Cell, Simulation] | None = None

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Simulate the scheduler; see `Policy.run`."""
        simulation = self._simulation(cell)
        simulation.reset(seed=seed, seconds=seconds, record=record)
        simulation.advance(simulation.horizon_ns)
        return simulation.result()

    def settings(self, cell: Cell) -> dict[str, Any]:
        """Its id and the options given."""
        return {"scheduler": self._scheduler.name, "options": self._options}

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
        self._scheduler = scheduler
        self._tuning = tuning
        self._options = dict(options or {})
        self._best: dict[Cell, SchedulerPolicy] = {}

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Simulate the scheduler at its best options, searched at the first call for a cell."""
        return self._tuned(cell).run(cell, seed, seconds, record=record)

    def settings(self, cell: Cell) -> dict[str, Any]:
        """Its id, the options found, and how they were searched."""
        return {**self._tuned(cell).settings(cell), "tuning": self._tuning.model_dump(mode="json")}

    def _tuned(self, cell: Cell) -> SchedulerPolicy:
        if cell not in self._best:
            candidates = [
                SchedulerPolicy(self._scheduler, {**self._options, **point})
                for point in self._tuning.combinations()
            ]
            costs = [self._mean_uxcost(candidate, cell) for candidate in candidates]
            self._best[cell] = candidates[int(np.argmin(costs))]
        return self._best[cell]

    def _mean_uxcost(self, candidate: SchedulerPolicy, cell: Cell) -> float:
        seeds = training_seeds(self._tuning.seeds)
        costs = [candidate.run(cell, seed, self._tuning.seconds).uxcost for seed in seeds]
        return float(np.mean(costs))


def make_policy(spec: PolicySpec) -> Policy:
    """The policy that a suite describes."""
    if spec.tune is None:
        return SchedulerPolicy(spec.scheduler, spec.options, name=spec.title)
    return TunedPolicy(spec.scheduler, spec.tune, spec.options, name=spec.title)
