"""Pictures of a suite: violations against energy, performance profiles, and sustained loads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dream_gym.analysis.extra import pyplot
from dream_gym.analysis.measures.aggregates import Scores
from dream_gym.analysis.report.outcome import FAMILIES, Outcome
from dream_gym.analysis.report.pictures.naming import name_points
from dream_gym.analysis.report.pictures.plots import (
    FAINT,
    INK,
    PALETTE,
    STYLE,
    TITLE_WIDTH,
    colour,
    label,
    number_logarithmic,
    save,
    whiskers,
)
from dream_gym.analysis.report.suite_tables import shown_policies, whom_shown
from dream_gym.analysis.report.tables import counted
from dream_gym.analysis.report.where_tables import sustained_load, sweeps
from dream_gym.schedulers import Family

ROW_HEIGHT = 0.23
PANEL_WIDTH = 26
"""Characters that fit in the title of a panel, or in a legend beside one."""
SPARE = 1.02
PLANE = "Frames violated against energy, 95 % intervals; the line is the Pareto front"
SHARES = (0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
"""Numbers on an axis of violated frames, whose steps widen."""
MOST_SHARES = 16
"""About as many numbers fit on the axis."""
FEW = 0.05
"""Where somebody violates fewer frames, the axis starts at 0."""
POINTS = 100
"""Points of a performance profile."""


_SHADES: dict[Family, tuple[str, str]] = {
    "DREAM": ("blue", PALETTE[0]),
    "ours": ("orange", PALETTE[1]),
    "learned": ("green", PALETTE[2]),
    "yours": ("pink", PALETTE[3]),
}
"""Families that stand out, each by the name of a colour and the colour; all others are dark."""


def _shade(outcome: Outcome, policy: str) -> str:
    _, shade = _SHADES.get(outcome.families[policy], ("", INK))
    return shade


def _legend(outcome: Outcome) -> str:
    """What the colours in the figure mean, on a line of its own."""
    present = set(outcome.families.values())
    told = [f"{shade[0]}: {FAMILIES[each]}" for each, shade in _SHADES.items() if each in present]
    return "\n" + ", ".join(told) if told else ""


def plot_plane(outcome: Outcome, path: Path) -> str:
    """Draw violations against energy, a point a policy; return the figure's title."""
    plt, boot = pyplot(), outcome.bootstrap
    violated = {p: boot.rate(outcome.scores(p, "violation_rate")) for p in outcome.ranking}
    energy = {p: boot.geometric_mean(outcome.scores(p, "energy_multiple")) for p in outcome.ranking}
    points = {p: (violated[p].mean, energy[p].mean) for p in outcome.ranking}
    front = pareto_front(points)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(8, 5.2), layout="constrained")
        for policy in outcome.ranking:
            axes.errorbar(
                *points[policy],
                xerr=whiskers(violated[policy]),
                yerr=whiskers(energy[policy]),
                fmt="o",
                markersize=5,
                elinewidth=0.8,
                color=_shade(outcome, policy),
                zorder=2 if policy in front else 1,
            )
        corners = zip(*(points[policy] for policy in front), strict=True)
        axes.step(*corners, where="post", color=FAINT, zorder=0)
        axes.set_xscale("function", functions=(_root, np.square))  # most violate little
        if min(share.ends[0] for share in violated.values()) < FEW:
            axes.set_xlim(left=0)
        ticks = share_ticks(*axes.get_xlim())
        axes.set_xticks(ticks, [f"{share:.3g}%" for share in 100 * np.array(ticks)])
        number_logarithmic(axes, "y")
        axes.set_xlabel(f"frames violated, mean (axis by square roots){_legend(outcome)}")
        axes.set_ylabel("energy ÷ least possible, geometric mean")
        axes.grid(axis="both", color="#E6E6E6", linewidth=0.8)
        axes.set_axisbelow(True)
        cells, seeds = counted(len(outcome.titles), "cell"), counted(outcome.seeds, "seed")
        what = f"{outcome.name}: {cells}, {seeds}"
        axes.set_title(label(f"{what}, runs of {outcome.seconds}", TITLE_WIDTH))
        figure.draw_without_rendering()
        name_points(axes, {policy: points[policy] for policy in [*front, *points]})
        save(figure, path)
    return PLANE


def share_ticks(low: float, high: float) -> list[float]:
    """The numbers on an axis of shares, by square roots, without a crowd at its left."""
    ticks: list[float] = []
    least = (math.sqrt(high) - math.sqrt(max(low, 0.0))) / MOST_SHARES
    for share in SHARES:
        if low <= share <= high and (not ticks or math.sqrt(share) - math.sqrt(ticks[-1]) >= least):
            ticks.append(share)
    return ticks


def _root(shares: Scores) -> Scores:
    """The square root; 0 for what an axis has to the left of 0."""
    return np.sqrt(np.maximum(shares, 0.0))


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Those that no other is as good as in both figures and better in one, by the first figure."""
    front: list[str] = []
    for name in sorted(points, key=points.__getitem__):
        if not front or points[name][1] < points[front[-1]][1]:
            front.append(name)
    return front


def plot_profiles(outcome: Outcome, path: Path) -> str:
    """Draw the performance profiles of some policies; return the figure's title."""
    plt, policies = pyplot(), shown_policies(outcome)
    title = "Share of runs whose UXCost is at most so many times its lower bound"
    scores = [outcome.scores(policy) for policy in policies]
    lowest, highest = np.min(scores) / SPARE, np.max(scores) * SPARE
    limits = np.geomspace(lowest, highest, POINTS)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9.5, 4), layout="constrained")
        for place, own in enumerate(scores):
            profile = outcome.bootstrap.performance_profile(own, limits)
            means = [share.mean for share in profile]
            axes.plot(limits, means, color=colour(place), drawstyle="steps-post")
            axes.fill_between(
                limits,
                [share.low for share in profile],
                [share.high for share in profile],
                color=colour(place),
                alpha=0.15,
                linewidth=0,
                step="post",
            )
        axes.set_xlim(lowest, highest)
        number_logarithmic(axes, "x")
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.set_ylim(0, 1.01)
        axes.set_xlabel("\n".join(filter(None, ("UXCost ÷ lower bound", whom_shown(outcome)))))
        axes.set_title(title)
        names = [label(policy, PANEL_WIDTH) for policy in policies]
        figure.legend(axes.get_lines(), names, loc="outside right upper")
        save(figure, path)
    return title


def plot_sustained(outcome: Outcome, path: Path) -> str:
    """Draw up to which load each policy violates less than 1 %; return the figure's title."""
    plt, policies, found = pyplot(), outcome.ranking, sweeps(outcome)
    title = "Up to which load fewer than 1 % of all frames are violated, 95 % interval"
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1,
            len(found),
            figsize=(2 + 2.1 * len(found), ROW_HEIGHT * len(policies) + 1.3),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for axes, sweep in zip(panels[0], found, strict=True):
            for place, policy in enumerate(policies):
                value = sustained_load(outcome, policy, sweep)
                axes.hlines(place, 0, value.mean, color=FAINT, linewidth=1.5)
                shade = _shade(outcome, policy)
                axes.errorbar(
                    value.mean, place, xerr=whiskers(value), fmt="o", capsize=3, color=shade
                )
            axes.set_xlim(left=0)
            axes.set_xlabel("load")
            axes.set_title(label(sweep.title, PANEL_WIDTH), fontsize=9)
            axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
        panels[0, 0].set_yticks(range(len(policies)), list(map(label, policies)))
        panels[0, 0].set_ylim(len(policies) - 0.5, -0.5)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        save(figure, path)
    return title
