"""The tables of a suite: who is best, who misses what and why, where."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.analysis.measures.aggregates import Bootstrap
from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.measures.statistics import Interval, mean_interval, rate_interval
from dream_gym.analysis.report.outcome import FAMILIES, Outcome
from dream_gym.analysis.report.summary import percent, with_interval
from dream_gym.analysis.report.tables import Name, TextTable

TOLERATED = 0.01
"""Share of frames that a scheduler may violate and still sustain a load."""
SWEEP_LOADS = 5
"""Loads of one scenario on one platform that make a sweep."""
_PLACE = ("scenario", "platform", "load")
MOST_SHOWN = 7
"""Policies that figures and tables by cell have room for."""


def suite_tables(outcome: Outcome) -> list[TextTable]:
    """All tables of a suite."""
    where = sustained_table(outcome) if sweeps(outcome) else cell_table(outcome)
    return [cost_table(outcome), deadline_table(outcome), cause_table(outcome), where]


def cost_table(outcome: Outcome) -> TextTable:
    """UXCost of every policy over all cells, best first."""
    first, boot = outcome.policies[0], outcome.bootstrap
    baseline = outcome.scores(first, "uxcost")
    rows = []
    for policy in outcome.ranking:
        multiple, cost = outcome.scores(policy), outcome.scores(policy, "uxcost")
        itself = policy == first
        rows.append(
            (
                Name(policy),
                with_interval(boot.geometric_mean(multiple)),
                "1" if itself else with_interval(boot.geometric_mean_ratio(cost, baseline)),
                with_interval(boot.iqm(multiple)),
                "" if itself else percent(boot.probability_of_improvement(cost, baseline)),
            )
        )
    headings = (
        "policy",
        "UXCost ÷ lower bound, geometric mean",
        f"UXCost ÷ that of {first}, geometric mean",
        "UXCost ÷ lower bound, interquartile mean",
        f"probability of improvement on {first}",
    )
    return TextTable("UXCost", headings, tuple(rows))


def deadline_table(outcome: Outcome) -> TextTable:
    """What every policy does to deadlines, and what it spends, over all cells."""
    shares = {"violated": "violation_rate", "lost": "lost_rate", "useless work": "useless_share"}
    figures = {
        "lateness p50, ms": "lateness_p50_ms",
        "lateness p99, ms": "lateness_p99_ms",
        "spent, mJ per frame": "energy_mj",
        "charged, mJ per frame": "energy_charged_mj",
        "accuracy, %": "accuracy",
    }
    if outcome.about["suite"]["xrbench_score"]:
        figures["XRBench score"] = "xrbench_score"
    losses = {"accuracy lost": "accuracy_loss"}
    rows = []
    for policy in outcome.ranking:
        means = [outcome.bootstrap.rate(outcome.scores(policy, name)) for name in shares.values()]
        means += [outcome.bootstrap.mean(outcome.scores(policy, name)) for name in losses.values()]
        texts = ["" if mean is None else percent(mean) for mean in means]
        means = [outcome.bootstrap.mean(outcome.scores(policy, name)) for name in figures.values()]
        texts += ["" if mean is None else with_interval(mean) for mean in means]
        rows.append((Name(policy), *texts))
    title = "Deadlines and energy, means over all runs; lateness over those with late frames"
    return TextTable(title, ("policy", *shares, *losses, *figures), tuple(rows))


def cause_table(outcome: Outcome) -> TextTable:
    """Why frames were violated, as shares of all frames."""
    rows = []
    for policy in outcome.ranking:
        rates = (outcome.bootstrap.rate(outcome.scores(policy, f"missed.{c}")) for c in CAUSES)
        rows.append((Name(policy), *("" if rate is None else percent(rate) for rate in rates)))
    return TextTable(
        "Why frames were violated, in percent of all frames", ("policy", *CAUSES), (*rows,)
    )


def shown_policies(outcome: Outcome) -> list[str]:
    """Those that figures and tables by cell show: all, or the first and the best of each family."""
    if len(outcome.policies) <= MOST_SHOWN:
        return outcome.policies
    best = (outcome.best(family) for family in FAMILIES)
    return list(dict.fromkeys([outcome.policies[0], *(policy for policy in best if policy)]))


def whom_shown(outcome: Outcome) -> str:
    """Which policies they show, in words; empty if all."""
    shown, everybody = len(shown_policies(outcome)), len(outcome.policies)
    if shown == everybody:
        return ""
    return f"{shown} of {everybody} policies: the first, and the best of each family"


def cell_table(outcome: Outcome) -> TextTable:
    """UXCost as a multiple of its lower bound, cell by cell, and the best policy of each."""
    shown = shown_policies(outcome)
    means = {policy: outcome.scores(policy).mean(axis=1) for policy in outcome.policies}
    rows = []
    for index, title in enumerate(outcome.titles):
        best = min(outcome.policies, key=lambda policy: means[policy][index])
        bound = mean_interval(outcome.scores(best, "lower_bound")[index])
        cells = [_at_cell(outcome, policy, index) for policy in shown]
        least = (Name(best), _at_cell(outcome, best, index))
        rows.append((title, with_interval(bound), *cells, *least))
    headings = ("cell", "lower bound", *map(Name, shown), "least of all", "its figures")
    title = "By cell: UXCost ÷ lower bound, and frames violated, means over the seeds"
    if whom := whom_shown(outcome):
        title += f"; {whom}"
    return TextTable(title, headings, tuple(rows))


def _at_cell(outcome: Outcome, policy: str, index: int) -> str:
    multiple = mean_interval(outcome.scores(policy)[index])
    violated = rate_interval(outcome.scores(policy, "violation_rate")[index])
    return f"{with_interval(multiple)}; {percent(violated)}"


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
