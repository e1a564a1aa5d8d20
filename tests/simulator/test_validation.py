"""The debug mode finds each kind of broken record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dream_gym
from dream_gym.errors import InvariantError
from dream_gym.hardware import load_platform
from dream_gym.schedulers import BUILTIN
from dream_gym.simulator import (
    Problem,
    Result,
    build_problem,
    check_invariants,
    view_problem,
)
from dream_gym.workload import load_scenario

CELL = "ar_social", "4k_1ws_2os"


@pytest.fixture(scope="module")
def problem() -> Problem:
    return view_problem(build_problem(load_scenario(CELL[0]), load_platform(CELL[1])))


@pytest.fixture(scope="module")
def good() -> Result:
    return dream_gym.simulate(*CELL, "fcfs", seconds=0.5, record=True)


def test_a_good_run_passes(good: Result, problem: Problem) -> None:
    check_invariants(good, problem)


def test_a_run_without_record_cannot_be_checked(good: Result, problem: Problem) -> None:
    with pytest.raises(ValueError, match="record=True"):
        check_invariants(replace(good, timeline=None), problem)


def change(table: str, **values: Any) -> Callable[[Result], Result]:
    """Change one row of a table: that of the first dispatch, or of the frame that it is of."""

    def changed(result: Result) -> Result:
        rows = getattr(result, table).copy()
        assert result.timeline is not None
        row = 0
        if table == "frames":
            first = result.timeline[0]
            own = (rows["model"] == first["model"]) & (rows["frame"] == first["frame"])
            row = int(np.flatnonzero(own)[0])
        for name, value in values.items():
            rows[name][row] = value(rows[row]) if callable(value) else value
        return replace(result, **{table: rows})

    return changed


def without_last_layer(result: Result) -> Result:
    """The record without the last dispatch of a frame, its energy given to the one before."""
    rows = result.timeline
    assert rows is not None
    own = np.flatnonzero((rows["model"] == rows["model"][0]) & (rows["frame"] == 0))
    rows = rows.copy()
    rows["energy_pj"][own[-2]] += rows["energy_pj"][own[-1]]
    return replace(result, timeline=np.delete(rows, own[-1]))


def with_dearer_switch(result: Result) -> Result:
    """The record with one pJ more for a dispatch, its frame and its model."""
    changed = change("timeline", energy_pj=lambda row: row["energy_pj"] + 1)(result)
    changed = change("frames", energy_pj=lambda row: row["energy_pj"] + 1)(changed)
    assert changed.timeline is not None
    spent = dict(result.energy_spent)
    spent[list(spent)[changed.timeline["model"][0]]] += 1
    return replace(changed, energy_spent=spent)


def with_layers_at_once(result: Result) -> Result:
    """The record with a frame's second layer begun before its first has ended, elsewhere."""
    rows = result.timeline
    assert rows is not None
    own = np.flatnonzero((rows["model"] == rows["model"][0]) & (rows["frame"] == 0))
    rows = rows.copy()
    rows["start_ns"][own[1]] = rows["end_ns"][own[0]] - 1
    rows["accelerator"][own[1]] = rows["accelerator"].max() + 1
    return replace(result, timeline=rows)


def without_last_frame(result: Result) -> Result:
    """The record without the fate of a frame."""
    assert result.frames is not None
    return replace(result, frames=result.frames[:-1])


BREAKS: dict[str, Callable[[Result], Result]] = {
    "takes another time than its layers": change("timeline", switch_ns=-1),
    "a context switch takes": with_dearer_switch,
    "ends before it starts": change("timeline", end_ns=-1),
    "runs two dispatches": change("timeline", end_ns=10**9),
    "runs twice at once": with_layers_at_once,
    "runs a layer again": change("timeline", layer=1),
    "changes its variant": change("timeline", variant=1),
    "is of a frame that does not exist": change("timeline", frame=10**6),
    "runs before its release": change("frames", release_ns=1),
    "runs after its end": change("frames", end_ns=1),
    "is complete before its last layer": without_last_layer,
    "spent": change("timeline", energy_pj=lambda row: row["energy_pj"] + 1),
    "two fates": change("frames", frame=1),
    "frames have a fate, but": without_last_frame,
    "ends before it can": change("frames", release_ns=lambda row: row["end_ns"] - 5),
    "below its bound": lambda result: replace(result, uxcost=result.lower_bound_lightest / 2),
}


@pytest.mark.parametrize("words", BREAKS)
def test_what_is_broken_is_named(words: str, good: Result, problem: Problem) -> None:
    broken = BREAKS[words](good)
    if words == "ends before it can":  # nor may it run before its release
        assert broken.timeline is not None
        broken = replace(broken, timeline=broken.timeline[:0], energy_spent={})
    with pytest.raises(InvariantError, match=words):
        check_invariants(broken, problem)


def world(scheduler: str, **options: Any) -> list[tuple[int, ...]]:
    """The frames, and the releases of roots, which no scheduler can change."""
    scenario = load_scenario("xrbench_ar_assistant")
    result = dream_gym.simulate(
        scenario, "4k_1ws_2os", scheduler, seconds=1.0, record=True, **options
    )
    assert result.frames is not None
    roots = [index for index, model in enumerate(scenario.models) if model.depends_on is None]
    frames = result.frames[["model", "frame", "deadline_ns", "release_ns"]]
    rooted = np.isin(frames["model"], roots)
    assert rooted.any()
    frames["release_ns"][~rooted] = 0
    return sorted(frames.tolist())


def test_the_world_is_the_same_under_every_scheduler() -> None:
    for options in ({"seed": 3}, {"seed": 4, "load": 3.0, "expiry": "firm"}):
        worlds = [world(scheduler, **options) for scheduler in BUILTIN]
        assert all(found == worlds[0] for found in worlds[1:])
