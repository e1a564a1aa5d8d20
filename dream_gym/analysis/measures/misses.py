"""Why deadlines were missed: one cause for every violated frame, by the rule of docs/misses.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.simulator import Ints, Result, Table
from dream_gym.simulator.frames import COMPLETED, DISPLACED, DROPPED, NEVER_RELEASED
from dream_gym.units import NS_PER_MS

CAUSES = ("infeasible", "late_parent", "dropped", "displaced", "waited", "slow")
"""The causes; where several apply, the first counts."""

NO_CAUSE = -1
"""In place of a cause: the frame met its deadline."""


@dataclass(frozen=True)
class Misses:
    """Why and by how much a run missed deadlines.

    Args:
        causes: Number of violated frames by cause; their sum is the number of violations.
        lateness_p50_ms: Median time from deadline to end of the frames that completed late, in
            ms; None where none did.
        lateness_p99_ms: Its 99th percentile, interpolated.
        useless_share: Share of the accelerators' busy time that went to frames that were lost or
            late, in [0, 1]; 0 if nothing ran.
    """

    causes: dict[str, int]
    lateness_p50_ms: float | None
    lateness_p99_ms: float | None
    useless_share: float


def explain(result: Result, alone: Ints) -> Misses:
    """Explain the misses of a recorded run.

    Args:
        result: The outcome, with its tables.
        alone: What its frames would need alone, see `Simulation.alone`.

    Raises:
        ValueError: The run was not recorded.
    """
    if result.frames is None or result.timeline is None:
        raise ValueError("result: needs record=True")
    frames = result.frames
    busy_ns = executed_ns(frames, result.timeline)
    cause = attribute(frames, busy_ns, alone)
    late = (frames["fate"] == COMPLETED) & (cause != NO_CAUSE)
    lateness_ms = (frames["end_ns"] - frames["deadline_ns"])[late] / NS_PER_MS
    p50, p99 = np.quantile(lateness_ms, (0.5, 0.99)).tolist() if late.any() else (None, None)
    total_ns = int(busy_ns.sum())
    useless_ns = int(busy_ns[cause != NO_CAUSE].sum())
    counts = np.bincount(cause[cause != NO_CAUSE], minlength=len(CAUSES))
    return Misses(
        causes=dict(zip(CAUSES, counts.tolist(), strict=True)),
        lateness_p50_ms=p50,
        lateness_p99_ms=p99,
        useless_share=useless_ns / total_ns if total_ns else 0.0,
    )


def attribute(frames: Table, busy_ns: Ints, alone: Ints) -> NDArray[np.int64]:
    """The cause of each frame, an index into `CAUSES`, or `NO_CAUSE`.

    Args:
        frames: A record of frames.
        busy_ns: How long each executed, see `executed_ns`.
        alone: What each would need alone, see `Simulation.alone`.
    """
    least_ns, earliest_end_ns = alone.T
    release_ns, deadline_ns, fate = frames["release_ns"], frames["deadline_ns"], frames["fate"]
    violated = (fate != COMPLETED) | (frames["end_ns"] > deadline_ns)
    spare_ns = deadline_ns - release_ns - least_ns
    waited_ns = frames["end_ns"] - release_ns - busy_ns
    conditions = (
        ~violated,
        earliest_end_ns > deadline_ns,
        (release_ns == NEVER_RELEASED) | (spare_ns < 0),
        fate == DROPPED,
        fate == DISPLACED,
        waited_ns > spare_ns,
    )
    causes = (NO_CAUSE, *range(len(CAUSES)))
    return np.select(conditions, causes[:-1], causes[-1])


def executed_ns(frames: Table, timeline: Table) -> Ints:
    """How long each frame executed by its end, context switches included.

    A dispatch that outlasts the horizon counts up to there, where its frame ends.
    """
    sizes = np.zeros(int(frames["model"].max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(sizes, frames["model"], frames["frame"] + 1)
    starts = np.cumsum(sizes) - sizes
    row_of = np.empty(int(sizes.sum()), dtype=np.int64)
    row_of[starts[frames["model"]] + frames["frame"]] = np.arange(len(frames))
    row = row_of[starts[timeline["model"]] + timeline["frame"]]
    end_ns = np.minimum(timeline["end_ns"], frames["end_ns"][row])
    # With decision_ns, a dispatch may be due to start after the horizon.
    spent_ns = np.maximum(end_ns - timeline["start_ns"], 0)
    # The sums are far below 2^53, so floating point holds them exactly.
    return np.bincount(row, weights=spent_ns, minlength=len(frames)).astype(np.int64)
