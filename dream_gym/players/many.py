"""Many runs at once, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dream_gym.arguments import checked_integer
from dream_gym.compiling.threads import Pieces, cores, run_in_threads
from dream_gym.errors import ConfigError
from dream_gym.players.references import make_player
from dream_gym.players.scheduler import CompiledPlayer
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.simulator import Cell, Floats, Ints, Simulation

MOST_THREADS = 1024
_COUNTED = ("frames", "violations", "lost", "spent_energy_pj")


@dataclass(frozen=True)
class ManyResults:
    """The outcomes of many runs, a row each.

    Args:
        seconds: Simulated time of each run.
        uxcost: UXCost at the end, float64 (worlds,).
        dispatches: Number of dispatches, int64 (worlds,).
        frames: Frames of each model, int64 (worlds, models); 0 where a world has fewer models.
        violations: How many of them violated their deadline, likewise.
        lost: How many of them were lost, likewise.
        spent_energy_pj: Energy of all dispatches by model, likewise.
    """

    seconds: float
    uxcost: Floats
    dispatches: Ints
    frames: Ints
    violations: Ints
    lost: Ints
    spent_energy_pj: Ints


def simulate_many(
    cells: Cell | Sequence[Cell],
    scheduler: str | BuiltinScheduler,
    seeds: int | Sequence[int],
    *,
    seconds: float,
    parameters: ArrayLike | None = None,
    threads: int | None = None,
    **options: Any,
) -> ManyResults:
    """Simulate many runs of a compiled scheduler at once: world i is cell i under seed i.

    Each run has the bits that `simulate` gives it, for any number of threads.

    Args:
        cells: A cell for each world, or one for all. Worlds of one cell are played fastest where
            they follow one another.
        scheduler: The id of a compiled scheduler, a reference such as ``tuned:FILE``, or a compiled
            scheduler of your own.
        seeds: A seed for each world, or one for all.
        seconds: Simulated time of each run, in which a frame must be due.
        parameters: What replaces the options, in their order: float64 (parameters,), or a row for
            each world. A choice between strings is its position among them.
        threads: The most threads, in [1, 1024]; by default one for each core.
        **options: Options of the scheduler.

    Raises:
        ConfigError: An argument is out of range, or their lengths differ.
        SchedulerError: A scheduler of your own decided something impossible.

    Example:
        >>> cell = Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.2)
        >>> points = [[alpha, 1.0, 0.0] for alpha in (0.0, 0.5, 1.0)]
        >>> simulate_many(cell, "dream_full", 7, seconds=1.0, parameters=points).uxcost.shape
        (3,)
    """
    player = make_player(scheduler, options)
    if not isinstance(player, CompiledPlayer):
        raise ConfigError(f"scheduler: {player.name} is not compiled; play its runs one by one")
    cells = [cells] if isinstance(cells, Cell) else list(cells)
    seeds = [seeds] if isinstance(seeds, int | np.integer) else list(seeds)
    points = _points(player, parameters)
    lengths = {"cells": len(cells), "seeds": len(seeds), "parameters": len(points)}
    worlds = max(lengths.values())
    for name, length in lengths.items():
        if length not in (1, worlds):
            raise ConfigError(f"{name}: expected one, or one for each of {worlds}; got {length}")
    most = cores() if threads is None else checked_integer("threads", threads, 1, MOST_THREADS)

    # By identity: the cells stay alive, and to compare two takes longer than to play some.
    first: dict[int, Simulation] = {}
    for cell in cells:
        if id(cell) not in first:
            simulation = cell.simulation(player.engine(cell.workload, cell.hardware))
            simulation.check_frames(seconds)
            first[id(cell)] = simulation
    return run_many([first[id(cell)] for cell in cells], seeds, points, seconds, most)


def run_many(
    simulations: Sequence[Simulation],
    seeds: Sequence[int],
    points: Floats,
    seconds: float,
    threads: int,
    after: Callable[[int, Simulation], None] | None = None,
) -> ManyResults:
    """Run simulations of compiled schedulers, or clones of them, one or more of each.

    Args:
        simulations: One for each world, or for all; they stay as they are.
        seeds: Likewise.
        points: float64 (worlds or 1, parameters) parameters.
        seconds: Simulated time of each run.
        threads: The most threads.
        after: Called in a thread with each world and its simulation at the end, which the next
            world then takes.

    Raises:
        SchedulerError: A scheduler of the user's own decided something impossible.
    """
    worlds = max(len(simulations), len(seeds), len(points))
    models = max(len(simulation.problem.models) for simulation in simulations)
    counts = {name: np.zeros((worlds, models), dtype=np.int64) for name in _COUNTED}
    uxcost, dispatches = np.zeros(worlds), np.zeros(worlds, dtype=np.int64)
    todo = iter(range(worlds))  # shared: each world is taken by one thread
    failed = False

    def play(simulation: Simulation, world: int) -> None:
        simulation.parameters[: points.shape[1]] = points[world % len(points)]
        simulation.reset(seed=seeds[world % len(seeds)], seconds=seconds)
        simulation.advance(simulation.horizon_ns)
        uxcost[world] = simulation.uxcost()
        dispatches[world] = simulation.state.run[0].dispatches
        for name, rows in counts.items():
            rows[world, : len(simulation.state.models)] = simulation.state.models[name]
        if after is not None:
            after(world, simulation)

    def work(pieces: Pieces) -> None:
        nonlocal failed
        latest, own = None, None
        try:
            for world in todo:
                simulation = simulations[world % len(simulations)]
                if own is None or simulation is not latest:
                    latest, own = simulation, simulation.clone()
                play(own, world)
                if failed:
                    return
        except BaseException:  # Ctrl-C, too
            failed = True
            raise

    run_in_threads(work, items=worlds, piece=1, threads=threads)
    return ManyResults(seconds=float(seconds), uxcost=uxcost, dispatches=dispatches, **counts)


def _points(player: CompiledPlayer, parameters: ArrayLike | None) -> Floats:
    """The parameters of all worlds, or of each."""
    expected = len(player.parameters)
    try:
        points = np.array(player.parameters if parameters is None else parameters, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"parameters: expected numbers: {error}") from error
    points = points[np.newaxis] if points.ndim == 1 else points
    if points.ndim != 2 or points.shape[1] != expected:
        raise ConfigError(
            f"parameters: {player.name} has {expected} of them, for all worlds or for each; got an "
            f"array of shape {points.shape}"
        )
    if not np.isfinite(points).all():
        raise ConfigError("parameters: expected finite numbers")
    return points
