import numpy as np
import pytest

from dream_gym import simulate
from dream_gym.analysis.measures.responses import (
    Responses,
    response_times_ns,
    responses_by_model,
    responses_of_deadline,
)
from dream_gym.simulator import Cell
from dream_gym.simulator.frames import COMPLETED, DISPLACED
from tests.handmade import Given, RunByHand
from tests.simulator.conftest import run

__all__ = ["run"]


def test_by_hand(run: RunByHand) -> None:
    # Each frame of a triggers one of b, whose deadline and response count from when a was due.
    seen = run(
        Given("a", [300], every_ns=1000),
        Given("b", [400], every_ns=1000, deadline_ns=900, parent="a"),
        horizon_ns=2000,
    )
    frames = seen.result.frames
    assert frames is not None
    found = responses_by_model(frames, seen.world.nominal_ns(frames), 2)
    for name, responses in zip("ab", found, strict=True):
        first, second = seen.fates[f"{name}0"][1], seen.fates[f"{name}1"][1] - 1000
        assert responses.max == max(first, second)
        assert responses.p50 == (first + second) / 2
    assert found[1].max is not None
    assert found[1].max >= 300 + 400


def test_quantiles_are_of_completed_frames() -> None:
    kind = [("model", int), ("end_ns", int), ("deadline_ns", int), ("fate", int)]
    frames = np.zeros(103, dtype=kind)
    frames["model"][101:] = 1
    frames["end_ns"][:101] = np.random.default_rng(0).permutation(101) + 11
    frames["deadline_ns"] = 210
    frames["fate"] = COMPLETED
    frames["fate"][101:] = DISPLACED
    nominal_ns = np.full(103, 10)
    assert responses_by_model(frames, nominal_ns, 2) == [Responses(51, 100, 101), Responses()]
    of_deadline = responses_of_deadline(frames, nominal_ns)
    assert of_deadline == pytest.approx((0.255, 0.5, 0.505))


@pytest.mark.parametrize("scenario", ["ar_social", "app_switches"])
def test_a_frame_is_late_exactly_if_its_response_is_longer_than_its_deadline(scenario: str) -> None:
    cell = Cell(scenario=scenario, platform="4k_1ws_2os", load=1.2, jitter=0.2)
    result = simulate(cell.workload, cell.hardware, "edf", seconds=4, load=1.2, seed=3, record=True)
    frames, world = result.frames, cell.simulation()
    assert frames is not None
    world.reset(seed=3, seconds=4)
    nominal_ns = world.nominal_ns(frames)
    # The root's first frame has its nominal time at the begin of its phase, and all are periods.
    assert nominal_ns.min() == 0
    roots = [index for index, spec in enumerate(cell.workload.all_models) if not spec.depends_on]
    of_roots = np.isin(frames["model"], roots) & (frames["release_ns"] >= 0)
    assert (frames["release_ns"] >= nominal_ns)[of_roots].all()
    done = frames["fate"] == COMPLETED
    times_ns = response_times_ns(frames, nominal_ns)
    late = times_ns > frames["deadline_ns"] - nominal_ns
    violated = sum(
        rate * count
        for rate, count in zip(
            result.violation_rate.values(), result.frame_count.values(), strict=True
        )
    )
    assert (late & done).sum() + (~done).sum() == pytest.approx(violated)
    assert (late & done).any()
    shares = responses_of_deadline(frames, nominal_ns)
    p50, p99, longest = np.array(shares, dtype=np.float64)
    assert 0 < p50 <= p99 <= longest
    assert longest > 1


def test_what_never_completes_has_no_response_time(run: RunByHand) -> None:
    seen = run(Given("a", [2000], every_ns=1000), horizon_ns=1000)
    assert seen.result.frames is not None
    nominal_ns = seen.world.nominal_ns(seen.result.frames)
    assert responses_by_model(seen.result.frames, nominal_ns, 1) == [Responses()]
    assert responses_of_deadline(seen.result.frames, nominal_ns) == Responses()
