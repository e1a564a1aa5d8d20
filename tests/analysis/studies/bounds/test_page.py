"""What the page on bounds says of figures that are given."""

from __future__ import annotations

import re

import pytest

from dream_gym.analysis.studies.bounds.page import lines, verdict
from dream_gym.analysis.studies.bounds.study import EXACT, GENETIC, Proofs, WindowBounds
from dream_gym.analysis.studies.bounds.window import Attained
from dream_gym.simulator import Cell


def made(seed: int, proven_uxcost: float, **uxcosts: float) -> WindowBounds:
    """A window whose analytic bound is 1."""
    played = {name: Attained(uxcost, uxcost, 1.0, 3) for name, uxcost in uxcosts.items()}
    return WindowBounds(seed, 5, 1.0, proven_uxcost, Proofs(1.0, 1.0, 1.5, 1.0), played)


CELLS = (Cell(scenario="ar_call", platform="4k_2ws"), Cell(scenario="ar_call", platform="4k_2os"))
STUDY = [
    [
        made(1, 1.0, dream_full=8.0, edf=4.0, magma=2.0, fcfs=4.0, **{EXACT: 2.0}),
        made(2, 1.0, dream_full=9.0, edf=9.0, magma=3.0, fcfs=9.0, **{EXACT: 3.0}),
    ],
    [
        made(seed, 2.0, dream_full=4.0, edf=4.0, magma=4.0, fcfs=6.0, **{EXACT: 4.0})
        for seed in (1, 2)
    ],
]


def test_rows_of_a_cell() -> None:
    rows = lines(STUDY[:1])
    assert [row.names for row in rows] == [
        ("analytic bound",),
        ("proven bound",),
        (f"{EXACT}, in its model",),
        (EXACT,),
        (GENETIC,),
        ("edf", "fcfs"),
        ("dream_full",),
    ]
    edf = rows[5]
    assert edf.to_best is not None
    assert edf.to_bound is not None
    assert edf.to_best.mean == pytest.approx(6**0.5)
    assert not edf.to_best.known  # of two windows
    assert edf.to_bound.mean == pytest.approx(6)


def test_the_verdict() -> None:
    assert "nearest is `edf`: its UXCost is 1.565 times" in verdict(CELLS, STUDY)  # of two seeds
    said = verdict(CELLS, [2 * windows for windows in STUDY])
    assert re.search(r"nearest is `edf`: its UXCost is 1\.565 \[1\.\d+, 1\.\d+\] times", said)
    assert re.search(r"`dream_full`, the first of its suite, is at 1\.861 \[\d\.\d+, ", said)
    assert "in ar_call on 4k_2os, load 1 (2.000 times)." in said
    nowhere = verdict(CELLS[:1], STUDY[:1])
    assert nowhere.endswith("The proven bound is nowhere above the analytic one.")
