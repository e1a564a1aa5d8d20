"""A picture of who ran where and when, and which deadlines were missed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dream_gym.analysis.extra import pyplot
from dream_gym.analysis.report.pictures.plots import (
    FAINT,
    INK,
    RED,
    STYLE,
    TITLE_WIDTH,
    colour,
    label,
    save,
)
from dream_gym.players import Player
from dream_gym.simulator import Cell, Result, Table
from dream_gym.simulator.frames import FATES
from dream_gym.units import NS_PER_MS

if TYPE_CHECKING:
    import polars as pl

COMPLETED = FATES.index("completed")
WINDOW_MS = 100.0
LANE, STRIP = 1.0, 0.42
"""Heights of an accelerator's lane and of a model's strip of deadlines."""
VISIBLE_MS = 0.3
"""Blocks shorter than this are too narrow for an outline."""


@dataclass(frozen=True)
class _Run:
    name: str
    result: Result
    frames: Table
    timeline: Table

    @classmethod
    def of(cls, name: str, result: Result) -> _Run:
        assert result.frames is not None
        assert result.timeline is not None
        return cls(name, result, result.frames, result.timeline)


class World(NamedTuple):
    """One world of a benchmark, and policies that played it.

    Args:
        cell: Index of the cell.
        seed: Its seed.
        policies: Their names, in the order of the rows.
    """

    cell: int
    seed: int
    policies: tuple[str, ...]


def most_different(rows: pl.DataFrame, *, pair: bool = True) -> World:
    """The world in which policies differ most in violation rate, or if in none, in UXCost.

    Args:
        rows: The rows of a benchmark, or some of them.
        pair: Whether to name only the two that differ most, instead of all in the rows.
    """
    worlds: dict[tuple[int, int], list[tuple[float, float, int, str]]] = {}
    columns = ("cell", "seed", "violation_rate", "uxcost", "policy")
    for place, (cell, seed, rate, uxcost, policy) in enumerate(rows.select(columns).iter_rows()):
        worlds.setdefault((cell, seed), []).append((rate, uxcost, place, policy))

    def spread(world: tuple[int, int]) -> tuple[float, float]:
        rates, uxcosts, *_ = zip(*worlds[world], strict=True)
        return max(rates) - min(rates), max(uxcosts) / max(min(uxcosts), math.ulp(0.0))

    found = max(worlds, key=spread)
    played = worlds[found]
    shown = {min(played), max(played)} if pair else set(played)
    return World(*found, tuple(policy for _, _, _, policy in sorted(shown, key=lambda row: row[2])))


def plot_timeline(
    policies: Sequence[Player], cell: Cell, seed: int, seconds: float, path: str | Path
) -> None:
    """Draw a window of one world under each policy, one above the other.

    A panel has a lane per accelerator, where a block is a frame's run of layers, pale while it
    moves activations; and a strip per model, where a line is a frame from its release to its end
    and a tick its deadline, a red cross where it is missed. The window is the one in which the
    policies differ most in deadlines missed, or if in none, in when frames end.

    Args:
        policies: Who is drawn.
        cell: Scenario, platform, load and expiry.
        seed: Seed of the world.
        seconds: Simulated time.
        path: The PNG file.
    """
    runs = {policy.name: policy.run(cell, seed, seconds, record=True) for policy in policies}
    frames = [run.frames for run in runs.values() if run.frames is not None]
    start_ms = _telling_window_ms(frames, seconds)
    caption = f"{cell.title}, seed {seed}"
    plot_results(runs, path, start_ms=start_ms, length_ms=WINDOW_MS, caption=caption)


def plot_results(
    results: Mapping[str, Result],
    path: str | Path,
    *,
    start_ms: float,
    length_ms: float,
    caption: str,
) -> None:
    """Draw a window of recorded runs of one cell, as `plot_timeline` does.

    Args:
        results: The runs by the titles of their panels, with their tables.
        path: The PNG file.
        start_ms: Start of the window.
        length_ms: Length of the window.
        caption: The text below the panels.
    """
    plt = pyplot()
    runs = [_Run.of(name, result) for name, result in results.items()]
    window = start_ms, start_ms + length_ms
    result = runs[0].result
    lanes = len(result.busy_share) * LANE + len(result.frame_count) * STRIP
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            len(runs),
            figsize=(11, (0.36 * lanes + 0.55) * len(runs) + 0.9),
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for run, axes in zip(runs, panels[:, 0], strict=True):
            _draw_panel(axes, run, *window)
        panels[-1, 0].set_xlabel(label(f"time, ms ({caption})", TITLE_WIDTH))
        handles = _legend(runs)
        names = [handle.get_label() for handle in handles]
        figure.legend(handles, names, loc="outside upper center", ncols=4, handlelength=1.4)
        save(figure, path)


def _missed(frames: Table) -> NDArray[np.bool_]:
    late = frames["end_ns"] > frames["deadline_ns"]
    return np.asarray(late | (frames["fate"] != COMPLETED))


def _telling_window_ms(runs: Sequence[Table], seconds: float) -> float:
    """The start of the window, in steps of 10 ms, in which runs of one world differ most.

    For a single run, it is the window in which most deadlines are missed.
    """
    runs = [frames[np.lexsort((frames["frame"], frames["model"]))] for frames in runs]
    by_deadline = np.argsort(runs[0]["deadline_ns"], kind="stable")
    deadlines_ms = runs[0]["deadline_ns"][by_deadline] / NS_PER_MS
    starts_ms = np.arange(0, max(seconds * 1e3 - WINDOW_MS, 1), 10)
    first, last = (np.searchsorted(deadlines_ms, starts_ms + at) for at in (0, WINDOW_MS))

    def in_windows(figures: NDArray[Any]) -> NDArray[Any]:
        """Their sum over the deadlines within each window."""
        total = np.concatenate([[0], np.cumsum(figures[by_deadline])])
        return np.asarray(total[last] - total[first])

    missed = np.array([in_windows(_missed(frames)) for frames in runs])
    difference = np.ptp(missed, axis=0) if len(runs) > 1 else missed[0]
    if not difference.any():
        difference = in_windows(np.ptp([frames["end_ns"] for frames in runs], axis=0))
    return float(starts_ms[int(np.argmax(difference))])


def _draw_panel(axes: Any, run: _Run, start_ms: float, end_ms: float) -> None:
    accelerators, models = list(run.result.busy_share), list(run.result.frame_count)
    for lane in range(len(accelerators)):
        axes.axhspan(lane * LANE + 0.08, lane * LANE + 0.92, color="#F4F4F4", linewidth=0)
        _draw_lane(axes, run.timeline, lane, start_ms, end_ms)
    floor = len(accelerators) * LANE + 0.15
    for model in range(len(models)):
        place = floor + (model + 0.5) * STRIP
        frames = run.frames[run.frames["model"] == model]
        _draw_strip(axes, frames, place, colour(model), start_ms, end_ms)
    axes.set_xlim(start_ms, end_ms)
    axes.set_ylim(floor + len(models) * STRIP + 0.05, 0)
    lanes = [(lane + 0.5) * LANE for lane in range(len(accelerators))]
    strips = [floor + (model + 0.5) * STRIP for model in range(len(models))]
    axes.set_yticks([*lanes, *strips], [*map(label, accelerators), *map(label, models)])
    for tick in axes.get_yticklabels()[len(lanes) :]:
        tick.set_fontsize(8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_title(
        f"{label(run.name, TITLE_WIDTH)}: UXCost {run.result.uxcost:.3g}, "
        f"{run.result.mean_violation_rate:.1%} of the run's frames late or lost"
    )


def _draw_lane(axes: Any, timeline: Table, lane: int, start_ms: float, end_ms: float) -> None:
    rows = timeline[timeline["accelerator"] == lane]
    rows = rows[(rows["end_ns"] > start_ms * NS_PER_MS) & (rows["start_ns"] < end_ms * NS_PER_MS)]
    if not len(rows):
        return
    breaks = (
        (np.diff(rows["model"]) != 0)
        | (np.diff(rows["frame"]) != 0)
        | (rows["start_ns"][1:] != rows["end_ns"][:-1])
    )
    for block in np.split(rows, np.flatnonzero(breaks) + 1):
        begin_ms, finish_ms = block["start_ns"][0] / NS_PER_MS, block["end_ns"][-1] / NS_PER_MS
        axes.broken_barh(
            [(begin_ms, finish_ms - begin_ms)],
            (lane * LANE + 0.08, 0.84 * LANE),
            facecolor=colour(int(block["model"][0])),
            linewidth=0,
        )
        if finish_ms - begin_ms > VISIBLE_MS:
            bottom, top = lane * LANE + 0.08, lane * LANE + 0.92
            axes.vlines([begin_ms, finish_ms], bottom, top, color="white", linewidth=0.7)
    moving = rows[rows["switch_ns"] > 0]
    axes.broken_barh(
        np.column_stack([moving["start_ns"], moving["switch_ns"]]) / NS_PER_MS,
        (lane * LANE + 0.08, 0.84 * LANE),
        facecolor="white",
        alpha=0.65,
        linewidth=0,
    )


def _draw_strip(
    axes: Any, frames: Table, place: float, shade: str, start_ms: float, end_ms: float
) -> None:
    missed = _missed(frames)
    released = frames["release_ns"] >= 0
    axes.hlines(
        np.full(int(released.sum()), place),
        frames["release_ns"][released] / NS_PER_MS,
        frames["end_ns"][released] / NS_PER_MS,
        color=shade,
        linewidth=2.2,
        alpha=0.75,
    )
    deadlines_ms = frames["deadline_ns"] / NS_PER_MS
    inside = (deadlines_ms >= start_ms) & (deadlines_ms <= end_ms)
    met_ms, missed_ms = deadlines_ms[inside & ~missed], deadlines_ms[inside & missed]
    axes.vlines(met_ms, place - 0.17, place + 0.17, color=INK, linewidth=1.1)
    axes.plot(missed_ms, np.full(len(missed_ms), place), "x", color=RED, mew=2, ms=6, zorder=3)


def _legend(runs: Sequence[_Run]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    models = [
        Patch(color=colour(index), label=label(name))
        for index, name in enumerate(runs[0].result.frame_count)
    ]
    handles = [
        *models,
        Line2D([], [], color=INK, marker="|", linestyle="", markersize=9, label="deadline met"),
        Line2D([], [], color=RED, marker="x", mew=2, linestyle="", label="deadline missed"),
    ]
    if any(run.timeline["switch_ns"].max(initial=0) > VISIBLE_MS * NS_PER_MS for run in runs):
        handles.append(Patch(facecolor="white", edgecolor=FAINT, label="context switch (pale)"))
    return handles
