import math

import pytest

from dream_gym import simulate
from dream_gym.analysis.measures.rows import result_row, xrbench_score
from dream_gym.hardware import load_platform
from dream_gym.simulator import Cell, Simulation
from dream_gym.workload import load_scenario
from tests.handmade import Given, RunByHand, Step
from tests.reference.schedulers import Order
from tests.simulator.conftest import run

__all__ = ["run"]

MS = 1_000_000


def test_xrbench_score_by_hand(run: RunByHand) -> None:
    # a0 completes 10 ns after 1 ms, 1 ms early; b0 at 2 ms and 20 ns, 0.1 ms and 20 ns late, for
    # 750 mJ and 10 pJ; b1 at 3 ms and 30 ns, 0.9 ms less 30 ns early, for as much.
    half = Step(MS, 750 * 10**9)
    seen = run(
        Given("a", [MS], every_ns=10 * MS, deadline_ns=2 * MS + 10),
        Given("b", [half], every_ns=2 * MS, deadline_ns=19 * MS // 10),
        horizon_ns=39 * MS // 10,
        scheduler="fcfs",
    )
    frames = seen.result.frame_count
    assert frames == {"a": 1, "b": 2}
    assert seen.fates["b0"] == ("completed", 2 * MS + 20)
    early = 1 / (1 + math.exp(-15))
    late = 1 / (1 + math.exp(15 * 0.10002)) * (1500 - 750) / 1500
    assert seen.fates["b1"] == ("completed", 3 * MS + 30)
    again = 1 / (1 + math.exp(-15 * 0.89997)) * (1500 - 750) / 1500
    expected = 100 * (early + (late + again) / 2) / 2
    assert xrbench_score(seen.result) == pytest.approx(expected, rel=1e-6)


def test_xrbench_score_of_an_uncontended_cell_is_high() -> None:
    result = simulate("xrbench_vr_gaming", "xr_8k_2ws_2os", "edf", seconds=1, record=True)
    assert 80 < xrbench_score(result) <= 100


def test_nothing_done_scores_nothing_and_no_frames_everything(run: RunByHand) -> None:
    undone = run(Given("a", [2000], every_ns=1000), horizon_ns=1000)
    assert undone.fates == {"a0": ("unfinished", 1000)}
    assert xrbench_score(undone.result) == 0
    lost = simulate("ar_call", "4k_2ws", "fcfs", seconds=0.5, load=900, expiry="firm", record=True)
    assert xrbench_score(lost) < 5
    nothing = Simulation(load_scenario("ar_call"), load_platform("4k_2ws"), None)
    nothing.reset(seed=0, seconds=1e-6, record=True)
    nothing.end()
    assert xrbench_score(nothing.result()) == 100


def test_a_row_tells_the_accuracy_that_variants_lose(run: RunByHand) -> None:
    light = Given("light", [Step(100, 400)], top1=70.0)
    models = Given("a", [100], every_ns=2000, lighter=[light], top1=80.0), Given("b", [100])
    seen = run(*models, orders={"a1": Order(variant=1)})
    cell = Cell(scenario="ar_social", platform="4k_2ws")
    row = result_row(cell, "by hand", seen.result, seen.world)
    assert row["frames"] == 6
    assert row["accuracy_loss"] == pytest.approx((1 - 70 / 80) / 6)
    # Both models need 1000 pJ in the original, and their worst case is that.
    assert row["energy_multiple"] / row["energy_multiple_lightest"] == pytest.approx(1.4 / 2)
    assert row["multiple"] / row["multiple_lightest"] == pytest.approx(1.4 / 2)


@pytest.mark.parametrize("deadline_ns", [1000, 4000])
def test_power_and_both_factors_of_uxcost_by_hand(run: RunByHand, deadline_ns: int) -> None:
    # The cheaper of two accelerators is the slower one. All frames of a run where they are fast,
    # for 8 pJ where 2 would do, late or in time; b0 is dropped. The worst case is 8 pJ.
    both = Step((1000, 3000), (8, 2))
    seen = run(
        Given("a", [both], every_ns=4000, deadline_ns=deadline_ns),
        Given("b", [both], every_ns=12_000, deadline_ns=4000),
        horizon_ns=12_000,
        accelerators=2,
        orders={"b0": Order(drop=True)},
    )
    row = result_row(Cell(scenario="ar_social", platform="4k_2ws"), "me", seen.result, seen.world)
    assert seen.result.violation_rate["a"] == (deadline_ns == 1000)
    charged_pj = seen.result.energy_charged
    energy = charged_pj["a"] / (3 * 8) + charged_pj["b"] / 8
    assert row["multiple"] == pytest.approx(seen.result.uxcost / seen.result.lower_bound)
    assert row["energy_multiple"] == pytest.approx(energy / (2 / 8 + 2 / 8))
    assert row["energy_multiple"] == row["energy_multiple_lightest"]
    spent_pj = sum(seen.result.energy_spent.values())
    assert spent_pj > 0
    assert row["power_mw"] == pytest.approx(spent_pj / 12_000)  # a pJ a ns is a mW
