"""Supernet switching by hand: an original of 1000 ns, and variants of 600 and 300."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handmade import Given, RunByHand, Step

ALONE = {"alpha": 0.0, "beta": 0.0}
"""Only urgency counts, so that the heavy frame goes first."""


def supernet(**fields: Any) -> Given:
    lighter = [Given("light", [600]), Given("lightest", [300])]
    return Given("a", fields.pop("steps", [1000]), lighter=lighter, **fields)


@pytest.mark.parametrize(
    ("deadline_ns", "variant"), [(1000, 0), (999, 1), (600, 1), (599, 2), (300, 2), (1, 2)]
)
def test_the_heaviest_that_meets_the_slack_else_the_lightest(
    run: RunByHand, deadline_ns: int, variant: int
) -> None:
    model = supernet(deadline_ns=deadline_ns)
    assert run(model, scheduler="dream_full").variants["a0"] == variant
    for other in ("dream_mapscore", "dream_smartdrop", "edf"):
        assert run(model, scheduler=other).variants["a0"] == 0


@pytest.mark.parametrize(("deadline_ns", "variant"), [(750, 0), (749, 1)])
def test_its_own_latency_is_the_mean(run: RunByHand, deadline_ns: int, variant: int) -> None:
    model = supernet(steps=[Step((1000, 500))], deadline_ns=deadline_ns)
    seen = run(model, scheduler="dream_full", accelerators=2)
    assert seen.variants["a0"] == variant


@pytest.mark.parametrize(("deadline_ns", "variant"), [(1200, 0), (1199, 1)])
def test_frames_that_are_due_earlier_are_expected_to_go_before(
    run: RunByHand, deadline_ns: int, variant: int
) -> None:
    a, b = supernet(deadline_ns=deadline_ns), Given("b", [200], deadline_ns=1000)
    seen = run(a, b, scheduler="dream_full", **ALONE)
    assert seen.rows[0][0] == "a0"
    assert seen.variants["a0"] == variant
    later = Given("b", [200], deadline_ns=deadline_ns)  # due at the same time, so it goes behind
    assert run(a, later, scheduler="dream_full", **ALONE).variants["a0"] == 0


@pytest.mark.parametrize(("deadline_ns", "variant"), [(1500, 0), (1499, 1)])
def test_what_runs_is_shared_by_all_accelerators(
    run: RunByHand, deadline_ns: int, variant: int
) -> None:
    # f0 runs from 0 to 1010. When a0 comes, at 10, half of its 1000 is ahead.
    f, a = Given("f", [1000]), supernet(phase_ns=10, deadline_ns=deadline_ns)
    seen = run(f, a, scheduler="dream_full", accelerators=2)
    assert seen.rows[1][:4] == ("a0", 0, 1, 10)
    assert seen.variants["a0"] == variant


def test_the_end_of_what_runs_is_the_expected_one(run: RunByHand) -> None:
    # At 10, f0 and g0 have 1000 to go, a third of 2000 for each accelerator; or, sharing the link,
    # many times as much.
    heavy = Step(1000, bytes_in=10, bytes_out=990)
    f, g = Given("f", [heavy]), Given("g", [heavy])
    a = supernet(phase_ns=10, deadline_ns=1667)
    variants = [
        run(f, g, a, scheduler="dream_full", accelerators=3, contention=shared).variants["a0"]
        for shared in (False, True)
    ]
    assert variants == [0, 2]


@pytest.mark.parametrize(
    ("margin", "deadline_ns", "variant"),
    [
        (2.0, 2000, 0),
        (2.0, 1999, 1),
        (2.0, 1199, 2),
        (0.5, 500, 0),
        (0.5, 499, 1),
        (0.0, 1, 0),
    ],
)
def test_margin(run: RunByHand, margin: float, deadline_ns: int, variant: int) -> None:
    model = supernet(deadline_ns=deadline_ns)
    seen = run(model, scheduler="dream_plus", supernet_margin=margin)
    assert seen.variants["a0"] == variant


@pytest.mark.parametrize(("deadline_ns", "variant"), [(1000, 0), (999, 2)])
def test_without_a_margin_only_late_frames_are_lightened(
    run: RunByHand, deadline_ns: int, variant: int
) -> None:
    # It comes to run at 1010, when f0 ends; then it has no slack, or is late.
    f, a = Given("f", [1000]), supernet(phase_ns=10, deadline_ns=deadline_ns)
    seen = run(f, a, scheduler="dream_plus", supernet_margin=0.0)
    assert seen.rows[1][3] == 1010
    assert seen.variants["a0"] == variant


def test_every_frame_has_its_own_and_keeps_it(run: RunByHand) -> None:
    # b0 comes between a0's layers; a1 has to make up for that, a0 may not.
    light = Given("light", [300, 300])
    a = Given("a", [500, 500], lighter=[light], every_ns=3000, deadline_ns=1100)
    b = Given("b", [900], phase_ns=3400, deadline_ns=1000)
    f = Given("f", [500], phase_ns=2900, deadline_ns=600)
    seen = run(a, b, f, scheduler="dream_full", horizon_ns=9000)
    assert seen.variants["a0"] == 0
    assert seen.variants["a1"] == 1
    assert [row[1] for row in seen.rows if row[0] == "a1"] == [0, 1]
