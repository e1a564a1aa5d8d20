"""The simulator in one call."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from dream_gym.arguments import checked_flag
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, load_platform
from dream_gym.players import EnginePlayer, make_player
from dream_gym.schedulers import BuiltinScheduler, Scheduler
from dream_gym.simulator import Cell, Result, Simulation, check_invariants
from dream_gym.workload import Scenario, load_scenario


def generate(seed: int) -> Cell:
    """A random workload: the cell that the generator draws for a seed; docs/generator.md.

    Args:
        seed: In [0, 2^63); those of the test range, from 2·10^9 on, are for published figures.

    Raises:
        ConfigError: The seed is out of range.
    """
    return Cell.generated(seed)


def simulate(
    scenario: str | Path | Scenario,
    platform: str | Path | Platform,
    scheduler: str | BuiltinScheduler | Scheduler,
    *,
    seconds: float,
    seed: int = 0,
    load: float | Fraction = 1.0,
    expiry: str | None = None,
    energy_norm: str = "charged",
    contention: bool | None = None,
    decision_ns: int = 0,
    record: bool = False,
    validate: bool = False,
    **options: Any,
) -> Result:
    """Simulate one run of a scheduler.

    Args:
        scenario: A name (``ar_social``), the path of a YAML file, or a `Scenario`.
        platform: A name (``4k_1ws_2os``), the path of a YAML file, or a `Platform`.
        scheduler: Who decides: a reference such as ``dream_full``, ``tuned:FILE``,
            ``rollout:BASE``, ``python:MODULE.CLASS`` or ``agent:FOLDER``, see `make_player`; or a
            scheduler of your own, compiled or in Python.
        seconds: Simulated time, in which a frame must be due.
        seed: Seed of the world, in [0, 2^63): with one seed, all schedulers face the same frames.
        load: Factor on every rate, and so on default deadlines.
        expiry: ``soft`` lets late frames run on, ``firm`` loses a frame at its deadline; by
            default what the scenario says.
        energy_norm: ``charged`` charges lost frames their worst-case energy in UXCost,
            ``literal`` counts the energy spent only.
        contention: Whether what runs at the same time shares the off-chip bandwidth; by default
            what the platform says.
        decision_ns: Time that the scheduler needs for each dispatch, in ns: it decides one after
            the other, and each starts that much later.
        validate: Whether to check what must hold in every run, which doubles the time.
        record: Whether the result holds the tables ``frames`` and ``timeline``.
        **options: Options of the scheduler, such as ``alpha=0.5``.

    Returns:
        The outcome; see `Result`.

    Raises:
        ConfigError: An argument or a file is at fault; the message names it and the field.
        SchedulerError: A scheduler in Python raised, or chose something impossible.
        InvariantError: With `validate`, something does not hold.

    Example:
        >>> result = simulate("ar_social", "4k_1ws_2os", "dream_mapscore", seconds=1.0)
        >>> result.uxcost >= result.lower_bound
        True
    """
    checked_flag("record", record)
    checked_flag("validate", validate)
    workload, hardware = load_scenario(scenario), load_platform(platform)
    player = make_player(scheduler, options)
    if isinstance(player, EnginePlayer):
        simulation = Simulation(
            workload,
            hardware,
            player.engine(workload, hardware),
            load=load,
            expiry=expiry,
            energy_norm=energy_norm,
            contention=contention,
            decision_ns=decision_ns,
        )
        simulation.check_frames(seconds)
        simulation.parameters[: len(player.parameters)] = player.parameters
        simulation.reset(seed=seed, seconds=seconds, record=record or validate)
        simulation.advance(simulation.horizon_ns)
        result = simulation.result()
    else:
        if (energy_norm, contention, decision_ns) != ("charged", None, 0):
            raise ConfigError(
                f"{player.name}: energy_norm, contention and decision_ns are options of schedulers"
            )
        cell = Cell.of(workload, hardware, load=float(load), expiry=expiry)
        simulation = cell.simulation()
        simulation.check_frames(seconds)
        result = player.run(cell, seed, seconds, record=record or validate)
    if validate:
        check_invariants(result, simulation.problem)
    return result if record else replace(result, frames=None, timeline=None)
