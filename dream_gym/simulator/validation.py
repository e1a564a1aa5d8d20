"""Debug mode: what must hold in every run, whoever schedules, checked on its record."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import InvariantError
from dream_gym.simulator.frames import COMPLETED, NEVER_RELEASED, UNFINISHED
from dream_gym.simulator.problem import Problem
from dream_gym.simulator.result import Result, Table

_ROUNDING = 1 - 1e-12


def check_invariants(result: Result, problem: Problem) -> None:
    """Check a whole run that was recorded.

    Args:
        result: The outcome, with its tables.
        problem: What was run.

    Raises:
        InvariantError: Names what does not hold, and where.
        ValueError: The run was not recorded.
    """
    if result.timeline is None or result.frames is None:
        raise ValueError("result: needs record=True")
    timeline, frames = result.timeline, result.frames
    for broken in itertools.chain(
        _overlaps(timeline),
        _fates(result, frames),
        _orders(problem, timeline, frames),
        _energies(result, timeline, frames),
        _impossible_ends(problem, frames),
        _costs(problem, timeline),
        _bounds(result),
    ):
        raise InvariantError(f"seed {result.seed}: {broken}")


def _overlaps(timeline: Table) -> Iterator[str]:
    """No accelerator runs two dispatches at once, and time does not run backwards in one."""
    if (timeline["end_ns"] <= timeline["start_ns"]).any():
        yield "a dispatch ends before it starts"
    rows = timeline[np.lexsort((timeline["start_ns"], timeline["accelerator"]))]
    same = rows["accelerator"][1:] == rows["accelerator"][:-1]
    early = same & (rows["start_ns"][1:] < rows["end_ns"][:-1])
    for row in rows[1:][early]:
        yield f"accelerator {row['accelerator']} runs two dispatches at {row['start_ns']} ns"


def _key(table: Table) -> NDArray[np.int64]:
    return np.asarray(table["model"] << 40 | table["frame"])


def _fates(result: Result, frames: Table) -> Iterator[str]:
    """Every frame of the world has exactly one fate."""
    if len(np.unique(_key(frames))) != len(frames):
        yield "a frame has two fates"
    if len(frames) != sum(result.frame_count.values()):
        yield f"{len(frames)} frames have a fate, but {sum(result.frame_count.values())} exist"


def _orders(problem: Problem, timeline: Table, frames: Table) -> Iterator[str]:
    """A frame's layers run in order, each once, on one network, after its release, to its end."""
    rows = timeline[np.lexsort((timeline["start_ns"], _key(timeline)))]
    same = _key(rows)[1:] == _key(rows)[:-1]
    before, after = rows[:-1][same], rows[1:][same]
    for what, broken in (
        ("runs twice at once", after["start_ns"] < before["end_ns"]),
        ("runs a layer again", after["layer"] < before["layer"] + before["layers"]),
        ("changes its variant", after["variant"] != before["variant"]),
    ):
        for row in after[broken]:
            yield f"frame {row['frame']} of model {row['model']} {what} at {row['start_ns']} ns"
    by_key = np.argsort(_key(frames))
    at = np.searchsorted(_key(frames)[by_key], _key(rows))
    own = frames[by_key][np.minimum(at, len(frames) - 1)]
    if (_key(own) != _key(rows)).any():
        yield "a dispatch is of a frame that does not exist"
        return
    never = own["release_ns"] == NEVER_RELEASED
    if (never | (rows["start_ns"] < own["release_ns"])).any():
        yield "a frame runs before its release"
    late = (rows["end_ns"] > own["end_ns"]) & (own["fate"] != UNFINISHED)
    if late.any():
        yield "a frame runs after its end"
    last = np.append(~same, True)[: len(rows)]
    ends = problem.networks["last_layer"] - problem.networks["first_layer"] + 1
    first_networks = problem.models["first_network"]
    network = first_networks[rows["model"]] + rows["variant"]
    whole = (rows["layer"] + rows["layers"] == ends[network]) | (
        problem.networks["forks"][network] > 0
    )
    if (last & (own["fate"] == COMPLETED) & ~whole).any():
        yield "a frame is complete before its last layer"


def _energies(result: Result, timeline: Table, frames: Table) -> Iterator[str]:
    """Energy is conserved: dispatches, frames and models spend the same."""
    for index, (model, spent_pj) in enumerate(result.energy_spent.items()):
        dispatched_pj = int(timeline["energy_pj"][timeline["model"] == index].sum())
        framed_pj = int(frames["energy_pj"][frames["model"] == index].sum())
        if not spent_pj == dispatched_pj == framed_pj:
            yield (
                f"{model} spent {spent_pj} pJ, its dispatches {dispatched_pj} pJ, its frames "
                f"{framed_pj} pJ"
            )


def _impossible_ends(problem: Problem, frames: Table) -> Iterator[str]:
    """No frame is complete before its isolated best time; of those whose path is known."""
    network = problem.models["first_network"][frames["model"]] + frames["variant"]
    first_layers = problem.networks["first_layer"][network]
    least_ns = problem.layers["least_remaining_ns"][first_layers]
    known = problem.networks["forks"][network] == 0
    early = frames["end_ns"] < frames["release_ns"] + least_ns
    for row in frames[known & early & (frames["fate"] == COMPLETED)]:
        yield f"frame {row['frame']} of model {row['model']} ends before it can, {row['end_ns']} ns"


def _costs(problem: Problem, timeline: Table) -> Iterator[str]:
    """A dispatch takes the time and the energy of its layers and of a context switch."""
    network = problem.models["first_network"][timeline["model"]] + timeline["variant"]
    first = problem.networks["first_layer"][network] + timeline["layer"]
    where = first + timeline["layers"], timeline["accelerator"]

    def own(cost: str) -> NDArray[np.int64]:
        sums = np.pad(np.cumsum(problem.costs[cost], axis=0), ((1, 0), (0, 0)))
        return np.asarray(sums[where] - sums[first, timeline["accelerator"]])

    setting = problem.setting[0]
    rest_ns = timeline["end_ns"] - timeline["start_ns"] - timeline["switch_ns"] - own("latency_ns")
    broken = (timeline["switch_ns"] < 0) | (rest_ns < 0 if setting.contention else rest_ns != 0)
    for row in timeline[broken]:
        yield f"the dispatch at {row['start_ns']} ns takes another time than its layers and switch"
    moved_pj = timeline["energy_pj"] - own("energy_pj")
    pj_per_byte = int(setting.dram_pj_per_byte)
    numerator, denominator = int(setting.bandwidth_numerator), int(setting.bandwidth_denominator)
    pairs = np.unique(np.stack([moved_pj, timeline["switch_ns"]], axis=1), axis=0)
    for switch_pj, switch_ns in pairs.tolist():
        if pj_per_byte == 0:
            holds = switch_pj == 0
        else:
            moved_bytes, left = divmod(switch_pj, pj_per_byte)
            holds = left == 0 <= moved_bytes
            holds &= switch_ns == -(-moved_bytes * denominator // numerator)
        if not holds:
            yield f"a context switch takes {switch_ns} ns and {switch_pj} pJ"


def _bounds(result: Result) -> Iterator[str]:
    """UXCost is not below its lower bound where no frame is lost."""
    below = result.uxcost < result.lower_bound_lightest * _ROUNDING
    if below and not any(result.lost_rate.values()):
        yield f"UXCost {result.uxcost} is below its bound {result.lower_bound_lightest}"
