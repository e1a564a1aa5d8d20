"""Where a cell gets interesting: the loads at which schedulers begin to miss deadlines.

A scheduler *begins to miss* at the least load at which any frame is violated in any of a few
training worlds, with soft deadlines. Violations are not monotone in load (at some higher load all
deadlines may be met again), so loads are scanned and not bisected: upward in steps of 0.01, or of
a hundredth of the load where that is more; then in steps of 0.001 within the last of those. The
*edge load* is halfway between where FCFS begins to miss and where the best of the others
does, rounded to 0.001, half up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dream_gym.analysis.suites.profile import profile
from dream_gym.analysis.suites.suite import PolicySpec, Suite, Tuning
from dream_gym.errors import DreamGymError
from dream_gym.players import Player, make_player
from dream_gym.simulator import Cell
from dream_gym.units import NS_PER_MS, NS_PER_S
from dream_gym.workload import ModelSpec, training_seeds

BASELINE = "fcfs"
OTHERS = ("edf", "dream_mapscore")
GRID = 1000
"""Loads are multiples of 1/1000."""
COARSE = GRID // 100
FINENESS = 100
"""Steps of the first scan: 0.01, or a hundredth of the load where that is more."""


@dataclass(frozen=True)
class Calibration:
    """The loads that matter for a scenario on a platform.

    Args:
        begins_to_miss: The load at which each scheduler begins to miss, by id.
        infeasible_from: The least load at which a model cannot meet its deadline even
            alone on the platform, by name; only models that have one up to the largest load in
            `begins_to_miss`.
        utilisation_one: The load at which the utilisation of `Profile` is 1.
        edge_load: Halfway between FCFS and the best other.
    """

    begins_to_miss: dict[str, float]
    infeasible_from: dict[str, float]
    utilisation_one: float
    edge_load: float

    @property
    def best_other(self) -> str:
        """The scheduler, other than FCFS, that begins to miss last."""
        return max(OTHERS, key=lambda name: self.begins_to_miss[name])


def calibrate(
    scenario: str,
    platform: str,
    *,
    seeds: int = 4,
    seconds: float = 2.0,
    on_load: Callable[[str, float], None] = lambda scheduler, load: None,
) -> Calibration:
    """Find the loads at which FCFS, EDF and DREAM (default parameters) begin to miss deadlines.

    Args:
        scenario: Name of a scenario or path of its file.
        platform: Name of a platform or path of its file.
        seeds: Number of training seeds.
        seconds: Simulated time per seed and load.
        on_load: Called with the scheduler and the load before each load is tried.

    Raises:
        ConfigError: The time is too short for any deadline.
        DreamGymError: A scheduler misses nothing up to four times the load that keeps all
            accelerators busy.
    """
    cell = Cell(scenario=scenario, platform=platform, expiry="soft")
    utilisation = profile(cell.workload, cell.hardware).utilisation
    limit = int(4 * GRID / utilisation)
    cell.at_load(limit / GRID).check_frames(seconds)
    worlds = training_seeds(seeds)
    steps: dict[str, int] = {}
    for name in (BASELINE, *OTHERS):
        policy = make_player(name)

        def misses(step: int, policy: Player = policy) -> bool:
            on_load(policy.name, step / GRID)
            at_load = cell.at_load(step / GRID)
            return any(policy.run(at_load, seed, seconds).mean_violation_rate for seed in worlds)

        first = _first_step(misses, limit)
        if first is None:
            raise DreamGymError(
                f"{scenario} on {platform}: {name} misses no deadline up to load {limit / GRID:g}"
            )
        steps[name] = first
    best_other = max(steps[name] for name in OTHERS)
    return Calibration(
        begins_to_miss={name: step / GRID for name, step in steps.items()},
        infeasible_from=_infeasible_from(cell, max(steps.values())),
        utilisation_one=1 / utilisation,
        edge_load=(steps[BASELINE] + best_other + 1) // 2 / GRID,
    )


def _first_step(holds: Callable[[int], bool], limit: int) -> int | None:
    """The first step up to a limit at which something holds, scanned coarsely, then finely."""
    start = 1
    while start <= limit:
        steps = range(start, min(start + max(COARSE, start // FINENESS), limit + 1))
        if holds(steps[-1]):
            return next(step for step in steps if holds(step))
        start = steps[-1] + 1
    return None


def _infeasible_from(cell: Cell, last_step: int) -> dict[str, float]:
    """The least load up to a limit at which each model's period is too short for it alone."""
    found: dict[str, float] = {}
    models = zip(cell.workload.models, profile(cell.workload, cell.hardware).models, strict=True)
    for spec, alone in models:

        def cannot_meet(
            step: int, spec: ModelSpec = spec, needed_ms: float = alone.needed_ms
        ) -> bool:
            period_ns = int(NS_PER_S * GRID / (spec.rate * step))
            deadline_ms = period_ns / NS_PER_MS if spec.deadline_ms is None else spec.deadline_ms
            return needed_ms > deadline_ms

        step = next(filter(cannot_meet, range(1, last_step + 1)), None)
        if step is not None:
            found[spec.name] = step / GRID
    return found


def sweep_suite(
    scenario: str, platform: str, centre: float, *, seeds: int = 20, seconds: float = 5.0
) -> Suite:
    """The benchmark of 11 loads around one, in steps of 0.02, with soft deadlines.

    Args:
        scenario: Name of a scenario or path of its file.
        platform: Name of a platform or path of its file.
        centre: The load in the middle.
        seeds: Number of evaluation seeds.
        seconds: Simulated time per seed.
    """
    middle = round(centre * GRID)
    steps = [middle + 2 * COARSE * offset for offset in range(-5, 6)]
    cell = Cell(scenario=scenario, platform=platform, expiry="soft")
    values: tuple[Any, ...] = (0, 0.5, 1, 1.5, 2)
    tuned = PolicySpec(
        scheduler="dream_mapscore",
        name="dream_mapscore (tuned)",
        tune=Tuning(grid={"alpha": values, "beta": values}),
    )
    return Suite(
        schema=1,
        name=f"loads around {centre:g}",
        cells=tuple(cell.at_load(step / GRID) for step in steps if step > 0),
        policies=(*(PolicySpec(scheduler=name) for name in (BASELINE, *OTHERS)), tuned),
        seeds=seeds,
        seconds=seconds,
    )
