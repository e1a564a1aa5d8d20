"""A near-optimal schedule with the future known, by CP-SAT.

Each frame's path is cut into blocks of consecutive layers of about the same latency. A block runs
whole on one accelerator, which runs one block at a time. The blocks of a frame run in order, and a
dependent starts after its parent's end. Each frame is on time, late or not run; a frame that is not
run is charged as lost. A block brings its input in, and takes out what the block before it left,
unless it continues where and when that block ends. The sum of violation rates is minimised first,
and then energy, with violation rates no higher than those. Restricted: blocks are not interrupted
between their layers, and a frame that moves to another accelerator pays for taking its output out.
Relaxed: contention and displacement. So the bounds that this model proves hold in this model only;
`relaxation` proves bounds that hold for every scheduler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dream_gym.analysis.extra import cp_model
from dream_gym.analysis.studies.bounds.plan import RANKS_PER_NS, Genome, Plan
from dream_gym.analysis.studies.bounds.solving import minimise, rate_terms
from dream_gym.analysis.studies.bounds.window import ENERGY_UNIT, Window
from dream_gym.simulator import NONE, Ints


class Near(NamedTuple):
    """What CP-SAT found.

    Args:
        plan: Its schedule; None if there was none in time.
        rates: Its proven bound on the sum of violation rates, in its model.
        energies: Its proven bound on the sum of energies, in its model, for violation rates that
            are at most the plan's.
    """

    plan: Plan | None
    rates: float
    energies: float


class _Block(NamedTuple):
    """Layers that run as one.

    Args:
        layers: As rows of the costs.
        time_ns: What they need on each accelerator.
        switch_ns: What a context switch needs before them.
        start: Variable.
        end: Variable.
        where: For each accelerator, whether it runs there.
        stays: Whether it continues where and when the block before it ends; 0 for the first.
    """

    layers: Ints
    time_ns: list[int]
    switch_ns: int
    start: Any
    end: Any
    where: list[Any]
    stays: Any


class _Frame(NamedTuple):
    """A frame: whether it runs, whether it is on time, and its blocks."""

    runs: Any
    met: Any
    blocks: list[_Block]


class _Slot(NamedTuple):
    """Where and when a block is to run."""

    accelerator: int
    start_ns: int
    end_ns: int
    stays: bool


def near_optimal(
    window: Window, genome: Genome, hints: Sequence[Plan], *, blocks: int, limit: float
) -> Near:
    """Search for a schedule.

    Args:
        window: The window.
        genome: Where the genes of plans lie.
        hints: Plans to start from. The search takes the first one with the least violation rates
            once its layers are joined to blocks. Their ranks are the times at which layers started.
        blocks: Most blocks of a frame.
        limit: Deterministic time of each of the two solutions, about seconds.
    """
    model = cp_model().CpModel()
    lanes: list[list[Any]] = [[] for _ in range(window.accelerators)]
    frames: list[_Frame] = []
    energies: list[Any] = []
    for row, given in enumerate(window.frames):
        frames.append(_add_frame(window, model, row, blocks, lanes, energies))
        if given.parent != NONE:
            parent, own = frames[given.parent], frames[row]
            model.add_implication(own.runs, parent.runs)
            after = model.add(own.blocks[0].start >= parent.blocks[-1].end)
            after.only_enforce_if(own.runs)
    for lane in lanes:
        model.add_no_overlap(lane)
    known = [_schedule(window, genome, hint, frames) for hint in hints]
    _give_hint(model, window, frames, min(known, key=lambda slots: _rates(window, slots)))
    rates = rate_terms(model, window, [frame.met for frame in frames])
    first = minimise(model, rates, limit)
    if not first.found:
        return Near(None, first.bound / window.rate_unit, 0.0)
    model.add(rates <= round(first.solver.objective_value))
    model.clear_hints()
    for index in range(len(model.proto.variables)):
        variable = model.get_int_var_from_proto_index(index)
        model.add_hint(variable, first.solver.value(variable))
    second = minimise(model, sum(energies), limit)
    solver = second.solver if second.found else first.solver
    plan = _read(window, genome, solver, frames)
    return Near(plan, first.bound / window.rate_unit, second.bound / ENERGY_UNIT)


def _add_frame(
    window: Window, model: Any, row: int, blocks: int, lanes: list[list[Any]], energies: list[Any]
) -> _Frame:
    """Add a frame, its blocks to the lanes of the accelerators, and its energy."""
    frame = window.frames[row]
    runs, met = model.new_bool_var(""), model.new_bool_var("")
    model.add_implication(met, runs)
    if window.firm:
        model.add_implication(runs, met)
    energies.append(window.energy_parts(frame.model, window.worst_energy_pj[frame.model]))
    energies.append(-energies[-1] * runs)
    chain: list[_Block] = []
    # A frame that cannot be released before the end has no time to run.
    latest_ns = max(frame.release_ns, window.horizon_ns)
    for layers in _cut(window, frame.layers, blocks):
        moved = int(window.input_bytes[layers[0]])
        moved += int(window.output_bytes[chain[-1].layers[-1]]) if chain else 0
        block = _Block(
            layers,
            time_ns=window.latency_ns[layers].sum(axis=0).tolist(),
            switch_ns=math.ceil(moved * window.ns_per_byte),
            start=model.new_int_var(frame.release_ns, latest_ns, ""),
            end=model.new_int_var(frame.release_ns, latest_ns, ""),
            where=[model.new_bool_var("") for _ in lanes],
            stays=model.new_bool_var("") if chain else 0,
        )
        model.add(sum(block.where) == runs)
        energies.append(
            window.energy_parts(frame.model, moved * window.pj_per_byte) * (runs - block.stays)
        )
        energy_pj = window.energy_pj[layers].sum(axis=0).tolist()
        for accelerator, (lane, here) in enumerate(zip(lanes, block.where, strict=True)):
            length = block.time_ns[accelerator] + block.switch_ns - block.switch_ns * block.stays
            lane.append(model.new_optional_interval_var(block.start, length, block.end, here, ""))
            energies.append(window.energy_parts(frame.model, energy_pj[accelerator]) * here)
        if chain:
            before = chain[-1]
            model.add(block.start >= before.end)
            model.add_implication(block.stays, runs)
            model.add(block.start == before.end).only_enforce_if(block.stays)
            for here, there in zip(block.where, before.where, strict=True):
                model.add(here == there).only_enforce_if(block.stays)
        chain.append(block)
    model.add(chain[-1].end <= frame.deadline_ns).only_enforce_if(met)
    return _Frame(runs, met, chain)


def _cut(window: Window, layers: tuple[int, ...], blocks: int) -> list[Ints]:
    """Cut a path into blocks of about the same latency."""
    path = np.array(layers, dtype=np.int64)
    if len(path) <= blocks:
        return np.array_split(path, len(path))
    mean_ns = window.latency_ns[path].mean(axis=1)
    middle = np.cumsum(mean_ns) - mean_ns / 2
    block = np.minimum((middle * blocks / mean_ns.sum()).astype(np.int64), blocks - 1)
    return [path[block == index] for index in np.unique(block)]


def _schedule(
    window: Window, genome: Genome, plan: Plan, frames: list[_Frame]
) -> dict[int, list[_Slot]]:
    """A schedule that the model allows: where and when the blocks of each frame run, by row.

    Blocks are taken in the order of the plan, each on the accelerator that runs most of its layers
    there. Frames that do not fit are left out until the rest fits.
    """
    order: list[tuple[int, int, int, int]] = []
    rows: set[int] = set()
    for row, frame in enumerate(frames):
        genes = [genome.genes(window.frames[row], block.layers) for block in frame.blocks]
        if all((plan.accelerator[own] != NONE).all() for own in genes):
            rows.add(row)
            for index, own in enumerate(genes):
                most = int(np.bincount(plan.accelerator[own]).argmax())
                order.append((int(plan.rank[own[0]]), row, index, most))
    order.sort()
    while True:
        slots = _in_order(window, frames, [job for job in order if job[1] in rows])
        unfit = {row for row in rows if not _fits(window, row, rows, slots[row][-1].end_ns)}
        if not unfit:
            return slots
        rows -= unfit


def _met(window: Window, slots: dict[int, list[_Slot]]) -> list[bool]:
    """Which frames of a schedule are on time."""
    return [
        row in slots and slots[row][-1].end_ns <= frame.deadline_ns
        for row, frame in enumerate(window.frames)
    ]


def _rates(window: Window, slots: dict[int, list[_Slot]]) -> float:
    """The sum of violation rates of a schedule."""
    violations = [0] * len(window.counts)
    for frame, met in zip(window.frames, _met(window, slots), strict=True):
        violations[frame.model] += not met
    return window.rates(tuple(violations))


def _give_hint(
    model: Any, window: Window, frames: list[_Frame], slots: dict[int, list[_Slot]]
) -> None:
    """Hint at a schedule."""
    for row, (frame, met) in enumerate(zip(frames, _met(window, slots), strict=True)):
        release_ns = window.frames[row].release_ns
        nowhere = [_Slot(NONE, release_ns, release_ns, stays=False)] * len(frame.blocks)
        model.add_hint(frame.runs, int(row in slots))
        model.add_hint(frame.met, int(met))
        for block, slot in zip(frame.blocks, slots.get(row, nowhere), strict=True):
            model.add_hint(block.start, slot.start_ns)
            model.add_hint(block.end, slot.end_ns)
            for accelerator, here in enumerate(block.where):
                model.add_hint(here, int(accelerator == slot.accelerator))
            if block is not frame.blocks[0]:
                model.add_hint(block.stays, int(slot.stays))


def _in_order(
    window: Window, frames: list[_Frame], order: list[tuple[int, int, int, int]]
) -> dict[int, list[_Slot]]:
    """Run blocks as early as they can, in an order that has parents and earlier blocks first."""
    free_ns = [0] * window.accelerators
    slots: dict[int, list[_Slot]] = {}
    for _, row, index, accelerator in order:
        given, block = window.frames[row], frames[row].blocks[index]
        own = slots.setdefault(row, [])
        ready_ns = own[-1].end_ns if own else given.release_ns
        if not own and given.parent in slots:
            ready_ns = max(ready_ns, slots[given.parent][-1].end_ns)
        start_ns = max(ready_ns, free_ns[accelerator])
        stays = bool(own) and own[-1].accelerator == accelerator and start_ns == own[-1].end_ns
        end_ns = start_ns + block.time_ns[accelerator] + (0 if stays else block.switch_ns)
        own.append(_Slot(accelerator, start_ns, end_ns, stays))
        free_ns[accelerator] = end_ns
    return slots


def _fits(window: Window, row: int, rows: set[int], end_ns: int) -> bool:
    """Whether the model may run a frame that ends at this time."""
    given = window.frames[row]
    until_ns = given.deadline_ns if window.firm else window.horizon_ns
    return end_ns <= until_ns and (given.parent == NONE or given.parent in rows)


def _read(window: Window, genome: Genome, solver: Any, frames: list[_Frame]) -> Plan:
    """The schedule as a plan."""
    plan = Plan(np.full(genome.size, NONE, dtype=np.int64), np.zeros(genome.size, dtype=np.int64))
    for row, frame in enumerate(frames):
        if solver.value(frame.runs):
            for block in frame.blocks:
                genes = genome.genes(window.frames[row], block.layers)
                plan.accelerator[genes] = [solver.value(here) for here in block.where].index(1)
                plan.rank[genes] = solver.value(block.start) * RANKS_PER_NS
    return plan
