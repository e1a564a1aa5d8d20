"""What only some schedulers ask for, worked out by hand: variants, blocks of layers, drops.

As in test_semantics, a dispatch is written as (frame, layer, accelerator, start, switch, end).
"""

from __future__ import annotations

import pytest

from tests.handmade import Given, RunByHand, Step
from tests.reference.schedulers import Order

LIGHT = Given("light", [Step(40, 300, bytes_in=5, bytes_out=2), Step(30, 200, bytes_in=2)])
LIGHTEST = Given("lightest", [Step(25, 100, bytes_in=3)])
SUPERNET = Given("a", [100, 100, 100], lighter=[LIGHT, LIGHTEST])
AT_30 = Given("c", [Step((99, 20)), Step((10, 99))])
"""At 30 it goes from accelerator 1 to 0, before any other frame decides where to go."""


class TestVariants:
    def test_the_first_dispatch_chooses_and_moves_the_variants_input(self, run: RunByHand) -> None:
        seen = run(SUPERNET, orders={"a0": Order(variant=1)})
        assert seen.rows == [
            ("a0", 0, 0, 0, 5, 45),  # 5 in + 40
            ("a0", 1, 0, 45, 0, 75),
        ]
        assert seen.variants == {"a0": 1}
        assert seen.result.energy_charged == {"a": 5 + 300 + 200}

    def test_what_is_written_out_is_the_variants_output(self, run: RunByHand) -> None:
        light = Given("light", [Step(25, bytes_in=5, bytes_out=2), Step(10, bytes_in=4)])
        a = Given("a", [100, 100], lighter=[light])
        assert run(AT_30, a, accelerators=2, orders={"a0": Order(variant=1)}).rows == [
            ("c0", 0, 1, 0, 10, 30),
            ("a0", 0, 0, 0, 5, 30),
            ("c0", 1, 0, 30, 12, 52),  # 2 out of a0 + 10 in
            ("a0", 1, 1, 30, 4, 44),
        ]

    def test_every_frame_has_its_own(self, run: RunByHand) -> None:
        a = Given("a", SUPERNET.steps, lighter=SUPERNET.lighter, every_ns=3000)
        seen = run(a, orders={"a0": Order(variant=2), "a1": Order(variant=1)})
        assert seen.variants == {"a0": 2, "a1": 1, "a2": 0}
        assert [end_ns for _, end_ns in seen.fates.values()] == [28, 3075, 6310]

    def test_each_variant_has_forks_of_its_own(self, run: RunByHand) -> None:
        light = Given("light", [40, 30, 20], blocks=[(1, 2, 1.0)])
        lightest = Given("lightest", [40, 30, 20], exits=[(0, 1.0)])
        a = Given("a", [100, 100], every_ns=3000, lighter=[light, lightest])
        seen = run(a, orders={"a1": Order(variant=1), "a2": Order(variant=2)})
        assert [row[:2] for row in seen.rows] == [
            *(("a0", 0), ("a0", 1)),
            *(("a1", 0), ("a1", 2)),
            ("a2", 0),
        ]

    def test_a_lost_frame_is_charged_as_the_original(self, run: RunByHand) -> None:
        a = Given("a", [100, 100], lighter=[Given("light", [5000, 10])], deadline_ns=4000)
        seen = run(a, orders={"a0": Order(variant=1)}, expiry="firm")
        assert seen.fates == {"a0": ("expired", 5010)}
        assert seen.result.energy_charged == {"a": 2000}

    def test_accuracy_is_the_mean_over_completed_frames(self, run: RunByHand) -> None:
        light = Given("light", [100], top1=70.0)
        a = Given("a", [100], every_ns=2000, lighter=[light], top1=80.0)
        orders = {"a1": Order(variant=1), "a3": Order(drop=True), "a4": Order(drop=True)}
        seen = run(a, orders=orders)
        assert seen.result.accuracy == {"a": pytest.approx((80 + 70 + 80) / 3)}
        assert seen.result.accuracy_loss == {"a": pytest.approx(0.125 / 5)}, "over all frames"

    def test_bounds(self, run: RunByHand) -> None:
        # One frame; W is 3000: the original needs that, the lightest variant 100.
        result = run(SUPERNET).result
        assert result.lower_bound == 0.5
        assert result.lower_bound_lightest == pytest.approx(0.5 * 100 / 3000)


class TestBlocksOfLayers:
    def test_they_run_as_one(self, run: RunByHand) -> None:
        a = Given("a", [100, 200, 300, 400])
        seen = run(a, orders={"a0": Order(layers=3)})
        assert seen.rows == [("a0", 0, 0, 0, 10, 610), ("a0", 3, 0, 610, 0, 1010)]
        assert seen.layers == [3, 1]
        assert seen.result.energy_spent == {"a": 4010}

    @pytest.mark.parametrize("probability", [0.0, 1.0])
    def test_not_past_a_fork(self, run: RunByHand, probability: float) -> None:
        # An exit after layer 1, and layers 3 and 4 may be skipped.
        a = Given("a", [100] * 7, exits=[(1, 0.0)], blocks=[(3, 5, probability)])
        seen = run(a, orders={"a0": Order(layers=9)})
        expected = [(0, 2), (2, 1), (3, 4)] if probability == 0.0 else [(0, 2), (2, 1), (5, 2)]
        runs = zip(seen.rows, seen.layers, strict=True)
        assert [(row[1], layers) for row, layers in runs] == expected

    def test_an_exit_at_the_end_of_a_block_is_taken(self, run: RunByHand) -> None:
        seen = run(Given("a", [100] * 3, exits=[(1, 1.0)]), orders={"a0": Order(layers=3)})
        assert seen.fates == {"a0": ("completed", 210)}

    def test_in_is_of_the_first_layer_and_out_of_the_last(self, run: RunByHand) -> None:
        a = Given("a", [Step(10, bytes_in=3), Step(17, bytes_out=7), 10])
        assert run(AT_30, a, accelerators=2, orders={"a0": Order(layers=2)}).rows == [
            ("c0", 0, 1, 0, 10, 30),
            ("a0", 0, 0, 0, 3, 30),  # two layers
            ("c0", 1, 0, 30, 17, 57),  # 7 out of a0 + 10 in
            ("a0", 2, 1, 30, 10, 50),  # c0 has moved on
        ]

    def test_nothing_happens_in_between(self, run: RunByHand) -> None:
        # Due at 150, in the first of two layers as one: lost when both have run.
        a = Given("a", [200, 200, 200], deadline_ns=150)
        seen = run(a, orders={"a0": Order(layers=2)}, expiry="firm")
        assert seen.rows == [("a0", 0, 0, 0, 10, 410)]
        assert seen.fates == {"a0": ("expired", 410)}


class TestDrops:
    def test_with_all_dependents(self, run: RunByHand) -> None:
        a, b, c = Given("a", [100]), Given("b", [100], parent="a"), Given("c", [100], parent="b")
        seen = run(a, b, c, orders={"a0": Order(drop=True)})
        assert seen.rows == []
        lost = ("parent lost", 0)
        assert seen.fates == {"a0": ("dropped", 0), "b0": lost, "c0": lost}
        assert seen.releases == {"a0": 0, "b0": -1, "c0": -1}
        assert seen.result.violation_rate == {"a": 1.0, "b": 1.0, "c": 1.0}
        assert seen.result.energy_charged == {"a": 1000, "b": 1000, "c": 1000}

    def test_the_scheduler_is_asked_again(self, run: RunByHand) -> None:
        a, b = Given("a", [100]), Given("b", [100])
        seen = run(a, b, orders={"a0": Order(drop=True)})
        assert seen.rows == [("b0", 0, 0, 0, 10, 110)]

    def test_a_drop_costs_no_decision_time(self, run: RunByHand) -> None:
        a, b = Given("a", [100]), Given("b", [100])
        seen = run(a, b, orders={"a0": Order(drop=True)}, decision_ns=7)
        assert seen.rows == [("b0", 0, 0, 7, 10, 117)]
