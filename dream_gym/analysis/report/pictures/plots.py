"""Pictures of benchmarks: UXCost by policy, and over a range of loads."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dream_gym.analysis.extra import pyplot
from dream_gym.analysis.measures.statistics import Interval
from dream_gym.analysis.report.markdown import as_python, visible
from dream_gym.analysis.report.summary import Summary, summarise
from dream_gym.analysis.runs.benchmark import Benchmark
from dream_gym.files import replacing

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#8C8C8C")
"""Okabe and Ito's colours, which the colour-blind tell apart; no red, which is for misses."""

RED, INK, FAINT = "#C00000", "#222222", "#BBBBBB"
MARKERS = "osD^vPX"
FONT = "DejaVu Sans"
STYLE = {
    "font.size": 10,
    "font.family": FONT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "legend.frameon": False,
    "text.parse_math": False,  # a dollar is a dollar
}
LOG_FROM = 10.0
"""Policies further apart than this factor are drawn on a logarithmic axis."""
FEWEST_TICKS, MOST_TICKS = 4, 9
LABEL_WIDTH, TITLE_WIDTH = 36, 90
"""Longer labels are broken into lines of this many characters."""


def colour(index: int) -> str:
    """The colour of the n-th policy or model."""
    return PALETTE[index % len(PALETTE)]


def label(text: str, width: int = LABEL_WIDTH) -> str:
    """Output in pictures: a text of the user's as it is drawn, in characters that the font has.

    Args:
        text: The text.
        width: If it is longer, it is broken into lines of this many characters.
    """
    from matplotlib.font_manager import findfont, get_font

    has = get_font(findfont(FONT)).get_char_index
    drawn = "".join(sign if has(ord(sign)) else as_python(sign) for sign in visible(text))
    return "\n".join(textwrap.wrap(drawn, width, break_on_hyphens=False)) or drawn


def number_logarithmic(axes: Any, which: str) -> None:
    """Make an axis, "x" or "y", logarithmic, with exact numbers, once everything is drawn on it."""
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    axes.set(**{f"{which}scale": "log"})
    ticks = log_ticks(*sorted(axis.get_view_interval().tolist()))
    axis.set_ticks(ticks, [f"{tick:.10g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones, for a logarithmic axis; three or more.

    They are 1, 3, 5, ... × 10^n, as few of these as suffice; where the range is too short for
    that, equal steps, and where it is very long, some of the powers of ten.
    """
    from matplotlib.ticker import MaxNLocator

    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leading in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        ticks = [float(f"{digit}e{decade}") for decade in decades for digit in leading]
        inside = [tick for tick in ticks if low <= tick <= high]
        if FEWEST_TICKS <= len(inside) <= MOST_TICKS:
            return inside
    if len(decades) > MOST_TICKS:
        every = math.ceil(len(decades) / MOST_TICKS)
        return [10.0**decade for decade in decades[::every] if low <= 10.0**decade <= high]
    steps = MaxNLocator(MOST_TICKS - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(f"{tick:.12g}") for tick in steps if low <= tick <= high]


def save(figure: Any, path: str | Path) -> None:
    """Write a figure as PNG, whole or not at all, and close it."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    pyplot().close(figure)


def plot_uxcost(benchmark: Benchmark, path: str | Path) -> None:
    """Draw each policy's mean UXCost with its 95 % interval above the lower bound, cell by cell."""
    plt = pyplot()
    cells = benchmark.suite.cells
    height = 0.42 * len(benchmark.policies) + 1.0
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            len(cells),
            figsize=(8, height * len(cells) + 0.3),
            squeeze=False,
            layout="constrained",
        )
        for cell, axes in zip(cells, panels[:, 0], strict=True):
            lower_bound = float(benchmark.cell_rows(cell)["lower_bound"].to_numpy().mean())
            _draw_uxcost(axes, summarise(benchmark, cell), lower_bound)
            axes.set_title(label(cell.title, TITLE_WIDTH))
        panels[-1, 0].set_xlabel(
            f"UXCost, lower is better: mean of {len(benchmark.seeds)} seeds, 95 % interval"
        )
        save(figure, path)


def _draw_uxcost(axes: Any, summaries: Sequence[Summary], lower_bound: float) -> None:
    means = [item.uxcost.mean for item in summaries]
    logarithmic = max(means) > LOG_FROM * min(means)
    axes.axvline(lower_bound, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    for place, item in enumerate(summaries):
        cost = item.uxcost
        axes.hlines(place, lower_bound, cost.mean, color=FAINT, linewidth=1.5)
        axes.errorbar(
            cost.mean,
            place,
            xerr=whiskers(cost),
            color=colour(place),
            marker="o",
            markersize=7,
            capsize=4,
            elinewidth=1.6,
        )
        axes.annotate(
            f"{cost.mean:.3g}  ({item.multiple.mean:.3g}× bound)",
            (max(cost.mean, cost.ends[1]), place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.annotate(
        f"lower bound {lower_bound:.3g}",
        (lower_bound, -0.55),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color="#555555",
    )
    axes.set_yticks(range(len(summaries)), [label(item.policy) for item in summaries])
    axes.set_ylim(len(summaries) - 0.5, -0.85)
    axes.tick_params(axis="y", length=0)
    highest = max(item.uxcost.ends[1] for item in summaries)
    if logarithmic:
        axes.set_xlim(lower_bound / 1.3, highest * (highest / lower_bound) ** 0.4)
        number_logarithmic(axes, "x")
    else:
        axes.set_xlim(0, highest * 1.35)


def whiskers(value: Interval) -> list[list[float]] | None:
    """How far an interval reaches to the left and right of its estimate, which may lie outside."""
    if not value.known:
        return None
    return [[max(value.mean - value.low, 0.0)], [max(value.high - value.mean, 0.0)]]


def plot_sweep(sweep: Benchmark, path: str | Path, *, mark: float) -> None:
    """Draw UXCost and violations of each policy over the loads of a sweep.

    Args:
        sweep: A benchmark whose cells differ in load only.
        path: The PNG file.
        mark: The load to mark.
    """
    plt = pyplot()
    loads = [cell.load for cell in sweep.suite.cells]
    by_load = [summarise(sweep, cell) for cell in sweep.suite.cells]
    with plt.rc_context(STYLE):
        figure, (cost_axes, rate_axes) = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
        for place in range(len(sweep.policies)):
            items = [summaries[place] for summaries in by_load]
            _draw_line(cost_axes, loads, [item.multiple for item in items], place)
            _draw_line(rate_axes, loads, [item.violation_rate for item in items], place)
        number_logarithmic(cost_axes, "y")
        cost_axes.set_title("UXCost as a multiple of its lower bound")
        rate_axes.set_title("Share of frames late or lost")
        rate_axes.yaxis.set_major_formatter("{x:.0%}")
        for axes in (cost_axes, rate_axes):
            axes.axvline(mark, color=FAINT, linewidth=6, alpha=0.45, zorder=0)
            axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
            axes.set_xticks(loads[::2], [f"{load:.10g}" for load in loads[::2]])
            axes.set_xlabel("load")
        rate_axes.annotate(
            f"edge load {mark:.3f}",
            (mark, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-7, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=9,
            color="#555555",
        )
        cell = sweep.suite.cells[0]
        figure.suptitle(
            label(
                f"{cell.scenario} on {cell.platform}; {len(sweep.seeds)} seeds "
                f"× {sweep.suite.seconds:g} s, 95 % intervals",
                TITLE_WIDTH,
            ),
            x=0.01,
            ha="left",
            fontsize=10,
        )
        names = [label(policy) for policy in sweep.policies]
        lines = cost_axes.get_lines()[: len(names)]
        figure.legend(lines, names, loc="outside lower center", ncols=4)
        save(figure, path)


def _draw_line(axes: Any, loads: Sequence[float], values: Sequence[Interval], place: int) -> None:
    axes.plot(
        loads,
        [value.mean for value in values],
        color=colour(place),
        marker=MARKERS[place % len(MARKERS)],
        markersize=5,
        linewidth=1.6,
        linestyle=("-", (0, (5, 2)), "-", "-")[place % 4],
    )
    axes.fill_between(
        loads,
        [value.low for value in values],
        [value.high for value in values],
        color=colour(place),
        alpha=0.2,
        linewidth=0,
    )
