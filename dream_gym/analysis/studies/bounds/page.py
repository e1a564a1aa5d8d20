"""The page on bounds, and the tables of the command."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dream_gym.analysis.measures.aggregates import Bootstrap
from dream_gym.analysis.measures.statistics import Interval
from dream_gym.analysis.report.markdown import code, escape
from dream_gym.analysis.report.tables import TextTable
from dream_gym.analysis.studies.bounds.genetic import BLOCKS, POPULATION
from dream_gym.analysis.studies.bounds.study import EXACT, GENETIC, Budget, WindowBounds
from dream_gym.simulator import Cell

Study = Sequence[Sequence[WindowBounds]]
"""The windows of cells, by cell and seed."""

Figure = Callable[[WindowBounds], float]
"""A figure of a window."""

AHEAD = (EXACT, GENETIC)
"""Who knows the future."""

ABOVE = 1.001
"""From this ratio on the proven bound is said to be above the analytic one."""

_PAGE = """# How far schedulers are from the best possible

{verdict}

Windows are {seconds:g} s of simulated time from the start of a world, and short: what is lost or
late at their end weighs more than in a long run. Each of the {seeds} seeds of a cell is a world.
Figures are means over them, with the 95 % interval [low, high] of a bootstrap of the seeds,
stratified by cell; the best of many schedulers looks a little better than it is, because it was
chosen by these very figures. What stands without an interval was the same in all windows.
Schedulers that benchmarks tune play with their fixed options, or their defaults. Supernets run
their original network, for everybody: nobody gains by a lighter variant, and `dream_full` is
`dream_smartdrop`.

* **analytic bound**: no violation, and every layer where it needs least energy.
{exact}* **{genetic}**: MAGMA's genetic search with the future known. Its budget is
  {population} plans × {generations} generations a window; {jobs} jobs a frame. It starts from the
  schedules of the schedulers below.
* **the others**: online schedulers, best first; those that played alike in all windows share a
  row.

All schedules are as played in the simulator, so that their UXCost is attained. A plan keeps no
accelerator idle for what is to come, though the schedule that it was made from may. *To best* is
the geometric mean of UXCost over that of the best known schedule of the same window; *to bound*,
over the {bound} bound.{left_out}

Made by {command}.
"""

_EXACT = """* **proven bound**: by CP-SAT on a relaxation. What is on time between a release and a
  deadline must fit into the time between, on each accelerator. Left out: the order of layers,
  context switches, contention, displacement, what late frames occupy, and the wait for a parent's
  end but for the earliest possible. Nothing is restricted, so it holds for every scheduler. No
  schedule has lower *violation rates*; none whose violation rates are at most the best known ones
  has lower *energies*. No schedule has a lower *UXCost* than the product of both or, if that is
  less, the best known violation rates × the least energy of all.
* **{exact}**: a schedule with the future known, started from one of the others. A frame is cut
  into at most {blocks} blocks of layers; least violation rates, then least energy. Restricted: a
  block runs whole, and brings its input in and takes out what the block before it left, unless it
  goes on where and when that one ends. Relaxed: contention and displacement. Its limit is {limit:g}
  in deterministic time, about seconds, for each of its solutions, two for the proven bound and two
  for the schedule.
* **{exact}, in its model**: the bounds that it proved under these restrictions. They tell how
  nearly it solved its model, and hold for nobody else.
"""

_LEFT_OUT = """ CP-SAT is left out (`--limit 0`): these windows are too large for it, and nothing
but the analytic bound is proven."""


class Line(NamedTuple):
    """A row of a table; ratios as geometric means. What does not apply is None.

    Args:
        names: Who.
        uxcost: UXCost.
        rates: Sum of violation rates.
        energies: Sum of normalised energies.
        violations: Violated frames a window.
        to_best: UXCost over that of the best known schedule.
        to_bound: UXCost over the proven bound.
    """

    names: tuple[str, ...]
    uxcost: Interval | None
    rates: Interval | None
    energies: Interval | None
    violations: Interval | None
    to_best: Interval | None
    to_bound: Interval | None


HEADINGS = (
    "schedule",
    "UXCost",
    "violation rates",
    "energies",
    "violations",
    "to best",
    "to bound",
)


class _Figures:
    """Means and ratios over the windows of a study."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self.windows = [window for windows in study for window in windows]
        self._bootstrap = Bootstrap(len(study), len(study[0]))

    def mean(self, of: Figure) -> Interval | None:
        """The mean of a figure; None if it is NaN everywhere."""
        return self._bootstrap.mean(self._scores(of))

    def ratio(self, of: Figure, to: Figure) -> Interval:
        """The geometric mean of a figure over another."""
        return self._bootstrap.geometric_mean_ratio(self._scores(of), self._scores(to))

    def _scores(self, of: Figure) -> list[list[float]]:
        return [[of(window) for window in windows] for windows in self._study]


def lines(study: Study) -> list[Line]:
    """The rows of cells: bounds, schedules with the future known, and schedulers, best first."""
    figures = _Figures(study)
    bounds = [_bound("analytic bound", figures, lambda window: window.lower_bound)]
    alike: dict[tuple[object, ...], list[str]] = {}
    for name in study[0][0].played:
        if all(name in window.played for window in figures.windows):
            key = (name in AHEAD and name, *(window.played[name] for window in figures.windows))
            alike.setdefault(key, []).append(name)
    played = [_played(tuple(names), figures) for names in alike.values()]
    ahead = sorted(line for line in played if line.names[0] in AHEAD)
    online = [line for line in played if line.names[0] not in AHEAD]
    if study[0][0].proofs is not None:
        proven = _bound("proven bound", figures, lambda window: window.proven_uxcost)
        rates, energies = (figures.mean(_proof(name)) for name in ("rates", "energies"))
        bounds.append(proven._replace(rates=rates, energies=energies))
        rates, energies = (figures.mean(_proof(f"model_{name}")) for name in ("rates", "energies"))
        bounds.append(Line((f"{EXACT}, in its model",), None, rates, energies, None, None, None))
    return bounds + ahead + sorted(online, key=_distance)


def bounds_table(study: Sequence[WindowBounds], title: str) -> TextTable:
    """The table of a cell."""
    rows = tuple(
        (", ".join(line.names), *("" if value is None else _text(value) for value in line[1:]))
        for line in lines([study])
    )
    return TextTable(title, HEADINGS, rows)


def left_out(windows: Sequence[WindowBounds]) -> str:
    """Who has no row in the table of a cell, and why, in words; empty if nobody."""
    found = sum(EXACT in window.played for window in windows)
    if windows[0].proofs is None or found == len(windows):
        return ""
    return f"{EXACT} has no row: it found a schedule in {found} of {len(windows)} windows only."


def bounds_page(
    cells: Sequence[Cell], study: Study, *, seconds: float, budget: Budget, command: str
) -> str:
    """The page, in Markdown."""
    exact = _EXACT.format(exact=EXACT, blocks=budget.blocks, limit=budget.limit)
    text = _PAGE.format(
        verdict=verdict(cells, study),
        seconds=seconds,
        seeds=len(study[0]),
        exact=exact if budget.limit > 0 else "",
        left_out="" if budget.limit > 0 else _LEFT_OUT,
        bound="proven" if budget.limit > 0 else "analytic",
        genetic=GENETIC,
        population=POPULATION,
        generations=budget.generations,
        jobs=BLOCKS,
        command=code(command),
    )
    parts = [text]
    for cell, windows in zip(cells, study, strict=True):
        frames = ", ".join(str(window.frames) for window in windows)
        seeds = ", ".join(str(window.seed) for window in windows)
        about = f"Seeds {seeds}; {frames} frames. {left_out(windows)}".rstrip()
        table = bounds_table(windows, cell.title)
        parts.append(f"## {escape(table.title)}\n\n{about}\n\n{table.markdown()}\n")
    return "\n".join(parts)


def verdict(cells: Sequence[Cell], study: Study) -> str:
    """How far schedulers and bounds are from the best known schedules, in words."""
    figures = _Figures(study)
    proven = study[0][0].proofs is not None
    online = [row for row in lines(study) if row.violations and row.names[0] not in AHEAD]
    first = online[0]
    said = [
        f"Over {len(figures.windows)} windows of {len(study)} cells, the scheduler that comes "
        f"nearest is {', '.join(map(code, first.names))}: its UXCost is {_distances(first)} times "
        + ("what is proven to be the least possible." if proven else "the analytic bound.")
    ]
    listed_first = next(name for name in study[0][0].played if name not in AHEAD)
    said += [
        f"{code(listed_first)}, the first of its suite, is at {_distances(line)} times the bound."
        for line in online[1:]
        if listed_first in line.names
    ]
    gap = _text(figures.ratio(_best, _proven))
    said.append(
        f"The best known schedules themselves are at {gap} times the "
        f"{'proven' if proven else 'analytic'} bound: the truth lies between."
    )
    if proven:
        said.append(_where_proven(cells, study))
    return " ".join(said)


def _where_proven(cells: Sequence[Cell], study: Study) -> str:
    """In which cells the proven bound is above the analytic one, in words."""
    found = []
    for cell, windows in zip(cells, study, strict=True):
        ratio = _Figures([windows]).ratio(_proven, _analytic)
        if ratio.mean > ABOVE:
            found.append(f"{escape(cell.title)} ({_text(ratio)} times)")
    if not found:
        return "The proven bound is nowhere above the analytic one."
    return f"The proven bound is above the analytic one in {'; '.join(found)}."


def _analytic(window: WindowBounds) -> float:
    return window.lower_bound


def _proven(window: WindowBounds) -> float:
    return window.proven_uxcost


def _best(window: WindowBounds) -> float:
    return window.best


def _proof(name: str) -> Figure:
    """A figure of what CP-SAT proved; NaN where it is left out."""
    of = operator.attrgetter(name)
    return lambda window: math.nan if window.proofs is None else float(of(window.proofs))


def _bound(name: str, figures: _Figures, of: Figure) -> Line:
    to_best, to_bound = figures.ratio(of, _best), figures.ratio(of, _proven)
    return Line((name,), figures.mean(of), None, None, None, to_best, to_bound)


def _played(names: tuple[str, ...], figures: _Figures) -> Line:
    """The row of schedulers with the same results."""

    def figure(of: str) -> Figure:
        return lambda window: float(getattr(window.played[names[0]], of))

    uxcost = figure("uxcost")
    return Line(
        names,
        figures.mean(uxcost),
        figures.mean(figure("rates")),
        figures.mean(figure("energies")),
        figures.mean(figure("violations")),
        figures.ratio(uxcost, _best),
        figures.ratio(uxcost, _proven),
    )


def _distance(line: Line) -> float:
    assert line.to_best is not None
    return line.to_best.mean


def _distances(line: Line) -> str:
    assert line.to_best is not None
    assert line.to_bound is not None
    return (
        f"{_text(line.to_best)} times that of the best known schedule (geometric mean), and "
        f"{_text(line.to_bound)}"
    )


def _text(value: Interval) -> str:
    """A figure with its interval, unless that is a point."""
    mean, low, high = (f"{number:.3f}" for number in (value.mean, *value.ends))
    return mean if low == high else f"{mean} [{low}, {high}]"
