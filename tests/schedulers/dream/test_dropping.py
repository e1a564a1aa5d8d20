"""Smart frame drop by hand. In `hopeless`, a0 and b0 need 1000 ns and are due after 500."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handmade import Given, RunByHand, Seen, Step

RESTLESS = {"scheduler": "dream_plus", "drop_cap": 10}
"""Drops whatever cannot be saved, however much is lost already."""


def hopeless(name: str, latency_ns: int = 1000, **fields: Any) -> Given:
    return Given(name, [latency_ns], **{"deadline_ns": 500, **fields})


def dropped(seen: Seen) -> list[str]:
    """In the order of drops."""
    drops = [(end_ns, key) for key, (fate, end_ns) in seen.fates.items() if fate == "dropped"]
    return [key for _, key in sorted(drops)]


def test_one_goes_so_that_another_may_be_in_time_later(run: RunByHand) -> None:
    models = hopeless("a"), hopeless("b")
    seen = run(*models, scheduler="dream_smartdrop")
    assert seen.fates == {"a0": ("dropped", 0), "b0": ("completed", 1010)}  # ties: the lower model
    assert dropped(run(*models, scheduler="dream_full")) == ["a0"]
    for other in ("dream_mapscore", "edf"):
        assert dropped(run(*models, scheduler=other)) == []


def test_one_after_the_other_until_one_is_left(run: RunByHand) -> None:
    models = hopeless("a", 1000), hopeless("b", 3000), hopeless("c", 2000)
    seen = run(*models, scheduler="dream_smartdrop")
    assert seen.fates["b0"] == seen.fates["c0"] == ("dropped", 0)
    assert seen.rows == [("a0", 0, 0, 0, 10, 1010)]


class TestExpectedToMiss:
    """Condition 1, and what counts for condition 2."""

    @pytest.mark.parametrize(("latency_ns", "expected"), [(500, []), (501, ["b0"])])
    def test_just_in_time_is_in_time(
        self, run: RunByHand, latency_ns: int, expected: list[str]
    ) -> None:
        # Without the switch a0 would end at its deadline: b0 alone cannot be saved.
        models = hopeless("a", latency_ns), hopeless("b")
        assert dropped(run(*models, scheduler="dream_smartdrop")) == expected

    @pytest.mark.parametrize(("least_ns", "expected"), [(250, []), (251, ["a0"])])
    def test_all_layers_count_each_where_it_is_fastest(
        self, run: RunByHand, least_ns: int, expected: list[str]
    ) -> None:
        steps = [Step((9000, 250)), Step((least_ns, 9000))]
        models = [Given(name, steps, deadline_ns=500) for name in "ab"]
        seen = run(*models, scheduler="dream_smartdrop", accelerators=2)
        assert [key for key in dropped(seen) if seen.fates[key][1] == 0] == expected

    def test_a_frame_in_the_middle_may_go(self, run: RunByHand) -> None:
        # From the beginning a0 was 5 ns late; it can be dropped when its first layer has ended.
        a, b = Given("a", [500, 300], deadline_ns=805), hopeless("b", phase_ns=100)
        child = Given("c", [10], parent="b", probability=0.0)
        seen = run(a, b, child, scheduler="dream_smartdrop")
        assert seen.rows[0] == ("a0", 0, 0, 0, 10, 510)
        assert seen.fates["a0"] == ("dropped", 510)


class TestSomebodyIsHelped:
    """Condition 2."""

    def test_a_frame_that_is_alone_stays(self, run: RunByHand) -> None:
        in_time = Given("b", [100])
        assert dropped(run(hopeless("a"), in_time, **RESTLESS)) == []

    @pytest.mark.parametrize(("deadline_ns", "expected"), [(1010, []), (1009, ["a0"])])
    def test_a_frame_that_executes_counts(
        self, run: RunByHand, deadline_ns: int, expected: list[str]
    ) -> None:
        # f0 ends at 1010. No accelerator is idle when a0 is dropped.
        f = Given("f", [1000], deadline_ns=deadline_ns)
        seen = run(f, hopeless("a", phase_ns=100), scheduler="dream_smartdrop")
        assert dropped(seen) == expected
        assert seen.fates["a0"] == (("dropped", 100) if expected else ("completed", 2020))

    @pytest.mark.parametrize(("deadline_ns", "expected"), [(1510, []), (1509, ["a0"])])
    def test_with_its_layers_to_come(
        self, run: RunByHand, deadline_ns: int, expected: list[str]
    ) -> None:
        f = Given("f", [1000, Step((500, 900))], deadline_ns=deadline_ns)
        g = Given("g", [2000])
        a = hopeless("a", 3000, phase_ns=100)
        seen = run(f, g, a, scheduler="dream_smartdrop", accelerators=2)
        assert [row[0] for row in seen.rows[:2]] == ["f0", "g0"]
        assert [key for key in dropped(seen) if seen.fates[key][1] == 100] == expected

    def test_under_contention_its_end_is_the_expected_one(self, run: RunByHand) -> None:
        # Alone f0 ends at 1010, and is due then; it shares the link with g0.
        heavy = Step(1000, bytes_in=10, bytes_out=990)
        f, g = Given("f", [heavy], deadline_ns=1010), Given("g", [heavy], deadline_ns=5000)
        a = hopeless("a", 3000, phase_ns=100)
        fates = [
            run(f, g, a, scheduler="dream_smartdrop", accelerators=2, contention=shared).fates
            for shared in (False, True)
        ]
        assert fates[0]["f0"] == ("completed", 1010)
        assert [fate["a0"][0] for fate in fates] == ["completed", "dropped"]


class TestRecentLosses:
    """Condition 3. f0 executes and is late, so that every frame of a could be dropped for it."""

    @pytest.mark.parametrize("cap", [0, 1, 2, 3, 9, 10])
    def test_so_many_are_dropped(self, run: RunByHand, cap: int) -> None:
        f = Given("f", [9000], deadline_ns=100)
        a = Given("a", [600], every_ns=1000, deadline_ns=500, phase_ns=500)
        expected = [f"a{index}" for index in range(9)][:cap]
        assert dropped(run(f, a, scheduler="dream_plus", drop_cap=cap)) == expected
        if cap == 2:
            for scheduler in ("dream_smartdrop", "dream_full"):
                assert dropped(run(f, a, scheduler=scheduler)) == expected

    @pytest.mark.parametrize(("every_ns", "expected"), [(10_000, []), (11_000, ["a11"])])
    def test_ten_frames_later_it_is_forgotten(
        self, run: RunByHand, every_ns: int, expected: list[str]
    ) -> None:
        # While f runs, for 3400, a frame of a is late when the next but one comes: a0 and a1 are
        # dropped. Before f1 comes, a2 to a9 complete: two of the last ten are lost. Or a2 to a10.
        f = Given("f", [3400], every_ns=every_ns, deadline_ns=100)
        a = Given("a", [100], every_ns=1000, deadline_ns=500, phase_ns=500)
        seen = run(f, a, scheduler="dream_smartdrop", horizon_ns=13_410)
        assert dropped(seen) == ["a0", "a1", *expected]

    @pytest.mark.parametrize(("since_ns", "expected"), [(2200, ["a1"]), (4200, [])])
    def test_frames_that_are_displaced_count(
        self, run: RunByHand, since_ns: int, expected: list[str]
    ) -> None:
        # f0 is in time, so that nobody is helped before b0 comes; b0 itself has to stay. By then
        # a1 has displaced a0, or a2 has displaced a1, too.
        f = Given("f", [9000])
        a = Given("a", [600], every_ns=2000, deadline_ns=500, phase_ns=100, backlog=1)
        b = hopeless("b", phase_ns=since_ns)
        child = Given("c", [10], parent="b", probability=0.0)
        assert dropped(run(f, a, b, child, scheduler="dream_smartdrop")) == expected


class TestDependents:
    """Condition 4."""

    def test_a_frame_that_others_may_depend_on_stays(self, run: RunByHand) -> None:
        models = [hopeless("a"), hopeless("b")]
        child = Given("c", [10], parent="a", probability=0.0)
        assert dropped(run(*models, child, **RESTLESS)) == ["b0"]
        other = Given("d", [10], parent="b", probability=0.0)
        assert dropped(run(*models, child, other, **RESTLESS)) == []

    def test_a_dependent_itself_may_go(self, run: RunByHand) -> None:
        child = Given("c", [1000], parent="a", deadline_ns=800)
        seen = run(Given("a", [500]), child, hopeless("b", 900, phase_ns=100), **RESTLESS)
        assert seen.fates["c0"] == ("dropped", 510)

    def test_in_any_phase(self, run: RunByHand) -> None:
        models = [hopeless("a"), hopeless("b"), Given("c", [10], parent="a")]
        apps = [("ab", 5000), ("abc", None)]
        assert dropped(run(*models, apps=apps, **RESTLESS))[0] == "b0"


def test_least_remaining_over_slack_decides(run: RunByHand) -> None:
    # 1.2 and 1.25 of the slack: b0, though a0 needs more.
    a, b = hopeless("a", 6000, deadline_ns=5000), hopeless("b", 2500, deadline_ns=2000)
    assert dropped(run(a, b, scheduler="dream_smartdrop")) == ["b0"]


def test_slack_counts_as_a_microsecond_at_least(run: RunByHand) -> None:
    # a0: 1300 of 1000, not of 100; b0: 2000 of 1500.
    a, b = hopeless("a", 1300, deadline_ns=100), hopeless("b", 2000, deadline_ns=1500)
    assert dropped(run(a, b, scheduler="dream_smartdrop")) == ["b0"]
