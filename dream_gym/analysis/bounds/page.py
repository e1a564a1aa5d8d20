"""The page on bounds, and the tables of the command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dream_gym.analysis.bounds.study import EXACT, GENETIC, Budget, WindowBounds
from dream_gym.analysis.cells import Cell

_PAGE = """# How far schedulers are from the best possible

{verdict}

Windows are {seconds:g} s of simulated time from the start of a world, and small: what is lost or
late at their end weighs more than in a long run, and {seeds} seeds a cell are a look, not a
ranking. Only schedulers with fixed options take part, not the tuned ones, and Supernets run their
original network, for everybody: nobody gains by a lighter variant, and `dream_full` is
`dream_smartdrop`.

* **analytic bound**: no violation, and every layer where it needs least energy.
* **proven bound**: by CP-SAT on a relaxation. What is on time between a release and a deadline must
  fit into the time between, on each accelerator. Left out: the order of layers, context switches,
  contention, displacement, what late frames occupy, and the wait for a parent's end but for the
  earliest possible. Nothing is restricted, so it holds for every scheduler. No schedule has lower
  *violation rates*; none whose violation rates are at most the best known ones has lower
  *energies*. No schedule has a lower *UXCost* than the product of both or, if that is less, the
  best known violation rates × the least energy of all.
* **{exact}**: a schedule with the future known. A frame is cut into at most {blocks} blocks of
  layers; least violation rates, then least energy. It is restricted to whole blocks that pay each
  for a context switch, and knows neither contention nor displacement.
* **{genetic}**: MAGMA's genetic search with the future known: population 100, {generations}
  generations, 4 jobs a frame, started from the schedules of the schedulers below.
* **the others**: online schedulers, best first.

All schedules are as played in the simulator, so that their UXCost is attained. A plan keeps no
accelerator idle for what is to come, though the schedule that it was made from may. *To best* is
the geometric mean of UXCost over that of the best known schedule of the same window; *to bound*,
over the proven bound. CP-SAT's limit is {limit:g} in
deterministic time, about seconds, for each of its four solutions in a window.

Made by `{command}`.
"""


class Line(NamedTuple):
    """A row of a table; means over windows, ratios as geometric means.

    Args:
        name: Who.
        uxcost: UXCost.
        rates: Sum of violation rates.
        energies: Sum of normalised energies.
        violations: Violated frames a window; NaN for a bound.
        to_best: UXCost over that of the best known schedule.
        to_bound: UXCost over the proven bound.
    """

    name: str
    uxcost: float
    rates: float
    energies: float
    violations: float
    to_best: float
    to_bound: float


HEADINGS = (
    "schedule",
    "UXCost",
    "violation rates",
    "energies",
    "violations",
    "to best",
    "to bound",
)


def lines(windows: Sequence[WindowBounds]) -> list[Line]:
    """The rows of a cell: bounds, schedules with the future known, and schedulers, best first."""
    nothing = math.nan
    analytic = [window.lower_bound for window in windows]
    proven = [window.proven_uxcost for window in windows]
    best = [window.best for window in windows]
    found = [
        Line(
            "analytic bound", _mean(analytic), nothing, nothing, nothing,
            _ratio(analytic, best), _ratio(analytic, proven),
        ),
        Line(
            "proven bound",
            _mean(proven),
            _mean([window.proven_rates for window in windows]),
            _mean([window.proven_energies for window in windows]),
            nothing,
            _ratio(proven, best),
            1.0,
        ),
    ]  # fmt: skip
    names = [name for name in windows[0].played if all(name in row.played for row in windows)]
    ahead = [_played(name, windows) for name in (EXACT, GENETIC) if name in names]
    online = [_played(name, windows) for name in names if name not in (EXACT, GENETIC)]
    return found + ahead + sorted(online, key=lambda line: line.to_best)


def cells_of(line: Line) -> list[str]:
    """A row as text."""
    return [line.name, *("" if math.isnan(value) else f"{value:.3f}" for value in line[1:])]


def bounds_page(
    cells: Sequence[Cell],
    study: Sequence[Sequence[WindowBounds]],
    *,
    seconds: float,
    budget: Budget,
    command: str,
) -> str:
    """The page, in Markdown."""
    text = _PAGE.format(
        verdict=verdict(study),
        seconds=seconds,
        seeds=len(study[0]),
        exact=EXACT,
        genetic=GENETIC,
        command=command,
        **budget._asdict(),
    )
    parts = [text]
    for cell, windows in zip(cells, study, strict=True):
        frames = ", ".join(str(window.frames) for window in windows)
        seeds = ", ".join(str(window.seed) for window in windows)
        rows = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)]]
        rows += [cells_of(line) for line in lines(windows)]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts.append(f"## {cell.title}\n\nSeeds {seeds}; {frames} frames.\n\n{table}\n")
    return "\n".join(parts)


def verdict(study: Sequence[Sequence[WindowBounds]]) -> str:
    """How far the best scheduler and `dream_full` are from the best known, in words."""
    windows = [window for group in study for window in group]
    rows = lines(windows)
    online = [row for row in rows[2:] if row.name not in (EXACT, GENETIC)]
    said = [
        f"Over {len(windows)} windows of {len(study)} cells, the scheduler that comes nearest is "
        f"`{online[0].name}`: its UXCost is {online[0].to_best:.2f} times that of the best known "
        f"schedule (geometric mean), and {online[0].to_bound:.2f} times what is proven to be the "
        "least possible."
    ]
    for row in online[1:]:
        if row.name == "dream_full":
            said.append(f"`dream_full` is at {row.to_best:.2f} and {row.to_bound:.2f} times. ")
    best = [window.best for window in windows]
    gap = _ratio(best, [window.proven_uxcost for window in windows])
    said.append(
        f"The best known schedule itself is at {gap:.2f} times the proven bound: the truth lies "
        "between."
    )
    return " ".join(part.strip() for part in said)


def _played(name: str, windows: Sequence[WindowBounds]) -> Line:
    rows = [window.played[name] for window in windows]
    uxcost = [row["uxcost"] for row in rows]
    return Line(
        name,
        _mean(uxcost),
        _mean([row["rates"] for row in rows]),
        _mean([row["energies"] for row in rows]),
        _mean([row["violations"] for row in rows]),
        _ratio(uxcost, [window.best for window in windows]),
        _ratio(uxcost, [window.proven_uxcost for window in windows]),
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _ratio(values: Sequence[float], others: Sequence[float]) -> float:
    pairs = zip(values, others, strict=True)
    return math.exp(_mean([math.log(value / other) for value, other in pairs]))
