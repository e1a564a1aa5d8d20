"""A proven bound that no scheduler can beat, by a relaxation that CP-SAT can solve.

A frame is on time or not. Take the frames that are on time and whose time between release and
deadline lies within an interval: their work must fit into that interval on each accelerator. The
relaxation leaves out: the order of layers, except that a frame's own layers fit one after the
other; that accelerators run a layer whole; context switches, contention and displacement; that a
dependent waits for its parent's end, except for the earliest possible one; the time that late and
lost frames occupy, and their energy beyond the least, or, with firm deadlines, beyond that of a
lost frame. Only the busiest intervals are used. Nothing is restricted, so the bound holds for every
scheduler that chooses no Supernet variant.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from dream_gym.analysis.extra import cp_model
from dream_gym.analysis.studies.bounds.solving import minimise, rate_terms
from dream_gym.analysis.studies.bounds.window import ENERGY_UNIT, Window

INTERVALS = 200


class _Model(NamedTuple):
    """The relaxation: CP-SAT's model and both sums."""

    model: Any
    rates: Any
    energies: Any


def prove_rates(window: Window, *, limit: float) -> int:
    """Prove a lower bound on the sum of violation rates, in parts of `Window.rate_unit`.

    Args:
        window: The window.
        limit: Deterministic time, about seconds.
    """
    relaxed = _relaxation(window)
    return minimise(relaxed.model, relaxed.rates, limit).bound


def prove_energies(window: Window, *, least_rates: int, rates: float, limit: float) -> float:
    """Prove a lower bound on the sum of normalised energies.

    Args:
        window: The window.
        least_rates: What `prove_rates` proved.
        rates: The bound holds for schedules whose sum of violation rates is at most this.
        limit: Deterministic time, about seconds.
    """
    relaxed = _relaxation(window)
    relaxed.model.add(relaxed.rates >= least_rates)
    relaxed.model.add(relaxed.rates <= round(rates * window.rate_unit))
    return minimise(relaxed.model, relaxed.energies, limit).bound / ENERGY_UNIT


def _relaxation(window: Window) -> _Model:
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
            model.add(sum(works[row][accelerator] for row in inside) <= last_ns - first_ns)
    for variable in met:
        model.add_hint(variable, 0)
    return _Model(model, rate_terms(model, window, met), sum(energies))


def _work(window: Window, model: Any, met: Any, row: int, energies: list[Any]) -> list[Any]:
    """The frame's work on each accelerator if it is met; adds its energy."""
    frame = window.frames[row]
    time_ns = max(frame.deadline_ns - frame.release_ns, 0)
    kinds = Counter(
        (tuple(window.latency_ns[layer].tolist()), tuple(window.energy_pj[layer].tolist()))
        for layer in frame.layers
    )
    terms: list[Any] = [0] * window.accelerators
    least_of_all = 0
    for (latency_ns, energy_pj), number in kinds.items():
        shares = [model.new_int_var(0, number, "") for _ in latency_ns]
        model.add(sum(shares) == number * met)
        least = window.energy_parts(frame.model, min(energy_pj))
        least_of_all += number * least
        for accelerator, share in enumerate(shares):
            terms[accelerator] += latency_ns[accelerator] * share
            more = window.energy_parts(frame.model, energy_pj[accelerator]) - least
            energies.append(more * share)
    energies.append(least_of_all)
    if window.firm:
        worst = window.energy_parts(frame.model, window.worst_energy_pj[frame.model])
        energies.append((worst - least_of_all) * (1 - met))
    work = [model.new_int_var(0, time_ns, "") for _ in terms]
    for own, term in zip(work, terms, strict=True):
        model.add(own == term)
    model.add(sum(work) <= time_ns)
    return work


def _busiest(window: Window) -> list[tuple[int, int]]:
    """The intervals from a release to a deadline whose least work is largest for their length."""
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
