"""The design's semantics, case by case, worked out by hand; `tests.handmade` says what costs what.

A dispatch is written as (frame, layer, accelerator, start, switch, end).
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.handmade import Given, RunByHand, Step


def test_two_models_share_an_accelerator(run: RunByHand) -> None:
    seen = run(Given("a", [100]), Given("b", [200]))
    assert seen.rows == [
        ("a0", 0, 0, 0, 10, 110),  # 10 in + 100
        ("b0", 0, 0, 110, 10, 320),  # waits for a0; 10 in + 200; a0 is complete: nothing out
    ]
    assert seen.fates == {"a0": ("completed", 110), "b0": ("completed", 320)}
    assert seen.result.busy_share == {"acc0": 0.032}  # 320 of 10 000


def test_a_layer_is_not_preempted_but_a_frame_is(run: RunByHand) -> None:
    a, b = Given("a", [100, 100]), Given("b", [100], deadline_ns=1000, phase_ns=50)
    assert run(a, b, scheduler="edf").rows == [
        ("a0", 0, 0, 0, 10, 110),
        ("b0", 0, 0, 110, 30, 240),  # due first, but waits since 50; 20 out of a0 + 10 in
        ("a0", 1, 0, 240, 10, 350),  # comes back; b0 is complete: only 10 in
    ]


def test_a_frame_that_goes_on_pays_no_switch(run: RunByHand) -> None:
    assert run(Given("a", [100, 100, 100])).rows == [
        ("a0", 0, 0, 0, 10, 110),
        ("a0", 1, 0, 110, 0, 210),
        ("a0", 2, 0, 210, 0, 310),
    ]


def test_the_next_frame_of_a_model_pays_its_switch(run: RunByHand) -> None:
    assert run(Given("a", [100], every_ns=5000)).rows == [
        ("a0", 0, 0, 0, 10, 110),
        ("a1", 0, 0, 5000, 10, 5110),
    ]


def test_switch_time_is_rounded_up_once_over_both_directions(run: RunByHand) -> None:
    # Frames of c end in the middle of a: 7 bytes out of a0 and 6 into c0 are 13 bytes.
    a = Given("a", [Step(100, bytes_in=5, bytes_out=7), 100])
    c = Given("c", [Step(100, bytes_in=6)], deadline_ns=1000, phase_ns=50)
    seen = run(a, c, scheduler="edf")
    assert seen.rows[1] == ("c0", 0, 0, 105, 13, 218)
    assert seen.result.energy_spent == {"a": 1000 + 5 + 1000 + 10, "c": 1000 + 13}


MOVING = Given("a", [Step((100, 500)), Step((500, 100)), Step((100, 500))])


def test_what_has_moved_on_is_not_written_out(run: RunByHand) -> None:
    b = Given("b", [Step((40, 900))], phase_ns=110, deadline_ns=9000)
    assert run(MOVING, b, accelerators=2).rows == [
        ("a0", 0, 0, 0, 10, 110),
        ("a0", 1, 1, 110, 10, 220),  # the older goes first, to accelerator 1
        ("b0", 0, 0, 110, 10, 160),  # so a0 has run elsewhere since: only 10 in
        ("a0", 2, 0, 220, 10, 330),  # accelerator 0 last ran b0
    ]


def test_what_moves_on_later_is_written_out(run: RunByHand) -> None:
    b = Given("b", [Step((40, 900))], phase_ns=110, deadline_ns=1000)
    assert run(MOVING, b, accelerators=2, scheduler="edf").rows[1:3] == [
        ("b0", 0, 0, 110, 30, 180),  # now b0 is decided on first, and a0 is still here
        ("a0", 1, 1, 110, 10, 220),
    ]


def test_coming_back_to_an_accelerator_that_ran_nothing_else_is_free(run: RunByHand) -> None:
    assert run(MOVING, accelerators=2).rows == [
        ("a0", 0, 0, 0, 10, 110),
        ("a0", 1, 1, 110, 10, 220),
        ("a0", 2, 0, 220, 0, 320),  # accelerator 0 last ran a0
    ]


def test_a_lost_frame_is_not_written_out(run: RunByHand) -> None:
    # a0 runs a layer of 2000 past its deadline and is lost at 2010; then b0: only 10 in.
    a, b = Given("a", [2000, 100], deadline_ns=1000), Given("b", [100])
    assert run(a, b, expiry="firm").rows == [
        ("a0", 0, 0, 0, 10, 2010),
        ("b0", 0, 0, 2010, 10, 2120),
    ]


@pytest.mark.parametrize(("deadline_ns", "violations"), [(110, 0), (109, 1)])
@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_a_frame_that_ends_at_its_deadline_meets_it(
    run: RunByHand, deadline_ns: int, violations: int, expiry: str
) -> None:
    seen = run(Given("a", [100], deadline_ns=deadline_ns), horizon_ns=9000, expiry=expiry)
    assert seen.rows == [("a0", 0, 0, 0, 10, 110)]
    assert seen.result.violation_rate == {"a": violations}
    lost = violations if expiry == "firm" else 0
    assert seen.result.lost_rate == {"a": lost}
    assert seen.fates == {"a0": ("expired" if lost else "completed", 110)}


class TestDependents:
    def test_never_triggered(self, run: RunByHand) -> None:
        seen = run(Given("a", [100]), Given("b", [100], parent="a", probability=0.0))
        assert seen.result.frame_count == {"a": 1, "b": 0}
        assert seen.rows == [("a0", 0, 0, 0, 10, 110)]

    def test_released_when_the_parent_completes(self, run: RunByHand) -> None:
        seen = run(Given("a", [100]), Given("b", [100], parent="a", deadline_ns=300))
        assert seen.releases == {"a0": 0, "b0": 110}
        assert seen.fates["b0"] == ("completed", 220)  # due at 0 + 300, from the root's time
        assert seen.result.violation_rate == {"a": 0.0, "b": 0.0}

    def test_every_nth_frame_of_the_parent(self, run: RunByHand) -> None:
        a, b = Given("a", [100], every_ns=2000), Given("b", [100], every_ns=4000, parent="a")
        # a0 to a3 are due by 8000; b0 belongs to a0, b1 to a2, and both are due in time.
        seen = run(a, b, horizon_ns=8000)
        assert seen.releases == {"a0": 0, "a1": 2000, "a2": 4000, "a3": 6000, "b0": 110, "b1": 4110}

    def test_due_after_the_horizon_with_all_that_follow(self, run: RunByHand) -> None:
        a, b = Given("a", [100]), Given("b", [100], parent="a", deadline_ns=10_001)
        c = Given("c", [100], parent="b", deadline_ns=500)
        assert run(a, b, c).result.frame_count == {"a": 1, "b": 0, "c": 0}

    @pytest.mark.parametrize(
        ("expiry", "fate"), [("soft", ("completed", 2120)), ("firm", ("expired", 2010))]
    )
    def test_born_late(self, run: RunByHand, expiry: str, fate: tuple[str, int]) -> None:
        a, b = Given("a", [2000]), Given("b", [100], parent="a", deadline_ns=1000)
        seen = run(a, b, expiry=expiry)
        assert seen.releases["b0"] == 2010
        assert seen.fates["b0"] == fate
        assert seen.result.violation_rate == {"a": 0.0, "b": 1.0}

    def test_lost_with_the_parent(self, run: RunByHand) -> None:
        a = Given("a", [3000], deadline_ns=1000)
        b, c = Given("b", [100], parent="a"), Given("c", [100], parent="b")
        seen = run(a, b, c, expiry="firm")
        assert seen.fates == {
            "a0": ("expired", 3010),
            "b0": ("parent lost", 3010),
            "c0": ("parent lost", 3010),
        }
        assert seen.releases == {"a0": 0, "b0": -1, "c0": -1}
        assert seen.result.lost_rate == {"a": 1.0, "b": 1.0, "c": 1.0}


class TestDisplacement:
    def test_the_oldest_waiting_frame_is_lost(self, run: RunByHand) -> None:
        a = Given("a", [3500], every_ns=1000, backlog=1)
        # a0 runs to 3510. a1 waits from 1000; with a2 at 2000, two would; with a3, two again.
        seen = run(a, horizon_ns=4000)
        assert seen.fates == {
            "a0": ("completed", 3510),
            "a1": ("displaced", 2000),
            "a2": ("displaced", 3000),
            "a3": ("unfinished", 4000),  # starts at 3510, for 3510
        }
        assert seen.result.violation_rate == {"a": 1.0}
        assert seen.result.lost_rate == {"a": 0.75}

    def test_partly_executed(self, run: RunByHand) -> None:
        a = Given("a", [100, 100], every_ns=1000, deadline_ns=5000, backlog=1)
        b = Given("b", [1500], phase_ns=50, deadline_ns=2000)
        # b0 takes over from 110 to 110 + 30 + 1500. a1 comes at 1000: a0 and a1 wait.
        seen = run(a, b, scheduler="edf", horizon_ns=6999)
        assert seen.fates["a0"] == ("displaced", 1000)
        assert seen.rows[:3] == [
            ("a0", 0, 0, 0, 10, 110),
            ("b0", 0, 0, 110, 30, 1640),
            ("a1", 0, 0, 1640, 10, 1750),
        ]
        assert seen.result.energy_spent["a"] >= 1010

    def test_a_release_loses_one_frame(self, run: RunByHand) -> None:
        a = Given("a", [1100, 1100], every_ns=1000, deadline_ns=5000, backlog=1)
        b = Given("b", [1500], phase_ns=600, deadline_ns=2100)
        # When b0 takes over at 1110, a0 comes to wait beside a1: two, but without a release.
        # At 2000 a2 makes three, and one is lost. At 3000 a1 runs, and a2 and a3 wait.
        assert run(a, b, scheduler="edf", horizon_ns=8500).fates == {
            "a0": ("displaced", 2000),
            "a1": ("completed", 4850),  # 2640 + 10 + 1100 + 1100
            "a2": ("displaced", 3000),
            "a3": ("completed", 7060),  # 4850 + 10 + 1100 + 1100
            "b0": ("completed", 2640),  # 1110 + 20 + 10 + 1500
        }

    def test_after_the_completions_of_the_instant(self, run: RunByHand) -> None:
        # a0 ends at 10 + 1990 = 2000, just as a2 comes; a1 has not started yet, so two wait.
        seen = run(Given("a", [1990], every_ns=1000, backlog=1), horizon_ns=3000)
        assert seen.fates["a0"] == ("completed", 2000)
        assert seen.fates["a1"] == ("displaced", 2000)
        assert seen.rows[1][0] == "a2"


class TestFirmExpiry:
    def test_waiting(self, run: RunByHand) -> None:
        a, b = Given("a", [5000]), Given("b", [100], deadline_ns=3000)
        seen = run(a, b, expiry="firm")
        assert seen.fates == {"a0": ("completed", 5010), "b0": ("expired", 3000)}

    def test_waiting_when_an_accelerator_becomes_idle(self, run: RunByHand) -> None:
        # Expiries come before decisions: at 3000 it is too late for b0.
        a, b = Given("a", [2990]), Given("b", [100], deadline_ns=3000)
        seen = run(a, b, expiry="firm")
        assert seen.fates == {"a0": ("completed", 3000), "b0": ("expired", 3000)}

    @pytest.mark.parametrize("steps", [[2000, 2000], [2000, 2000, 100]])
    def test_executing(self, run: RunByHand, steps: list[int]) -> None:
        # At 3000 the layer from 2010 to 4010 runs; it ends, be it the last or not.
        seen = run(Given("a", steps, deadline_ns=3000), expiry="firm", horizon_ns=12_999)
        assert seen.fates == {"a0": ("expired", 4010)}
        assert seen.result.energy_spent == {"a": 2010}

    def test_between_two_layers(self, run: RunByHand) -> None:
        seen = run(Given("a", [2990, 100], deadline_ns=3000), expiry="firm", horizon_ns=12_999)
        assert seen.fates == {"a0": ("expired", 3000)}
        assert len(seen.rows) == 1

    def test_a_late_frame_runs_on_where_expiry_is_soft(self, run: RunByHand) -> None:
        seen = run(Given("a", [2000, 2000], deadline_ns=3000), expiry="soft", horizon_ns=12_999)
        assert seen.fates == {"a0": ("completed", 4010)}
        assert seen.result.violation_rate == {"a": 1.0}
        assert seen.result.lost_rate == {"a": 0.0}


class TestHorizon:
    def test_unfinished(self, run: RunByHand) -> None:
        seen = run(Given("a", [2000], every_ns=1000), horizon_ns=1000)
        assert seen.fates == {"a0": ("unfinished", 1000)}
        assert seen.result.energy_spent == {"a": 1010}  # at dispatch, in full
        assert seen.result.energy_charged == {"a": 1000}  # the worst case
        assert seen.result.busy_share == {"acc0": 1.0}

    def test_ends_at_the_horizon(self, run: RunByHand) -> None:
        seen = run(Given("a", [990], every_ns=1000), horizon_ns=1000)
        assert seen.fates == {"a0": ("completed", 1000)}

    def test_only_what_is_due_by_then_exists(self, run: RunByHand) -> None:
        models = Given("a", [100]), Given("b", [100], every_ns=1000)
        assert run(*models, horizon_ns=9999).result.frame_count["a"] == 0
        assert run(*models, horizon_ns=10_000).result.frame_count["a"] == 1

    def test_what_follows_from_an_unfinished_frame_is_lost_with_it(self, run: RunByHand) -> None:
        seen = run(Given("a", [20_000]), Given("b", [100], parent="a"))
        assert seen.fates == {"a0": ("unfinished", 10_000), "b0": ("parent lost", 10_000)}

    def test_nothing_starts_at_the_horizon(self, run: RunByHand) -> None:
        a = Given("a", [990], every_ns=1000)
        b = Given("b", [100], every_ns=1000, parent="a")  # due at 1000, and released just then
        seen = run(a, b, horizon_ns=1000)
        assert seen.rows == [("a0", 0, 0, 0, 10, 1000)]
        assert seen.releases["b0"] == 1000
        assert seen.fates["b0"] == ("unfinished", 1000)

    def test_a_frame_may_come_too_late_to_be_released(self, run: RunByHand) -> None:
        # Due at 998 + 1, but under seed 0 its jitter is 897.
        a = Given("a", [100], deadline_ns=1, phase_ns=998, jitter_ns=1000)
        seen = run(a, horizon_ns=1000)
        assert seen.fates == {"a0": ("unfinished", 1000)}
        assert seen.releases == {"a0": -1}


class TestReleases:
    def test_phase(self, run: RunByHand) -> None:
        seen = run(Given("a", [100], every_ns=3000, phase_ns=500), horizon_ns=6500)
        assert seen.releases == {"a0": 500, "a1": 3500}  # due at 3500 and 6500

    def test_jitter_delays_the_release_but_not_the_deadline(self, run: RunByHand) -> None:
        # Under seed 0, the draws of model 0 modulo 1001 are 897, 625, 863.
        seen = run(Given("a", [100], every_ns=2000, jitter_ns=1000), horizon_ns=6000)
        assert seen.releases == {"a0": 897, "a1": 2625, "a2": 4863}
        assert seen.result.frames is not None
        assert sorted(seen.result.frames["deadline_ns"].tolist()) == [2000, 4000, 6000]

    def test_two_frames_of_a_model_at_once(self, run: RunByHand) -> None:
        # Nominal at 0 and floor(1000.5); the jitter under this seed is 1000 and 0. Both releases
        # come before any decision, so a0 is displaced though the accelerator is idle.
        a = Given(
            "a", [100], every_ns=Fraction(2001, 2), deadline_ns=5000, jitter_ns=1000, backlog=1
        )
        seen = run(a, horizon_ns=6000, seed=467_219)
        assert seen.releases == {"a0": 1000, "a1": 1000}
        assert seen.fates == {"a0": ("displaced", 1000), "a1": ("completed", 1110)}

    def test_rates_are_rational(self, run: RunByHand) -> None:
        # floor(i × 1001e9/30000)
        a = Given("a", [100], every_ns=Fraction(1001 * 10**9, 30000))
        seen = run(a, horizon_ns=140_000_000)
        assert list(seen.releases.values()) == [0, 33366666, 66733333, 100100000]

    def test_load_shortens_periods_and_default_deadlines(self, run: RunByHand) -> None:
        a = Given("a", [100], every_ns=4000)
        b = Given("b", [100], every_ns=4000, deadline_ns=3000, phase_ns=500)
        seen = run(a, b, horizon_ns=6000, load=2)
        # a: every 2000, due 2000 later; b: 500, 2500 and 4500, due 3000 later: by 5500 only.
        assert seen.result.frame_count == {"a": 3, "b": 2}
        assert [seen.releases[key] for key in ("a1", "a2", "b0", "b1")] == [2000, 4000, 500, 2500]

    def test_load_is_a_fraction(self, run: RunByHand) -> None:
        # 0.333 is 333/1000: floor(1 × 4000/0.333) = 12012
        seen = run(Given("a", [100], every_ns=4000), horizon_ns=25_000, load=0.333)
        assert list(seen.releases.values()) == [0, 12012]


class TestUXCost:
    def test_without_violations(self, run: RunByHand) -> None:
        a, b = Given("a", [100], every_ns=5000), Given("b", [Step(100, 500)])
        result = run(a, b).result
        # Rates: 1/(2·2) + 1/(2·1). Energies: (2·1010)/(2·1000) + 510/500.
        assert result.uxcost == pytest.approx(0.75 * (1.01 + 1.02), rel=1e-12)
        assert result.lower_bound == pytest.approx(0.75 * 2, rel=1e-12)

    @pytest.mark.parametrize(("norm", "energies"), [("charged", 1.01 + 1), ("literal", 1.01)])
    def test_with_a_lost_frame(self, run: RunByHand, norm: str, energies: float) -> None:
        a, b = Given("a", [5000]), Given("b", [100], deadline_ns=3000)
        result = run(a, b, expiry="firm", energy_norm=norm).result
        # Rates: 1/2 for a0, which is in time, and 1 for b0; b0 never ran.
        assert result.uxcost == pytest.approx(1.5 * energies, rel=1e-12)

    @pytest.mark.parametrize(("norm", "energy"), [("charged", 3.0), ("literal", 2.01)])
    def test_a_lost_frame_counts_its_worst_case_not_what_it_spent(
        self, run: RunByHand, norm: str, energy: float
    ) -> None:
        # Two of three layers run: 2010 spent, but the worst case is 3 × 1000, over W = 3000.
        a = Given("a", [2000, 2000, 100], deadline_ns=3000)
        result = run(a, expiry="firm", energy_norm=norm, horizon_ns=9000).result
        assert result.uxcost == pytest.approx(1.0 * energy / 3.0, rel=1e-12)

    def test_a_model_without_frames_does_not_count(self, run: RunByHand) -> None:
        result = run(Given("a", [100]), Given("b", [100], every_ns=20_000)).result
        assert result.frame_count == {"a": 1, "b": 0}
        assert result.uxcost == pytest.approx(0.5 * 1.01, rel=1e-12)
        assert result.lower_bound == 0.5

    def test_lower_bound_takes_the_thriftiest_accelerator_of_each_layer(
        self, run: RunByHand
    ) -> None:
        steps = [Step(100, (1000, 400)), Step(100, (200, 600))]
        result = run(Given("a", steps), accelerators=2).result
        # Worst: 1000 + 600. Least: 400 + 200. As it ran, on accelerator 0: 1000 + 200, 10 in.
        assert result.lower_bound == pytest.approx(0.5 * 600 / 1600, rel=1e-12)
        assert result.uxcost == pytest.approx(0.5 * 1210 / 1600, rel=1e-12)
