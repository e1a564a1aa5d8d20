"""By how much the policies of a family reduce the UXCost of some schedulers, suite by suite."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dream_gym.analysis.measures.aggregates import Bootstrap
from dream_gym.analysis.measures.statistics import Interval
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.analysis.report.verdicts import representatives
from dream_gym.schedulers import Family


def reduction_table(
    outcomes: Sequence[Outcome], family: Family, schedulers: Sequence[str]
) -> TextTable | None:
    """Reductions of UXCost in percent; None if there is nothing to compare.

    The policies that represent the family are compared with the best policy of each scheduler.
    """
    rows = []
    for outcome in outcomes:
        rivals = [_best_of(outcome, scheduler) for scheduler in schedulers]
        for rival, ours in itertools.product(
            filter(None, rivals), representatives(outcome, family)
        ):
            costs = (outcome.scores(policy, "uxcost") for policy in (ours, rival))
            mine, theirs = costs
            mean = outcome.bootstrap.geometric_mean_ratio(mine, theirs)
            best = min(
                (_cell_ratio(row, other) for row, other in zip(mine, theirs, strict=True)),
                key=lambda ratio: ratio.mean,
            )
            names = Name(outcome.name), Name(ours), Name(rival)
            rows.append((*names, _reduction(mean), _reduction(best)))
    if not rows:
        return None
    headings = ("suite", family, "against", "geometric mean", "up to, in one cell")
    return TextTable(f"UXCost reduced by {family}", headings, tuple(rows))


def _best_of(outcome: Outcome, scheduler: str) -> str | None:
    """The policy of a scheduler that ranks first."""
    return next((p for p in outcome.ranking if outcome.schedulers[p] == scheduler), None)


def _cell_ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Interval:
    single = Bootstrap(1, len(ours))
    return single.geometric_mean_ratio(ours[None, :], theirs[None, :])


def _reduction(ratio: Interval) -> str:
    low, high = 100 * (1 - ratio.high), 100 * (1 - ratio.low)
    interval = f" [{low:.1f}, {high:.1f}]" if ratio.known else ""
    return f"{100 * (1 - ratio.mean):.1f} %{interval}"
