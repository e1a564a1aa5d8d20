"""The tables that say where policies are good: cell by cell, in groups of cells, by load."""

from __future__ import annotations

import collections
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.analysis.measures.aggregates import Bootstrap
from dream_gym.analysis.measures.statistics import (
    Interval,
    amount_interval,
    rate_interval,
    ratio_interval,
)
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.suite_tables import shown_policies, whom_shown
from dream_gym.analysis.report.summary import percent, with_interval
from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.generator import PREFIX, stratum

TOLERATED = 0.01
"""Share of frames that a scheduler may violate and still sustain a load."""
SWEEP_LOADS = 5
"""Loads of one scenario on one platform that make a sweep."""
MOST_CELLS = 60
"""Cells that a table has room for; more are shown in groups."""
_PLACE = ("scenario", "platform", "load")


def where_tables(outcome: Outcome) -> list[TextTable]:
    """The tables that fit a suite."""
    platforms = platform_table(outcome)
    if sweeps(outcome):
        where = [sustained_table(outcome)]
    elif outcome.drawn or len(outcome.titles) > MOST_CELLS:
        where = [group_table(outcome)]
    else:
        where = [cell_table(outcome)]
    return where + ([platforms] if platforms else [])


def cell_table(outcome: Outcome) -> TextTable:
    """UXCost as a multiple of its lower bound, cell by cell, and the best policy of each."""
    shown = shown_policies(outcome)
    rows = []
    for index, (title, best) in enumerate(zip(outcome.titles, outcome.firsts, strict=True)):
        bound = amount_interval(outcome.scores(best, "lower_bound")[index])
        cells = [_at_cell(outcome, policy, index) for policy in shown]
        least = (Name(best), _at_cell(outcome, best, index))
        rows.append((title, with_interval(bound), *cells, *least))
    headings = ("cell", "lower bound", *map(Name, shown), "least of all", "its figures")
    title = (
        f"By cell: UXCost ÷ lower bound in {outcome.seconds}, geometric mean over the seeds, and "
        "frames violated"
    )
    if whom := whom_shown(outcome):
        title += f"; {whom}"
    return TextTable(title, headings, tuple(rows))


def _at_cell(outcome: Outcome, policy: str, index: int) -> str:
    multiple = ratio_interval(outcome.scores(policy)[index])
    violated = rate_interval(outcome.scores(policy, "violation_rate")[index])
    return f"{with_interval(multiple)}; {percent(violated)}"


def group_table(outcome: Outcome) -> TextTable:
    """Violations and UXCost in groups of cells, and who is first there how often."""
    shown = shown_policies(outcome)
    rows = []
    for group, cells in _groups(outcome).items():
        inside = Bootstrap(len(cells), outcome.seeds, drawn=outcome.drawn)
        firsts = collections.Counter(outcome.firsts[index] for index in cells).most_common(1)
        figures = []
        for policy in shown:
            violated = inside.rate(outcome.scores(policy, "violation_rate")[cells])
            multiple = inside.geometric_mean(outcome.scores(policy)[cells])
            figures.append(f"{percent(violated)}; {with_interval(multiple)}")
        ((first, times),) = firsts
        rows.append((group, str(len(cells)), *figures, Name(first), str(times)))
    headings = ("cells", "how many", *map(Name, shown), "most often first", "how often")
    title = (
        f"Where: frames violated; and UXCost ÷ lower bound, geometric mean, in {outcome.seconds}"
    )
    if whom := whom_shown(outcome):
        title += f"; {whom}"
    return TextTable(title, headings, tuple(rows))


def _groups(outcome: Outcome) -> dict[str, list[int]]:
    """Cells by utilisation and by accelerators if they are drawn, else by scenario."""
    groups: dict[str, list[int]] = {}
    for index, cell in enumerate(outcome.about["suite"]["cells"]):
        names = [cell["scenario"]]
        if outcome.drawn:
            accelerators, (low, high) = stratum(int(cell["scenario"].removeprefix(PREFIX)))
            names = [f"utilisation {low:.1f} to {high:.1f}", f"{accelerators} accelerators"]
        for name in names:
            groups.setdefault(name, []).append(index)
    return dict(sorted(groups.items()))


def platform_table(outcome: Outcome) -> TextTable | None:
    """Platforms that serve the same cells, best first; None if there are no two such.

    They are ranked by violations and then by power, each under the policy that violates least
    there: UXCost does not compare platforms.
    """
    places: dict[str, dict[str, int]] = {}
    for index, cell in enumerate(outcome.about["suite"]["cells"]):
        served = {name: value for name, value in cell.items() if name != "platform"}
        places.setdefault(cell["platform"], {})[str(served)] = index
    if len(places) < 2 or len({frozenset(cells) for cells in places.values()}) > 1:
        return None
    rows = []
    for platform, served in places.items():
        cells = list(served.values())
        inside = Bootstrap(len(cells), outcome.seeds)
        figures = {
            policy: tuple(
                outcome.scores(policy, name)[cells] for name in ("violation_rate", "power_mw")
            )
            for policy in outcome.ranking
        }
        best = min(figures, key=lambda policy: [part.mean() for part in figures[policy]])
        violated, power = figures[best]
        texts = (
            percent(inside.rate(violated)),
            with_interval(inside.amount(power)),
        )
        rows.append(((violated.mean(), power.mean()), (platform, Name(best), *texts)))
    headings = ("platform", "policy that violates least", "violated", "power, mW")
    title = "Platforms, by violations and then by power: UXCost does not compare them"
    return TextTable(title, headings, tuple(texts for _, texts in sorted(rows)))


@dataclass(frozen=True)
class Sweep:
    """One scenario on one platform over many loads.

    Args:
        title: The fields of its cells, except for the load.
        cells: Indices of the cells, by load.
        loads: Their loads, ascending.
    """

    title: str
    cells: tuple[int, ...]
    loads: tuple[float, ...]


def sweeps(outcome: Outcome) -> list[Sweep]:
    """The sweeps of a suite."""
    cells = outcome.about["suite"]["cells"]

    def place(index: int) -> tuple[str, ...]:
        return tuple(str(value) for name, value in cells[index].items() if name != "load")

    found = []
    for _, group in itertools.groupby(sorted(range(len(cells)), key=place), key=place):
        indices = sorted(group, key=lambda index: cells[index]["load"])
        if len(indices) >= SWEEP_LOADS:
            first = cells[indices[0]]
            others = (f"{n} {first[n]}" for n in first if n not in _PLACE and first[n] is not None)
            title = ", ".join([f"{first['scenario']} on {first['platform']}", *others])
            loads = tuple(cells[index]["load"] for index in indices)
            found.append(Sweep(title, tuple(indices), loads))
    return sorted(found, key=lambda sweep: sweep.cells)


def sustained_load(outcome: Outcome, policy: str, sweep: Sweep) -> Interval:
    """The largest load of a sweep up to which a policy violates less than 1 % of frames, or 0."""
    loads = np.array([0.0, *sweep.loads])

    def last(means: NDArray[np.float64]) -> float:
        missed = means >= TOLERATED
        return float(loads[int(np.argmax(missed)) if missed.any() else len(means)])

    violated = outcome.scores(policy, "violation_rate")[list(sweep.cells)]
    return Bootstrap(len(sweep.loads), outcome.seeds).of_cell_means(violated, last)


def sustained_table(outcome: Outcome) -> TextTable:
    """Up to which load every policy keeps violations under 1 %."""
    found = sweeps(outcome)
    rows = [
        (Name(policy), *(_sustained(outcome, policy, sweep) for sweep in found))
        for policy in outcome.ranking
    ]
    title = "Up to which load fewer than 1 % of all frames are violated"
    return TextTable(title, ("policy", *(sweep.title for sweep in found)), tuple(rows))


def _sustained(outcome: Outcome, policy: str, sweep: Sweep) -> str:
    load = sustained_load(outcome, policy, sweep)
    return f"{'≥ ' if load.mean == sweep.loads[-1] else ''}{with_interval(load)}"
