"""Compiled code comes back to Python often, and a run is the same however often it does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from dream_gym import simulate
from dream_gym.hardware import load_platform
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Result, Simulation
from dream_gym.simulator import simulation as module
from dream_gym.workload import load_scenario

CELL = "xrbench_ar_assistant", "4k_1ws_2os"  # it has dependents, and networks with forks


def everything(result: Result) -> list[Any]:
    assert result.timeline is not None
    assert result.frames is not None
    return [result.summary(), result.timeline.tolist(), result.frames.tolist()]


@pytest.mark.parametrize("contention", [False, True])
@pytest.mark.parametrize("at_once", [1, 7])
def test_a_run_is_the_same_in_however_many_calls(
    at_once: int, contention: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outcome() -> list[Any]:
        simulation = Simulation(
            load_scenario(CELL[0]),
            load_platform(CELL[1]),
            get_scheduler("edf").engine,
            load=4,
            expiry="firm",
            contention=contention,
        )
        simulation.reset(seed=3, seconds=0.3, record=True)
        simulation.advance(100_000_000)
        simulation.advance(simulation.horizon_ns)
        result = simulation.result()
        assert result.frames is not None
        recording = [
            [frames.nominal_ns.tolist(), frames.release_ns.tolist(), frames.triggered.tolist()]
            for frames in simulation.recording().values()
        ]
        return [*everything(result), recording, simulation.alone(result.frames).tolist()]

    whole = outcome()
    monkeypatch.setattr(module, "_FIRST_EVENTS", at_once)
    monkeypatch.setattr(module, "_CALL_S", 0.0)  # as few events at once as there may be
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    assert outcome() == whole


@pytest.mark.parametrize("seed", range(5))
def test_frames_are_counted_as_they_come(seed: int) -> None:
    scenario = load_scenario("xrbench_ar_assistant")
    simulation = Simulation(scenario, load_platform(CELL[1]), None, load=Fraction(13, 10))
    simulation.reset(seed=seed, seconds=1.7, record=True)
    result = simulate(*CELL, "fcfs", load=1.3, seed=seed, seconds=1.7, record=True)
    assert result.frames is not None
    counts = np.bincount(result.frames["model"], minlength=len(scenario.networks))
    assert simulation.state.models["frames"].tolist() == counts.tolist()


def seconds_to_stop(work: Callable[[], object]) -> float:
    """How long work goes on after a Ctrl-C that comes in its midst."""
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, interrupt)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        timer.cancel()
    return time.perf_counter() - sent[0]


@pytest.mark.compiled
@pytest.mark.parametrize("step", ["count", "bound", "run"])
def test_a_long_run_can_be_interrupted_at_once(step: str) -> None:
    simulation = Simulation(
        load_scenario(CELL[0]), load_platform(CELL[1]), get_scheduler("fcfs").engine, load=4
    )
    longest = 100_000.0

    def work() -> None:
        while True:
            simulation.reset(seed=1, seconds=longest)
            if step == "bound":
                simulation.lower_bound(lightest=True)
            if step == "run":
                simulation.advance(simulation.horizon_ns)

    simulation.reset(seed=1, seconds=0.1)  # compiles all
    simulation.advance(simulation.horizon_ns)
    simulation.lower_bound()
    assert seconds_to_stop(work) < 1.0  # and not 20 to 60; 0.05 on an idle machine
