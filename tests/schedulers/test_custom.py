"""Schedulers in Python: the same semantics as compiled ones, and clear errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import dream_gym
from dream_gym import Dispatch, Drop, View
from dream_gym.errors import ConfigError, SchedulerError
from dream_gym.reading import resources
from dream_gym.simulator.frames import FATES
from tests.schedulers.twins import assert_twin_agrees
from tests.schedulers.twins_ordered import Fcfs
from tests.strategies import Case, cases

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("fcfs", {}),
    ("edf", {}),
    ("dream_mapscore", {}),
    ("dream_mapscore", {"alpha": 0.3, "beta": 1.7, "late_urgency": "one"}),
    ("dream_mapscore", {"late_urgency": "last"}),
]


@pytest.mark.compiled
@pytest.mark.parametrize(("scheduler", "options"), OPTIONS)
@pytest.mark.parametrize("scenario", resources.names("scenarios"))
def test_a_scheduler_in_python_gives_the_compiled_timeline(
    scenario: str, scheduler: str, options: dict[str, Any]
) -> None:
    cell = scenario, "4k_1ws_2os"
    assert_twin_agrees(cell, scheduler, options, seconds=0.07, load=2.0, seed=5, expiry="firm")


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(cases(grid=False, schedulers=("fcfs", "edf", "dream_mapscore")))
def test_random_workloads(case: Case) -> None:
    cell = case.scenario, case.platform
    assert_twin_agrees(cell, case.scheduler, case.parameters, **case.options)


class Impossible(Fcfs):
    """Chooses as FCFS, with one thing replaced."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.changes = changes

    def select(self, view: View) -> Dispatch | None:
        choice = super().select(view)
        return choice and choice._replace(**self.changes)


@pytest.mark.parametrize(
    "changes",
    [{"accelerator": 9}, {"accelerator": -1}, {"variant": 1}, {"layers": 0}, {"accelerator": 0.5}],
)
def test_an_impossible_choice_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(SchedulerError, match=r"Impossible at 0\.000000000 s: .*Dispatch"):
        dream_gym.simulate("ar_call", "4k_2ws", Impossible(**changes), seconds=0.1)


def test_a_frame_that_is_gone_is_an_error() -> None:
    class Stale(Fcfs):
        """Dispatches the same frame for ever."""

        def __init__(self) -> None:
            self.frame: Any = None

        def select(self, view: View) -> Dispatch | None:
            if not view.idle:
                return None
            self.frame = self.frame or view.ready[0]
            return Dispatch(self.frame, view.idle[0])

    with pytest.raises(SchedulerError, match="Stale at 0"):
        dream_gym.simulate("ar_call", "4k_2ws", Stale(), seconds=0.1)


@pytest.mark.parametrize("nonsense", ["fcfs", 3, (1, 2), [None]])
def test_nonsense_is_an_error(nonsense: Any) -> None:
    class Nonsense(dream_gym.Scheduler):
        """Returns what is no choice."""

        def select(self, view: View) -> Any:
            return nonsense

    with pytest.raises(SchedulerError, match="expected a Dispatch, a Drop or None"):
        dream_gym.simulate("ar_call", "4k_2ws", Nonsense(), seconds=0.1)


def test_an_exception_names_the_scheduler_and_keeps_its_cause() -> None:
    class Broken(dream_gym.Scheduler):
        """Raises."""

        def select(self, view: View) -> None:
            raise KeyError("depth")

    with pytest.raises(SchedulerError, match=r"Broken at 0\.0.* KeyError: 'depth'") as caught:
        dream_gym.simulate("ar_call", "4k_2ws", Broken(), seconds=0.1)
    assert isinstance(caught.value.__cause__, KeyError)


def test_options_are_the_schedulers_own() -> None:
    with pytest.raises(ConfigError, match="alpha"):
        dream_gym.simulate("ar_call", "4k_2ws", Fcfs(), seconds=0.1, alpha=1.0)


def test_it_may_drop_choose_variants_and_dispatch_blocks() -> None:
    class Light(Fcfs):
        """Drops every second frame of gaze, runs the lightest variants, all layers at once."""

        def select(self, view: View) -> Any:
            for frame in view.ready:
                if view.scenario.model_names[frame.model] == "gaze_estimation" and frame.frame % 2:
                    return Drop(frame)
            choice = super().select(view)
            if choice is None:
                return None
            lightest = len(view.network(choice.frame).family) - 1
            return choice._replace(variant=lightest, layers=choice.frame.block_length)

    result = dream_gym.simulate(
        "vr_gaming", "8k_2ws", Light(), seconds=1.0, load=0.5, record=True, validate=True
    )
    assert result.frames is not None
    assert result.timeline is not None
    assert result.timeline["layers"].max() > 1
    assert result.accuracy["context"] == 71.0
    fates = {FATES[fate] for fate in result.frames["fate"]}
    assert {"completed", "dropped"} <= fates


def test_reset_comes_before_every_run() -> None:
    class Counting(Fcfs):
        """Counts its runs."""

        runs = 0

        def reset(self, view: View) -> None:
            assert view.now_ns == 0
            self.runs += 1

    scheduler = Counting()
    for _ in range(3):
        dream_gym.simulate("ar_call", "4k_2ws", scheduler, seconds=0.1)
    assert scheduler.runs == 3
