"""What the first schedulers choose, worked out by hand; `tests.handmade` says what costs what.

A dispatch is written as (frame, layer, accelerator, start, switch, end).
"""

from __future__ import annotations

import pytest

from tests.handmade import Given, RunByHand, Seen, Step

SCHEDULERS = ("fcfs", "edf", "dream_mapscore")


def order(seen: Seen) -> list[str]:
    """The frames in order of dispatch."""
    return [row[0] for row in seen.rows]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_ties_go_to_the_lower_model_and_accelerator(run: RunByHand, scheduler: str) -> None:
    names = "abc"
    seen = run(*(Given(name, [100]) for name in names), scheduler=scheduler, accelerators=2)
    assert [row[:3] for row in seen.rows] == [("a0", 0, 0), ("b0", 0, 1), ("c0", 0, 0)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_ties_go_to_the_earlier_release_before_the_lower_model(
    run: RunByHand, scheduler: str
) -> None:
    # All of it equal (due at 9000, alpha 0 against starvation) but the release.
    a = Given("a", [100], phase_ns=60, deadline_ns=8940)
    b = Given("b", [100], phase_ns=50, deadline_ns=8950)
    first = Given("f", [500], deadline_ns=9000)
    options = {"alpha": 0.0} if scheduler == "dream_mapscore" else {}
    assert order(run(a, b, first, scheduler=scheduler, **options)) == ["f0", "b0", "a0"]


@pytest.mark.parametrize("scheduler", ["fcfs", "edf"])
def test_the_fastest_idle_accelerator(run: RunByHand, scheduler: str) -> None:
    a, b = Given("a", [Step((300, 200, 100))]), Given("b", [Step((300, 200, 100))])
    seen = run(a, b, scheduler=scheduler, accelerators=3)
    assert [row[:3] for row in seen.rows] == [("a0", 0, 2), ("b0", 0, 1)]


def test_fcfs_goes_by_release_and_edf_by_deadline(run: RunByHand) -> None:
    first = Given("f", [500])
    a = Given("a", [100], phase_ns=50, deadline_ns=9000)
    b = Given("b", [100], phase_ns=60, deadline_ns=3000)
    assert order(run(first, a, b, scheduler="fcfs")) == ["f0", "a0", "b0"]
    assert order(run(first, a, b, scheduler="edf")) == ["f0", "b0", "a0"]


class TestMapScore:
    def test_weighs_speed_against_energy(self, run: RunByHand) -> None:
        a = Given("a", [Step((100, 200), (1000, 250))])
        # Urgency: 300/2 over a slack of 10 000, 0.015. Latency preference: 300/100 and 300/200.
        # Energy: 1250/1000 - 10/1000 = 1.24, and 1250/250 - 10/250 = 4.96.
        # Scores: 0.045 + beta·1.24 against 0.0225 + beta·4.96, equal at beta = 0.006.
        fast = run(a, accelerators=2, scheduler="dream_mapscore", beta=0.006)
        thrifty = run(a, accelerators=2, scheduler="dream_mapscore", beta=0.0061)
        assert [fast.rows[0][2], thrifty.rows[0][2]] == [0, 1]

    @pytest.mark.parametrize(("alpha", "first"), [(0.09, "b0"), (0.11, "a0")])
    def test_weighs_urgency_against_starvation(
        self, run: RunByHand, alpha: float, first: str
    ) -> None:
        # At 1010, b0 is urgent: 100/1000, for 100/(2010 - 1010), plus alpha·(1010 - 910)/100.
        # a0 has been waiting: 100/10 000, for 100/(11 010 - 1010), plus alpha·(1010 - 820)/100.
        # So 0.1 + alpha against 0.01 + alpha·1.9, equal at alpha = 0.1.
        f = Given("f", [1000])
        a = Given("a", [100], phase_ns=820, deadline_ns=11_010 - 820)
        b = Given("b", [100], phase_ns=910, deadline_ns=2010 - 910)
        options = {"alpha": alpha, "beta": 0.0, "horizon_ns": 11_010}
        assert order(run(f, a, b, scheduler="dream_mapscore", **options))[1] == first

    def test_starvation_counts_from_the_end_of_the_last_layer(self, run: RunByHand) -> None:
        # With alpha alone: at 1010, a0 has just ended a layer (0), b0 waits since 1000 (10/100).
        a = Given("a", [1000, 100])
        b = Given("b", [100], phase_ns=1000, deadline_ns=9000)
        options = {"alpha": 2.0, "beta": 0.0, "scheduler": "dream_mapscore"}
        assert order(run(a, b, **options)) == ["a0", "b0", "a0"]

    def test_stays_with_a_frame_to_save_the_switch(self, run: RunByHand) -> None:
        # With beta alone: at 110, a0 goes on for 1000/1000; b0 scores 1 - 30/1000.
        a, b = Given("a", [100, 100]), Given("b", [100])
        options = {"alpha": 0.0, "beta": 2.0, "scheduler": "dream_mapscore"}
        assert order(run(a, b, **options)) == ["a0", "a0", "b0"]

    @pytest.mark.parametrize(
        ("late_urgency", "late_ns", "first"),
        [
            ("floor", 400, "b0"),  # 400/1000 against 0.5
            ("floor", 600, "a0"),  # 600/1000
            ("one", 400, "a0"),  # 1
            ("one", 600, "a0"),
            ("last", 400, "b0"),
            ("last", 600, "b0"),  # behind all that are in time
        ],
    )
    def test_late_urgency(
        self, run: RunByHand, late_urgency: str, late_ns: int, first: str
    ) -> None:
        # At 510, a0 is late since 100; b0 has 500 to go and a slack of 1510 - 510: 0.5.
        f = Given("f", [500])
        a = Given("a", [late_ns], phase_ns=10, deadline_ns=90)
        b = Given("b", [500], phase_ns=10, deadline_ns=1500)
        options = {"alpha": 0.0, "beta": 0.0, "late_urgency": late_urgency}
        assert order(run(f, a, b, scheduler="dream_mapscore", **options))[1] == first

    @pytest.mark.parametrize(("deadline_ns", "first"), [(510, "b0"), (511, "a0")])
    def test_a_frame_is_late_when_its_deadline_has_come(
        self, run: RunByHand, deadline_ns: int, first: str
    ) -> None:
        # At 510: without slack a0 ranks last; with 1 ns of it, 600/1000 beats b0's 0.5.
        f = Given("f", [500])
        a = Given("a", [600], phase_ns=10, deadline_ns=deadline_ns - 10)
        b = Given("b", [500], phase_ns=10, deadline_ns=1500)
        options = {"alpha": 0.0, "beta": 0.0, "late_urgency": "last"}
        assert order(run(f, a, b, scheduler="dream_mapscore", **options))[1] == first
