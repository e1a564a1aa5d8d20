"""Every rival against its twin in Python: equal timelines and frames."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dream_gym
from tests.schedulers.twins import RIVALS, twin
from tests.strategies import Case, cases

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {"placement": "eft"}) for name in ("fcfs", "edf", "llf", "sjf")),
    ("llf", {}),
    ("sjf", {}),
    ("evdf", {}),
    ("evdf", {"placement": "idle"}),
    ("sgprs", {}),
    ("sgprs", {"placement": "idle", "stages": 7}),
    ("heft_rt", {}),
    ("prema", {}),
    ("prema", {"priorities": "equal"}),
    ("dysta", {}),
    ("moca", {}),
    ("planaria", {}),
    ("veltair", {}),
    ("veltair", {"block_size": 3.0, "alpha": 1.5}),
    ("fcfs_static", {}),
    ("herald", {}),
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


def assert_twins(
    cell: tuple[Any, Any], scheduler: str, options: dict[str, Any], **run: Any
) -> None:
    compiled = dream_gym.simulate(*cell, scheduler, record=True, **run, **options)
    python = dream_gym.simulate(*cell, twin(scheduler, options), record=True, **run)
    assert python.timeline is not None
    assert compiled.timeline is not None
    assert python.frames is not None
    assert compiled.frames is not None
    assert python.timeline.tolist() == compiled.timeline.tolist()
    assert python.frames.tolist() == compiled.frames.tolist()
    assert python.summary() == compiled.summary()


@pytest.mark.compiled
@pytest.mark.parametrize(("scheduler", "options"), OPTIONS)
@pytest.mark.parametrize(("scenario", "platform", "run"), CELLS)
def test_shipped_cells(
    scenario: str, platform: str, run: dict[str, Any], scheduler: str, options: dict[str, Any]
) -> None:
    assert_twins((scenario, platform), scheduler, options, seconds=0.2, seed=3, **run)


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(cases(grid=False), st.sampled_from(OPTIONS))
def test_random_workloads(case: Case, rival: tuple[str, dict[str, Any]]) -> None:
    assert_twins((case.scenario, case.platform), *rival, **case.options)


def test_every_rival_has_a_twin() -> None:
    dreams = {name for name in dream_gym.schedulers.BUILTIN if name.startswith("dream_")}
    assert set(RIVALS) == set(dream_gym.schedulers.BUILTIN) - dreams - {"magma"}
