"""What is measured of a run: one tidy row."""

from __future__ import annotations

from typing import Any

import numpy as np

from dream_gym.analysis.measures.misses import CAUSES, explain
from dream_gym.analysis.measures.responses import responses_by_model, responses_of_deadline
from dream_gym.simulator import Cell, Result, Simulation
from dream_gym.simulator.frames import COMPLETED
from dream_gym.units import NS_PER_MS, PJ_PER_MJ

XRBENCH_STEEPNESS_PER_MS = 15.0
XRBENCH_MOST_MJ = 1500.0
SCORE_DIGITS = 9


def result_row(cell: Cell, policy: str, result: Result, world: Simulation) -> dict[str, Any]:
    """One tidy row.

    Rates are shares of frames, in [0, 1]. ``late_rate`` counts frames that completed late, so
    ``violation_rate`` is its sum with ``lost_rate``; it is also the sum of the columns
    ``missed.CAUSE``, see docs/misses.md, which also defines lateness and ``useless_share``.
    ``response_p50``, ``response_p99`` and ``response_max`` are shares of the relative deadline,
    see `responses`.

    Energies are in mJ per frame: ``energy_mj`` is all that was spent, whether the frame was
    completed or not, and ``energy_charged_mj`` what UXCost counts. ``power_mw`` is all that was
    spent over the simulated time. ``multiple`` is UXCost over its lower bound, and
    ``energy_multiple`` its second factor, the sum of normalised energies, over that of the bound;
    ``lower_bound_lightest`` and the columns named after it let a Supernet run its lightest variant.
    ``accuracy`` is the mean top-1 of the Supernets' completed frames in percent, and
    ``accuracy_loss`` what their variants lose of it, as a fraction of a violation, see `Result`.

    The columns ``violation_rate.MODEL``, ``energy_mj.MODEL`` and ``response_p50_ms.MODEL``,
    likewise p99 and max, are per model.

    Args:
        cell: The cell of the run.
        policy: The policy that played.
        result: The outcome, with its tables.
        world: A simulation in which the same world has begun.
    """
    assert result.frames is not None
    frames = sum(result.frame_count.values())
    misses = explain(result, world.alone(result.frames))
    nominal_ns = world.nominal_ns(result.frames)
    violation_rate, lost_rate = result.mean_violation_rate, result.mean_lost_rate
    spent_pj = sum(result.energy_spent.values())
    row: dict[str, Any] = {
        "scenario": cell.scenario,
        "platform": cell.platform,
        "load": cell.load,
        "expiry": cell.expiry_in_force,
        "cascade": cell.cascade,
        "jitter": cell.jitter,
        "policy": policy,
        "seed": result.seed,
        "seconds": result.seconds,
        "frames": frames,
        "uxcost": result.uxcost,
        **_multiples(result),
        "violation_rate": violation_rate,
        "lost_rate": lost_rate,
        "late_rate": violation_rate - lost_rate,
        "energy_mj": _mj_per_frame(spent_pj, frames),
        "energy_charged_mj": _mj_per_frame(sum(result.energy_charged.values()), frames),
        "power_mw": spent_pj / PJ_PER_MJ / result.seconds,
        "accuracy": _accuracy(cell, result),
        "accuracy_loss": result.mean_accuracy_loss,
        "lateness_p50_ms": misses.lateness_p50_ms,
        "lateness_p99_ms": misses.lateness_p99_ms,
        "useless_share": misses.useless_share,
        "xrbench_score": xrbench_score(result),
    }
    for name, share in responses_of_deadline(result.frames, nominal_ns)._asdict().items():
        row[f"response_{name}"] = share
    for cause in CAUSES:
        row[f"missed.{cause}"] = misses.causes[cause] / frames if frames else 0.0
    for model, rate in result.violation_rate.items():
        row[f"violation_rate.{model}"] = rate
    for model, energy_pj in result.energy_spent.items():
        row[f"energy_mj.{model}"] = _mj_per_frame(energy_pj, result.frame_count[model])
    by_model = responses_by_model(result.frames, nominal_ns, len(result.frame_count))
    for model, responses in zip(result.frame_count, by_model, strict=True):
        for name, time_ns in responses._asdict().items():
            row[f"response_{name}_ms.{model}"] = None if time_ns is None else time_ns / NS_PER_MS
    return row


def _multiples(result: Result) -> dict[str, float]:
    """The bounds of UXCost, and by what factor it and its energies are above them."""
    counts = [
        (rate * count, count)
        for rate, count in zip(
            result.violation_rate.values(), result.frame_count.values(), strict=True
        )
        if count
    ]
    above_floor = 1.0
    if counts:
        violations = sum(max(violated, 0.5) / count for violated, count in counts)
        above_floor = violations / sum(0.5 / count for _, count in counts)
    found = {}
    for which, bound in ("", result.lower_bound), ("_lightest", result.lower_bound_lightest):
        multiple = result.uxcost / bound if counts else 1.0
        found[f"lower_bound{which}"] = bound
        found[f"multiple{which}"] = multiple
        found[f"energy_multiple{which}"] = multiple / above_floor
    return found


def _mj_per_frame(energy_pj: int, frames: int) -> float:
    return energy_pj / PJ_PER_MJ / frames if frames else 0.0


def _accuracy(cell: Cell, result: Result) -> float | None:
    scenario = cell.workload
    supernets = {
        name
        for name, network in zip(scenario.model_names, scenario.networks, strict=True)
        if network.variants
    }
    stated = [top1 for model, top1 in result.accuracy.items() if model in supernets]
    return sum(stated) / len(stated) if stated else None


def xrbench_score(result: Result) -> float:
    """XRBench's score of a recorded run, in [0, 100], higher is better; reconstructed.

    100 × the mean over models of (the mean over completed frames of real-time score × energy
    score) × (1 − share of lost frames). A frame's real-time score is 1 / (1 + exp(15 × ms late)),
    where an early frame is late by a negative time; its energy score is (1500 − mJ) / 1500, at
    least 0; its accuracy score is taken as 1. A model without completed frames scores 0, one
    without frames is left out; if there are no frames at all, the score is 100.
    """
    assert result.frames is not None
    frames = result.frames
    late_ms = (frames["end_ns"] - frames["deadline_ns"]) / NS_PER_MS
    # exp overflows above 709, where the score has long been 0 in double precision.
    real_time = 1.0 / (1.0 + np.exp(np.minimum(XRBENCH_STEEPNESS_PER_MS * late_ms, 700.0)))
    spent_mj = frames["energy_pj"] / PJ_PER_MJ
    energy = np.maximum(XRBENCH_MOST_MJ - spent_mj, 0.0) / XRBENCH_MOST_MJ
    scores = []
    for model, count in enumerate(result.frame_count.values()):
        if count:
            done = (frames["model"] == model) & (frames["fate"] == COMPLETED)
            # The mean over completed frames × the share of completed frames.
            scores.append(float((real_time * energy)[done].sum()) / count)
    # The last bits of exp depend on the machine.
    return round(100.0 * sum(scores) / len(scores), SCORE_DIGITS) if scores else 100.0
