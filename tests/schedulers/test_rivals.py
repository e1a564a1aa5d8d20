"""Every rival against its twin in Python, on the engine and on the reference simulator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dream_gym
from dream_gym.schedulers import BUILTIN
from tests import reference
from tests.agreement import assert_same_figures, assert_same_record
from tests.schedulers.on_reference import on_reference
from tests.schedulers.twins import RIVALS, assert_twin_agrees, twin
from tests.strategies import Case, cases

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in RIVALS),
    *((name, {"placement": "eft"}) for name in ("fcfs", "edf", "llf", "sjf")),
    ("evdf", {"placement": "idle"}),
    ("sgprs", {"placement": "idle", "stages": 7}),
    ("prema", {"priorities": "equal"}),
    ("veltair", {"blocks": 3.0, "alpha": 0.5}),
    ("herald", {"balance": 1.25}),
]

CELLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ar_social", "4k_1ws_2os", {"load": 1.5}),
    ("drone_outdoor", "4k_1ws_2os", {"load": 2.66, "contention": True}),
    ("drone_indoor", "8k_1os_2ws", {"load": 3.0, "expiry": "firm"}),
    (
        "vr_gaming",
        "4k_2ws",
        {"load": 2.0, "expiry": "firm", "contention": True, "decision_ns": 800},
    ),
    ("xrbench_ar_assistant", "xr_4k_2ws_2os", {"load": 2.0, "decision_ns": 2000}),
]


@pytest.mark.compiled
@pytest.mark.parametrize(("scheduler", "options"), OPTIONS)
@pytest.mark.parametrize(("scenario", "platform", "run"), CELLS)
def test_shipped_cells(
    scenario: str, platform: str, run: dict[str, Any], scheduler: str, options: dict[str, Any]
) -> None:
    assert_twin_agrees((scenario, platform), scheduler, options, seconds=0.2, seed=3, **run)


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(cases(grid=False), st.sampled_from(OPTIONS))
def test_random_workloads(case: Case, rival: tuple[str, dict[str, Any]]) -> None:
    scheduler, options = rival
    cell = case.scenario, case.platform
    compiled = dream_gym.simulate(*cell, scheduler, record=True, **case.options, **options)
    choose = on_reference(twin(scheduler, options), *cell)
    outcome = reference.simulate(*cell, choose, **case.options)
    assert_same_record(compiled, outcome)
    assert_same_figures(compiled, outcome)


def test_every_rival_has_a_twin() -> None:
    others = {name for name, each in BUILTIN.items() if each.family in ("rule", "rival")}
    assert set(RIVALS) == others, "write a class of that name into tests/schedulers/twins_*.py"
