"""The search for the best options of a scheduler on a cell, by CMA-ES."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dream_gym.analysis.extra import cma
from dream_gym.analysis.measures.statistics import Interval, paired_ratio
from dream_gym.analysis.runs.parts import NOTHING_KEPT, Parts
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.compiling.sources import package_digest
from dream_gym.errors import ConfigError
from dream_gym.players import OptionValue, make_player
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Cell
from dream_gym.workload import selection_seeds, training_seeds

Point: TypeAlias = tuple[tuple[str, OptionValue], ...]
"""Options by name; hashable."""

FINALISTS = 5
"""Points that selection seeds choose from, beside the defaults."""
_STEP = 0.3
"""First standard deviation of CMA-ES, as a share of each range; its authors' advice."""
_DIGITS = 4


class Axis(NamedTuple):
    """An option to search.

    Args:
        name: Its name.
        low: Its least value.
        high: Its largest value.
        whole: Whether it is an integer.
    """

    name: str
    low: float
    high: float
    whole: bool

    def value(self, share: float) -> OptionValue:
        """The value at a share of the range, rounded to what is written to files."""
        value = self.low + share * (self.high - self.low)
        return round(value) if self.whole else round(value, _DIGITS)


def search_axes(scheduler: str, names: Sequence[str], fixed: Iterable[str]) -> list[Axis]:
    """The axes of a search.

    Args:
        scheduler: Id of a scheduler.
        names: Options to search; none for all that have a range and are not fixed.
        fixed: Options that are fixed.

    Raises:
        ConfigError: A name is not an option, has no range, or is fixed; or nothing is left.
    """
    fields = get_scheduler(scheduler).options.model_fields
    ranges: dict[str, Axis] = {}
    for name, field in fields.items():
        low = [item.ge for item in field.metadata if hasattr(item, "ge")]
        high = [item.le for item in field.metadata if hasattr(item, "le")]
        if low and high:
            ranges[name] = Axis(name, float(low[0]), float(high[0]), field.annotation is int)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"search: {name!r} is given twice")
        if name not in ranges:
            known = ", ".join(ranges) or "none"
            raise ConfigError(f"search: {name!r} is no number of {scheduler}; it has {known}")
        if name in fixed:
            raise ConfigError(f"search: {name!r} is fixed, by --option or by the tuned file")
    axes = [ranges[name] for name in (names or ranges) if name not in fixed]
    if not axes:
        raise ConfigError(f"search: {scheduler} has no numbers to search")
    return axes


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Args:
        options: The best options, the fixed ones included.
        uxcost: Their mean UXCost on selection seeds.
        default_uxcost: That of the defaults, with the fixed options.
        ratio: Their UXCost over that of the defaults, geometric mean over the selection seeds,
            with its interval; these seeds chose the options among the finalists, so that others
            may show a little less.
        training_uxcost: Mean UXCost of the best options on training seeds.
        evaluations: Points that were tried.
    """

    options: dict[str, OptionValue]
    uxcost: float
    default_uxcost: float
    ratio: Interval
    training_uxcost: float
    evaluations: int


def search(
    scheduler: str,
    cell: Cell,
    axes: Sequence[Axis],
    *,
    fixed: dict[str, OptionValue],
    seeds: int,
    seconds: float,
    evaluations: int,
    search_seed: int = 0,
    workers: int = 1,
    parts: Parts = NOTHING_KEPT,
    on_points: Callable[[int], None] = lambda count: None,
) -> Found:
    """Search for the options of least mean UXCost.

    CMA-ES uses training seeds. Selection seeds then choose among the best of its points and the
    defaults, since the best of many on few seeds looks better than it is. The outcome is the same
    for any number of workers, and whether or not the search was interrupted: a resumed search is
    replayed from its start, with the points that were kept.

    Args:
        scheduler: Id of the scheduler.
        cell: Where it plays.
        axes: What is searched.
        fixed: Options that are not searched.
        seeds: Number of seeds, for training and for selection.
        seconds: Simulated time per seed.
        evaluations: Approximate number of points to try: CMA-ES runs whole generations.
        search_seed: Seed of CMA-ES.
        workers: Number of processes.
        parts: Where to keep the finished points, see `parts.keep_parts`.
        on_points: Called with a number of points after they are done.

    Raises:
        ConfigError: An argument is out of range.
        DreamGymError: The package cma is missing.
    """
    for name, number in (("evaluations", evaluations), ("workers", workers)):
        if number < 1:
            raise ConfigError(f"{name}: expected at least 1, got {number}")
    if not 0 <= search_seed < 2**31:
        raise ConfigError(f"search_seed: expected 0 to 2^31 - 1, got {search_seed}")
    cell.check_frames(seconds)
    train, select = tuple(training_seeds(seeds)), tuple(selection_seeds(seeds))
    get_scheduler(scheduler).configure(**fixed)
    defaults: Point = tuple(fixed.items())
    job = _Job(scheduler, cell, seconds, cell.digest())
    costs: dict[Point, float] = {}
    with processes(job, workers) as pool:

        def play(points: Sequence[Point], worlds: tuple[int, ...]) -> list[list[float]]:
            tasks = [_Task(point, worlds) for point in points]
            return run_tasks(job, tasks, pool, parts=parts, on_done=lambda task: on_points(1))

        def evaluate(shares: Sequence[Sequence[float]]) -> list[float]:
            points = [
                defaults + tuple((axis.name, axis.value(share)) for axis, share in pairs)
                for pairs in (list(zip(axes, row, strict=False)) for row in shares)
            ]
            costs.update(zip(points, map(_mean, play(points, train)), strict=True))
            return [costs[point] for point in points]

        costs[defaults] = _mean(play([defaults], train)[0])
        minimise(evaluate, len(axes), evaluations=evaluations, seed=search_seed)
        ranked = sorted(costs, key=lambda point: costs[point])
        finalists = [defaults, *(point for point in ranked if point != defaults)][: 1 + FINALISTS]
        selected = play(finalists, select)
    best = int(np.argmin([_mean(row) for row in selected]))
    return Found(
        options=dict(finalists[best]),
        uxcost=_mean(selected[best]),
        default_uxcost=_mean(selected[0]),
        ratio=paired_ratio(selected[best], selected[0]),
        training_uxcost=costs[finalists[best]],
        evaluations=len(costs),
    )


def minimise(
    evaluate: Callable[[Sequence[Sequence[float]]], list[float]],
    dimensions: int,
    *,
    evaluations: int,
    seed: int,
) -> None:
    """Minimise a function on the unit cube with CMA-ES.

    Args:
        evaluate: Returns the values at some points, which have at least two coordinates; those
            beyond `dimensions` are to be ignored.
        dimensions: Number of dimensions.
        evaluations: No generation begins after this many points.
        seed: Seed of the search.
    """
    start = np.full(max(dimensions, 2), 0.5)  # cma cannot search in one dimension
    options = {"bounds": [0.0, 1.0], "seed": seed + 1, "verbose": -9}  # seed 0 means the clock
    strategy = cma().CMAEvolutionStrategy(start, _STEP, options)
    done = 0
    while done < evaluations and not strategy.stop():
        points = strategy.ask()
        strategy.tell(points, evaluate(points))
        done += len(points)


class _Task(NamedTuple):
    """Options that are to play some worlds."""

    point: Point
    seeds: tuple[int, ...]


@dataclass
class _Job:
    """What the points of a search have in common."""

    scheduler: str
    cell: Cell
    seconds: float
    digest: str

    def key(self, task: _Task) -> Any:
        """See `pool.Job`."""
        versions = [version(package) for package in ("numpy", "numba")]
        policy = make_player(self.scheduler, dict(task.point))
        where = [package_digest(), versions, self.digest]
        return ["tune", *where, policy.settings, task.seeds, self.seconds]

    def run(self, task: _Task) -> list[float]:
        """See `pool.Job`: UXCost by seed."""
        policy = make_player(self.scheduler, dict(task.point))
        return [policy.run(self.cell, seed, self.seconds).uxcost for seed in task.seeds]


def _mean(costs: Sequence[float]) -> float:
    return math.fsum(costs) / len(costs)
