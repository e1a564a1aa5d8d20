"""Schedulers as players."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np

from dream_gym.hardware import Platform
from dream_gym.schedulers import BuiltinScheduler, Family, get_scheduler
from dream_gym.simulator import Cell, Engine, Floats, Result, Simulation
from dream_gym.workload import Scenario

OptionValue: TypeAlias = int | float | str


class EnginePlayer(ABC):
    """A player that is an engine; the simulation of the latest cell is kept."""

    parameters: Floats = np.empty(0)
    """What its engine reads from the parameters of a run."""

    def __init__(self) -> None:
        self._latest: tuple[Cell, Simulation] | None = None

    @abstractmethod
    def engine(self, scenario: Scenario, platform: Platform) -> Engine:
        """The engine that plays a scenario on a platform."""

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Simulate the scheduler; see `Player.run`."""
        if self._latest is None or self._latest[0] is not cell:  # seeds follow one another
            simulation = cell.simulation(self.engine(cell.workload, cell.hardware))
            simulation.parameters[: len(self.parameters)] = self.parameters
            self._latest = cell, simulation
        simulation = self._latest[1]
        simulation.reset(seed=seed, seconds=seconds, record=record)
        simulation.advance(simulation.horizon_ns)
        return simulation.result()


class CompiledPlayer(EnginePlayer):
    """A compiled scheduler with fixed options.

    Args:
        scheduler: The scheduler.
        options: Its options; its preset, or else defaults, for those not named.
        name: What tables call it, by default its id.

    Raises:
        ConfigError: An option is malformed.
    """

    def __init__(
        self,
        scheduler: BuiltinScheduler,
        options: dict[str, OptionValue] | None = None,
        *,
        name: str = "",
    ) -> None:
        super().__init__()
        self.name = name or scheduler.name
        self.scheduler = scheduler
        self.options = {**scheduler.preset, **(options or {})}
        self._configured = scheduler.configure(**self.options)
        self.parameters = self._configured.parameters()

    @property
    def family(self) -> Family:
        """That of its scheduler."""
        return self.scheduler.family

    @property
    def settings(self) -> dict[str, Any]:
        """Its id and the options given."""
        return {
            "scheduler": self.scheduler.name,
            "family": self.family,
            "options": self.options,
            **self._configured.identity(),
        }

    def engine(self, scenario: Scenario, platform: Platform) -> Engine:
        """That of its scheduler, with room for the models and accelerators."""
        room = self._configured.room(len(scenario.model_names), len(platform.accelerators))
        return self.scheduler.engine._replace(room=room)

    def __reduce__(self) -> tuple[Any, ...]:
        return _compiled, (self.scheduler.name, self.options, self.name)


def _compiled(scheduler: str, options: dict[str, OptionValue], name: str) -> CompiledPlayer:
    """Rebuild a pickled player."""
    return CompiledPlayer(get_scheduler(scheduler), options, name=name)
