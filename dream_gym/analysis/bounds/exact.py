"""A near-optimal schedule with the future known, by CP-SAT.

Each frame's path is cut into blocks of consecutive layers of about the same latency. A block runs
whole on one accelerator, which runs one block at a time; blocks in order; a dependent after its
parent's end. Each frame is on time, late or not run; what is not run is charged as a lost frame.
The sum of violation rates is minimised, and then, with what was reached, energy. Restricted: blocks
are not interrupted between their layers, and each of them brings its input in and takes its output
out as if frames always changed, so that the simulator, where the schedule is played, seldom needs
more time. Relaxed: contention and displacement. So its own bounds hold in this model only;
`relaxation` gives those that hold for every scheduler.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from dream_gym.analysis.bounds.plan import RANKS_PER_NS, Genome, Plan
from dream_gym.analysis.bounds.solving import ENERGY_UNIT, minimise, rate_terms
from dream_gym.analysis.bounds.window import Window
from dream_gym.analysis.extra import cp_model
from dream_gym.simulator import NONE, Ints


class Near(NamedTuple):
    """What CP-SAT found.

    Args:
        plan: Its schedule; None if there was none in time.
        rates: Its proven bound on the sum of violation rates, in its model.
    """

    plan: Plan | None
    rates: float


class _Block(NamedTuple):
    """Layers that run as one: where it may run, and when."""

    layers: Ints
    start: Any
    end: Any
    where: list[Any]


def near_optimal(window: Window, genome: Genome, hint: Plan, *, blocks: int, limit: float) -> Near:
    """Search for a schedule.

    Args:
        window: The window.
        genome: Where the genes of plans lie.
        hint: A plan to start from.
        blocks: Most blocks of a frame.
        limit: Deterministic time of each of the two solutions, about seconds.
    """
    model = cp_model().CpModel()
    horizon_ns = window.horizon_ns
    lanes: list[list[Any]] = [[] for _ in range(window.accelerators)]
    met: list[Any] = []
    run: list[Any] = []
    chains: list[list[_Block]] = []
    energy: Any = 0
    for frame in window.frames:
        done, in_time = model.new_bool_var(""), model.new_bool_var("")
        model.add_implication(in_time, done)
        scale = ENERGY_UNIT / (window.worst_energy_pj[frame.model] * window.counts[frame.model])
        energy += ENERGY_UNIT // window.counts[frame.model] * (1 - done)
        chain: list[_Block] = []
        for layers in _cut(window, frame.layers, blocks):
            start = model.new_int_var(frame.release_ns, horizon_ns, "")
            end = model.new_int_var(frame.release_ns, horizon_ns, "")
            where = [model.new_bool_var("") for _ in lanes]
            model.add(sum(where) == done)
            moved = int(window.input_bytes[layers[0]] + window.output_bytes[layers[-1]])
            for accelerator, lane in enumerate(lanes):
                time_ns = int(window.latency_ns[layers, accelerator].sum())
                time_ns += math.ceil(moved * window.ns_per_byte)
                here = where[accelerator]
                lane.append(model.new_optional_interval_var(start, time_ns, end, here, ""))
                pj = int(window.energy_pj[layers, accelerator].sum()) + moved * window.pj_per_byte
                energy += int(pj * scale) * here
            if chain:
                model.add(start >= chain[-1].end)
            chain.append(_Block(layers, start, end, where))
        if frame.parent != NONE:
            model.add_implication(done, run[frame.parent])
            model.add(chain[0].start >= chains[frame.parent][-1].end).only_enforce_if(done)
        model.add(chain[-1].end <= frame.deadline_ns).only_enforce_if(in_time)
        if window.firm:
            model.add_implication(done, in_time)
        met.append(in_time)
        run.append(done)
        chains.append(chain)
    for lane in lanes:
        model.add_no_overlap(lane)
    _give_hint(model, window, genome, hint, run, chains)
    rates = rate_terms(model, window, met)
    first = minimise(model, rates, limit)
    if not first.found:
        return Near(None, first.bound / window.rate_unit)
    reached = round(first.solver.objective_value)
    model.add(rates <= reached)
    model.clear_hints()
    for variable in range(len(model.proto.variables)):
        known = model.get_int_var_from_proto_index(variable)
        model.add_hint(known, first.solver.value(known))
    second = minimise(model, energy, limit)
    solver = second.solver if second.found else first.solver
    plan = _read(window, genome, solver, run, chains)
    return Near(plan, first.bound / window.rate_unit)


def _cut(window: Window, layers: tuple[int, ...], blocks: int) -> list[Ints]:
    """Cut a path into blocks of about the same latency."""
    path = np.array(layers, dtype=np.int64)
    if len(path) <= blocks:
        return np.array_split(path, len(path))
    mean_ns = window.latency_ns[path].mean(axis=1)
    middle = np.cumsum(mean_ns) - mean_ns / 2
    block = np.minimum((middle * blocks / mean_ns.sum()).astype(np.int64), blocks - 1)
    return [path[block == index] for index in np.unique(block)]


def _give_hint(
    model: Any,
    window: Window,
    genome: Genome,
    hint: Plan,
    run: list[Any],
    chains: list[list[_Block]],
) -> None:
    """Hint at where blocks run, each where most of its layers do in a plan, and when."""
    for row, chain in enumerate(chains):
        done = True
        for block in chain:
            genes = genome.genes(window.frames[row], block.layers)
            own = hint.accelerator[genes]
            done &= bool((own != NONE).all())
            most = np.bincount(own[own != NONE], minlength=window.accelerators).argmax()
            for accelerator, here in enumerate(block.where):
                model.add_hint(here, int(done and accelerator == most))
            model.add_hint(block.start, int(hint.rank[genes[0]] // RANKS_PER_NS))
        model.add_hint(run[row], int(done))


def _read(
    window: Window,
    genome: Genome,
    solver: Any,
    run: list[Any],
    chains: list[list[_Block]],
) -> Plan:
    """The schedule as a plan."""
    plan = Plan(np.full(genome.size, NONE, dtype=np.int64), np.zeros(genome.size, dtype=np.int64))
    for row, chain in enumerate(chains):
        if solver.value(run[row]):
            for block in chain:
                genes = genome.genes(window.frames[row], block.layers)
                plan.accelerator[genes] = [solver.value(here) for here in block.where].index(1)
                plan.rank[genes] = solver.value(block.start) * RANKS_PER_NS
    return plan
