"""Where the parameters of schedulers are trained and selected, without an environment."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field, model_validator

from dream_gym.compiling.threads import cores
from dream_gym.generator import STRATA
from dream_gym.players import CompiledPlayer, ManyResults
from dream_gym.players.many import run_many
from dream_gym.reading.resources import Config, validate
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.simulator import Cell, Floats, Simulation
from dream_gym.workload import SELECTION, TRAINING, selection_seeds

Objective: TypeAlias = Literal["uxcost", "violations", "energy"]
KEPT = 1024
"""Cells with their simulations, of about 0.3 MB each."""
SELECTION_WORKLOADS = 60
SELECTION_RUNS = 20
"""At least so many where cells are not generated."""
SELECTION_SECONDS = 5.0
"""As the suites have it."""


class Arguments(Config):
    """What a training on simulations is given in place of an environment's arguments.

    Args:
        generated: Train on so many workloads, the first of the generator's training range.
        load_factors: Factors on their loads, which go round with the workloads.
        cells: Or on these cells, mappings of their fields.
        scenario: Or on the one cell of this and the fields that follow, see `Cell`.
        platform: See `Cell`.
        load: See `Cell`.
        cascade: See `Cell`.
        jitter: See `Cell`.
        expiry: See `Cell`.
        episode_seconds: Simulated time of a run.
        objective: What is to be small: UXCost, the violations, or the energy of all dispatches.
    """

    generated: int = Field(default=0, ge=0, le=len(TRAINING))
    load_factors: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field((1.0,), min_length=1)
    cells: tuple[dict[str, Any], ...] = ()
    scenario: str = "ar_social"
    platform: str = "4k_1ws_2os"
    load: float = 1.0
    cascade: float | None = None
    jitter: float | None = None
    expiry: str | None = None
    episode_seconds: float = Field(default=1.0, gt=0, le=60)
    objective: Objective = "uxcost"

    @model_validator(mode="after")
    def _check_factors(self) -> Arguments:
        if self.load_factors != (1.0,) and not self.generated:
            raise ValueError("load_factors: they are for random workloads: give generated, too")
        return self


class Run(NamedTuple):
    """A world to play: a cell under a seed."""

    cell: Cell
    simulation: Simulation
    """Of the cell; not to be run itself."""
    seed: int


class Worlds:
    """The worlds that a training plays.

    Args:
        arguments: See `Arguments`.
        scheduler: What plays, with any of the parameters that are trained: all have its length.

    Raises:
        ConfigError: An argument is malformed.
    """

    def __init__(self, arguments: dict[str, Any], scheduler: BuiltinScheduler) -> None:
        self._arguments = validate(arguments, Arguments, origin="arguments")
        self.player = CompiledPlayer(scheduler)
        fields = self._arguments.model_dump(
            exclude={"generated", "load_factors", "cells", "episode_seconds", "objective"},
            exclude_none=True,
        )
        self._fields = list(self._arguments.cells) or [fields]
        self._cells = self._arguments.generated or len(self._fields)
        self._place = functools.lru_cache(KEPT)(self._make_place)
        self._place(0)[0].check_frames(self._arguments.episode_seconds, "episode_seconds")

    @property
    def seconds(self) -> float:
        """Simulated time of a run to train on."""
        return self._arguments.episode_seconds

    @property
    def objective(self) -> Objective:
        """What is to be small."""
        return self._arguments.objective

    def draw(self, random: np.random.Generator, count: int) -> list[Run]:
        """Draw worlds to train on, of different cells as far as there are so many."""
        rounds = -(-count // self._cells)
        order = np.concatenate([random.permutation(self._cells) for _ in range(rounds)])
        seeds = random.integers(TRAINING.start, TRAINING.stop, count)
        picked = zip(order[:count].tolist(), seeds.tolist(), strict=True)
        return [Run(*self._place(index), seed) for index, seed in picked]

    @functools.cached_property
    def selection(self) -> list[Run]:
        """Worlds to select on: selection seeds, and workloads of the selection range, too."""
        if self._arguments.generated:
            cells = [self._generated(seed) for seed in SELECTION[:SELECTION_WORKLOADS]]
            return [Run(cell, self._simulation(cell), SELECTION.start) for cell in cells]
        seeds = selection_seeds(-(-SELECTION_RUNS // self._cells))
        return [Run(*self._place(index), seed) for index in range(self._cells) for seed in seeds]

    def train(self, points: Sequence[Floats], runs: Sequence[Run]) -> Floats:
        """The costs of parameters in some worlds.

        Args:
            points: Parameters.
            runs: The worlds.

        Returns:
            Their mean logarithms, float64 (points,).
        """
        logs = self._log_costs(points, runs, self._arguments.episode_seconds)
        means: Floats = logs.reshape(len(runs), len(points)).mean(axis=0)
        return means

    def select(self, parameters: Floats) -> float:
        """The geometric mean of the costs of parameters in the worlds to select on."""
        return float(
            np.exp(self._log_costs([parameters], self.selection, SELECTION_SECONDS).mean())
        )

    def _log_costs(self, points: Sequence[Floats], runs: Sequence[Run], seconds: float) -> Floats:
        played = run_many(
            [run.simulation for run in runs for _ in points],
            [run.seed for run in runs for _ in points],
            np.tile(points, (len(runs), 1)),
            seconds,
            cores(),
        )
        logs: Floats = np.log(costs_of(played, self._arguments.objective))
        return logs

    def _simulation(self, cell: Cell) -> Simulation:
        return cell.simulation(self.player.engine(cell.workload, cell.hardware))

    def _generated(self, seed: int) -> Cell:
        """A workload at its factor, which is another one in each round of the strata."""
        factors, cell = self._arguments.load_factors, Cell.generated(seed)
        return cell.at_load(cell.load * factors[(seed + seed // STRATA) % len(factors)])

    def _make_place(self, index: int) -> tuple[Cell, Simulation]:
        if self._arguments.generated:
            cell = self._generated(TRAINING[index])
        else:
            cell = validate(self._fields[index], Cell, origin=f"cells.{index}")
        return cell, self._simulation(cell)


def costs_of(played: ManyResults, objective: Objective) -> Floats:
    """What is to be small, positive."""
    if objective == "uxcost":
        return played.uxcost
    if objective == "energy":
        energies: Floats = played.spent_energy_pj.sum(axis=1) + 1.0
        return energies
    # Where nothing is violated, half a violation, as in UXCost.
    frames = np.maximum(played.frames.sum(axis=1), 1)
    costs: Floats = np.maximum(played.violations.sum(axis=1), 0.5) / frames
    return costs
