"""The online tuner by hand; points are (alpha, beta)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction

import pytest

from dream_gym.hardware import load_platform
from dream_gym.workload import Phase, Scenario, load_scenario
from tests.agreement import assert_same_figures, assert_same_record
from tests.handmade import Given, Step
from tests.simulator.test_against_reference import run_engine, run_reference
from tests.strategies import Case

MS = 1_000_000
CENTRE = (1.0, 1.0)
SECONDS = range(0, 20_000, 1000)
"""Begins of windows, in ms, where something happens at every full second."""


def model(name: str, *steps: int | Step, **times_ms: float) -> Given:
    times = {f"{key}_ns": round(value * MS) for key, value in times_ms.items()}
    return Given(name, steps or [10 * MS], **{"every_ns": 100 * MS, **times})


def around(alpha: float, beta: float, radius: float) -> Iterator[tuple[float, float]]:
    yield from [(alpha + radius, beta), (alpha - radius, beta)]
    yield from [(alpha, beta + radius), (alpha, beta - radius)]


ROUNDS_AT_CENTRE = [point for radius in (0.25, 0.125, 0.0625) for point in around(1, 1, radius)]
UNMOVED = [CENTRE, *around(1, 1, 0.5), *ROUNDS_AT_CENTRE, *[CENTRE] * 3]


def test_without_a_better_point_it_returns_to_the_centre(points) -> None:
    # In every window ten frames are due and in time, whatever alpha and beta.
    assert points(model("a"), at_ms=SECONDS) == UNMOVED


def test_it_moves_to_the_best_of_four(points) -> None:
    # Accelerator 1 takes 12 ms and not 10, and 1000 nJ and not 1100; both are in time. A frame on
    # two idle ones goes there if beta > (11 / 17.6) (22/10 - 22/12) / (2.1 - 2.1/1.1) = 1.2.
    a = model("a", Step((10 * MS, 12 * MS), (1_100_000, 1_000_000)), deadline=17.6)
    later = [point for radius in (0.25, 0.125, 0.0625) for point in around(1, 1.5, radius)]
    expected = [CENTRE, *around(1, 1, 0.5), *later, *[(1.0, 1.5)] * 3]
    assert points(a, at_ms=SECONDS, accelerators=2) == expected


def test_a_bad_window_restarts_it_only_after_its_end(points) -> None:
    # A frame of b is due in the windows from 2 and 18 s on, and in no other: Σ 1/(2N) is not 1/20
    # but 11/20 then, and the energies add up, too.
    b = model("b", every=16_000, phase=2500, deadline=50)
    found = points(model("a"), b, at_ms=[*SECONDS, 20_000])
    assert found == [*UNMOVED[:19], CENTRE, (1.5, 1.0)]
    assert points(model("a"), at_ms=[20_000]) == [CENTRE]


def test_a_window_ends_with_the_first_decision_after_a_second(points) -> None:
    a = model("a", every=300)
    found = points(a, at_ms=[0, 1199, 1200, 2399, 2400])
    assert found == [CENTRE, CENTRE, (1.5, 1.0), (1.5, 1.0), (0.5, 1.0)]


def test_a_window_without_a_frame_due_is_prolonged(points) -> None:
    # The first one is due at 2500. At 1200 the window goes on to 2200, at 2400 to 3400.
    a = model("a", every=300, deadline=2500)
    found = points(a, at_ms=[1200, 2400, 3599, 3600])
    assert found == [CENTRE, CENTRE, CENTRE, (1.5, 1.0)]


def test_a_phase_cuts_the_window_short_and_restarts_the_search(points) -> None:
    apps = [("a", 1500 * MS), ("a", None)]
    found = points(model("a"), at_ms=[0, 1000, 1499, 1500, 2499, 2500], apps=apps)
    assert found == [CENTRE, (1.5, 1.0), (1.5, 1.0), CENTRE, CENTRE, (1.5, 1.0)]


@pytest.mark.parametrize("norm", ["charged", "literal"])
def test_a_search_under_overload_to_its_end(run, norm: str) -> None:
    # Here windows see late, displaced and dropped frames, and children of lost parents.
    step = Step((80 * MS, 50 * MS), (900, 2000))
    a = Given("a", [step], every_ns=50 * MS, jitter_ns=30 * MS)
    b = Given("b", [20 * MS, step], every_ns=100 * MS, backlog=1, deadline_ns=90 * MS)
    c = Given("c", [step], every_ns=100 * MS, parent="b", probability=0.4, deadline_ns=190 * MS)
    options = {"scheduler": "dream_online", "accelerators": 2, "energy_norm": norm}
    seen = run(a, b, c, horizon_ns=25_000 * MS, seed=3, **options)
    fates = {fate for fate, _ in seen.fates.values()}
    assert {"completed", "displaced", "dropped", "parent lost"} <= fates
    fixed = run(a, b, c, horizon_ns=25_000 * MS, seed=3, **options | {"scheduler": "dream_full"})
    assert fixed.rows != seen.rows


@pytest.mark.compiled
@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_a_user_who_changes_apps(expiry: str) -> None:
    phases = (
        Phase(scenario=load_scenario("ar_call"), seconds=7.5),
        Phase(
            scenario=load_scenario("ar_social"),
            load=Fraction(1, 2),
            rename={"context": "social context"},
        ),
    )
    scenario = Scenario(schema=1, name="user", phases=phases)
    options = {"seconds": 12.0, "seed": 11, "load": 2.6, "expiry": expiry}
    case = Case(scenario, load_platform("4k_1ws_2os"), "dream_online", options)
    outcome, result = run_reference(case), run_engine(case)
    assert_same_record(result, outcome)
    assert_same_figures(result, outcome)
    remarks = outcome.remarks  # to show an outcome whole takes a minute
    assert remarks == {"tuner moved", "dropped by DREAM"}
    fixed = run_engine(dataclasses.replace(case, scheduler="dream_full"))
    assert fixed.uxcost != result.uxcost
