"""Forks, apps, contention and the scheduler's own time, worked out by hand as in test_semantics.

A dispatch is written as (frame, layer, accelerator, start, switch, end).
"""

from __future__ import annotations

import pytest

from tests.handmade import Given, RunByHand, Step


class TestForks:
    def test_a_skipped_block_does_not_run(self, run: RunByHand) -> None:
        steps = [100, 100, 100, 100]
        seen = run(Given("a", steps, blocks=[(1, 3, 1.0)]))
        assert [row[1] for row in seen.rows] == [0, 3]
        assert seen.fates == {"a0": ("completed", 210)}
        # Of four layers of 1000 two run, and one switch: charged is what was spent.
        assert seen.result.energy_charged == {"a": 2010}
        assert seen.result.lower_bound == 0.5 * 2000 / 4000

    def test_a_block_that_is_not_skipped_runs(self, run: RunByHand) -> None:
        seen = run(Given("a", [100, 100, 100], blocks=[(1, 3, 0.0)]))
        assert [row[1] for row in seen.rows] == [0, 1, 2]

    def test_one_skip_may_lead_to_the_next(self, run: RunByHand) -> None:
        steps = [100, 100, 100, 100]
        seen = run(Given("a", steps, blocks=[(1, 2, 1.0), (2, 4, 1.0)]))
        assert [row[1] for row in seen.rows] == [0]
        assert seen.fates == {"a0": ("completed", 110)}

    def test_an_exit_ends_the_frame_and_releases_its_dependents(self, run: RunByHand) -> None:
        a = Given("a", [100, 100, 100], exits=[(1, 1.0)])
        seen = run(a, Given("b", [100], parent="a"))
        assert seen.rows == [
            ("a0", 0, 0, 0, 10, 110),
            ("a0", 1, 0, 110, 0, 210),
            ("b0", 0, 0, 210, 10, 320),
        ]

    def test_urgency_counts_the_full_remaining_path(self, run: RunByHand) -> None:
        # At 510, a0 has 600 to go, though its block of 500 will be skipped; b0 has 500.
        f = Given("f", [500])
        a = Given("a", [100, 500], phase_ns=10, deadline_ns=1500, blocks=[(1, 2, 1.0)])
        b = Given("b", [500], phase_ns=10, deadline_ns=1500)
        options = {"alpha": 0.0, "beta": 0.0, "scheduler": "dream_mapscore"}
        assert [row[0] for row in run(f, a, b, **options).rows] == ["f0", "a0", "b0"]


class TestApps:
    def test_frames_in_flight_go_on_after_a_switch(self, run: RunByHand) -> None:
        a, b = Given("a", [400, 400], every_ns=1000), Given("b", [100], every_ns=1000)
        seen = run(a, b, apps=[("a", 500), ("b", None)], horizon_ns=1500)
        assert seen.rows == [
            ("a0", 0, 0, 0, 10, 410),
            ("a0", 1, 0, 410, 0, 810),  # its app was left at 500
            ("b0", 0, 0, 810, 10, 920),  # released at 500, when its app began
        ]
        assert seen.releases == {"a0": 0, "b0": 500}

    def test_one_name_is_one_model_with_continuing_frames(self, run: RunByHand) -> None:
        a = Given("a", [100], every_ns=4000)
        b = Given("b", [100], every_ns=10_000)
        apps = [("a", 10_000), ("b", 10_000), ("a", None)]
        seen = run(a, b, apps=apps, horizon_ns=29_000)
        assert seen.releases == {
            **{"a0": 0, "a1": 4000, "a2": 8000},  # due at 12 000, after its app, it exists
            "b0": 10_000,
            **{"a3": 20_000, "a4": 24_000},
        }

    def test_a_dependent_outlives_its_app(self, run: RunByHand) -> None:
        a, b = Given("a", [600], every_ns=1000), Given("b", [100], every_ns=1000, parent="a")
        c = Given("c", [100], every_ns=1000)
        seen = run(a, b, c, apps=[("ab", 500), ("c", None)], horizon_ns=1500)
        assert seen.releases["b0"] == 610
        assert seen.fates["b0"][0] == "completed"

    def test_jitter_may_carry_a_release_past_the_end_of_its_app(self, run: RunByHand) -> None:
        a = Given("a", [100], every_ns=1000, phase_ns=490, jitter_ns=900)
        b = Given("b", [100], every_ns=1000)
        releases = [
            run(a, b, apps=[("a", 500), ("b", None)], horizon_ns=2500, seed=seed).releases["a0"]
            for seed in range(8)
        ]
        assert min(releases) >= 490
        assert max(releases) > 500


class TestContention:
    # The link moves 1 byte a ns; a layer's weights are bytes_in × bytes_out, 200.

    def test_alone_nothing_is_slowed(self, run: RunByHand) -> None:
        seen = run(Given("a", [1000]), contention=True)
        assert seen.rows == [("a0", 0, 0, 0, 10, 1010)]

    def test_two_that_ask_for_too_much_are_slowed_alike(self, run: RunByHand) -> None:
        # Each moves 200 + 30 bytes of its layer and 10 of its switch in 10 + 200 ns: 240/210
        # bytes a ns. Alone it would be slowed to 240 ns, together to 480.
        seen = run(Given("a", [200]), Given("b", [200]), accelerators=2, contention=True)
        assert [row[-1] for row in seen.rows] == [480, 480]

    def test_the_other_goes_on_at_full_speed(self, run: RunByHand) -> None:
        # 240 bytes in 310 ns and 240 in 240: 1.774 bytes a ns where there is 1. When b0 has had
        # its 240 ns at 1/1.774, at 426, a0 has had 240 too, and is alone for its other 70.
        seen = run(Given("a", [300]), Given("b", [230]), accelerators=2, contention=True)
        assert [row[-1] for row in seen.rows] == [496, 426]


class TestDecisionTime:
    def test_a_dispatch_starts_later(self, run: RunByHand) -> None:
        seen = run(Given("a", [100, 100]), decision_ns=7)
        assert seen.rows == [("a0", 0, 0, 7, 10, 117), ("a0", 1, 0, 124, 0, 224)]

    def test_decisions_follow_one_another(self, run: RunByHand) -> None:
        seen = run(Given("a", [100]), Given("b", [100]), accelerators=2, decision_ns=7)
        assert [row[3] for row in seen.rows] == [7, 14]

    @pytest.mark.parametrize("contention", [False, True])
    def test_the_accelerator_is_taken_meanwhile(self, run: RunByHand, contention: bool) -> None:
        a = Given("a", [Step((1000, 2000))])
        b = Given("b", [Step((1000, 2000))], phase_ns=50)
        seen = run(a, b, accelerators=2, decision_ns=100, contention=contention, horizon_ns=15_000)
        assert [row[:4] for row in seen.rows] == [("a0", 0, 0, 100), ("b0", 0, 1, 200)]
