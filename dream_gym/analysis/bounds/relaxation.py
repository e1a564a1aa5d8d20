"""A proven bound: what no scheduler can do, by a relaxation that CP-SAT can solve.

A frame is on time or not. The work of the frames that are on time, and whose time between release
and deadline lies within an interval, must fit into that interval on each accelerator. Relaxed,
that is left out: the order of layers, but that a frame's own layers fit one after the other; that
accelerators run a layer whole; context switches, contention and displacement; that a dependent
waits for its parent's end, but for the earliest that there can be; what late and lost frames
occupy, and their energy beyond the least. Only the busiest intervals are looked at. Nothing is
restricted, so that what is proven holds for every scheduler that chooses no Supernet variant.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from dream_gym.analysis.bounds.solving import ENERGY_UNIT, minimise, rate_terms
from dream_gym.analysis.bounds.window import Window
from dream_gym.analysis.extra import cp_model

INTERVALS = 200


class Proven(NamedTuple):
    """What holds for all schedules.

    Args:
        rates: The sum of violation rates is at least this.
        energies: The sum of normalised energies is, where violation rates are no more than those
            that it was asked for.
    """

    rates: float
    energies: float


def prove(window: Window, *, rates: float, limit: float) -> Proven:
    """Prove bounds.

    Args:
        window: The window.
        rates: The sum of violation rates up to which energies are bounded.
        limit: Deterministic time of each of the two solutions, about seconds.
    """
    model = cp_model().CpModel()
    met = [model.new_bool_var("") for _ in window.frames]
    energies: list[Any] = []
    works = [_work(window, model, met[row], row, energies) for row in range(len(window.frames))]
    for first_ns, last_ns in _busiest(window):
        inside = [
            row
            for row, frame in enumerate(window.frames)
            if first_ns <= frame.release_ns and frame.deadline_ns <= last_ns
        ]
        for accelerator in range(window.accelerators):
            work = sum(works[row][accelerator] for row in inside)
            model.add(work <= last_ns - first_ns)
    sum_of_rates = rate_terms(model, window, met)
    least_rates = minimise(model, sum_of_rates, limit).bound
    model.add(sum_of_rates <= round(rates * window.rate_unit))
    model.add(sum_of_rates >= round(least_rates))
    least = minimise(model, sum(energies), limit).bound
    return Proven(least_rates / window.rate_unit, least / ENERGY_UNIT)


def _work(window: Window, model: Any, met: Any, row: int, energies: list[Any]) -> list[Any]:
    """The frame's work on each accelerator if it is met; adds its energy."""
    frame = window.frames[row]
    scale = ENERGY_UNIT / (window.worst_energy_pj[frame.model] * window.counts[frame.model])
    kinds = Counter(
        (tuple(window.latency_ns[layer].tolist()), tuple(window.energy_pj[layer].tolist()))
        for layer in frame.layers
    )
    work: list[Any] = [0] * window.accelerators
    for (latency_ns, energy_pj), number in kinds.items():
        shares = [model.new_int_var(0, number, "") for _ in latency_ns]
        model.add(sum(shares) == number * met)
        least = int(min(energy_pj) * scale)
        energies.append(number * least)
        for accelerator, share in enumerate(shares):
            work[accelerator] += latency_ns[accelerator] * share
            energies.append((int(energy_pj[accelerator] * scale) - least) * share)
    model.add(sum(work) <= max(frame.deadline_ns - frame.release_ns, 0))
    return work


def _busiest(window: Window) -> list[tuple[int, int]]:
    """The intervals from a release to a deadline with most least work in relation to their time."""
    release = np.array([frame.release_ns for frame in window.frames])
    deadline = np.array([frame.deadline_ns for frame in window.frames])
    fastest = window.latency_ns.min(axis=1)
    work = np.array([fastest[list(frame.layers)].sum() for frame in window.frames])
    found = []
    for first_ns in np.unique(release).tolist():
        for last_ns in np.unique(deadline[deadline > first_ns]).tolist():
            inside = (release >= first_ns) & (deadline <= last_ns)
            if inside.any():
                found.append((work[inside].sum() / (last_ns - first_ns), first_ns, last_ns))
    return [(first, last) for _, first, last in sorted(found, reverse=True)[:INTERVALS]]
