"""A run in which nothing is due is one sentence before anything runs, wherever it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import yaml

import dream_gym
from dream_gym.analysis.calibration.scan import calibrate
from dream_gym.analysis.report.markdown import code
from dream_gym.cli import main
from dream_gym.errors import ConfigError

CELL = {"scenario": "ar_social", "platform": "4k_1ws_2os"}
PLACE = ["--platform", CELL["platform"]]


def play_nothing(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing may run")


def make(environment: str, **arguments: Any) -> Callable[[], Any]:
    return lambda: gym.make(f"dream_gym:{environment}", **CELL, **arguments)


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda: dream_gym.simulate(*CELL.values(), "fcfs", seconds=0.001), "seconds"),
        (make("DreamRTMM-v0", episode_seconds=0.001), "episode_seconds"),
        (make("DreamRTMM-Dispatch-v0", episode_seconds=0.001), "episode_seconds"),
        # At the low end of the loads, deadlines are ten times as late.
        (make("DreamRTMM-Dispatch-v0", load=(0.1, 1.0), episode_seconds=0.1), "episode_seconds"),
        (lambda: calibrate(*CELL.values(), seconds=1e-6), "seconds"),
    ],
)
def test_what_has_nothing_to_schedule_is_refused(ask: Callable[[], Any], field: str) -> None:
    with pytest.raises(ConfigError, match=rf"{field}: no frame of .* is due within [0-9e.-]+ s"):
        ask()


def suite(folder: Path, seconds: float, tuning_seconds: float | None = None) -> str:
    path = folder / "tiny.yaml"
    policies: list[dict[str, Any]] = [{"scheduler": "fcfs"}]
    if tuning_seconds is not None:
        tune = {"grid": {"alpha": [0, 1]}, "seconds": tuning_seconds}
        policies.append({"scheduler": "dream_mapscore", "tune": tune})
    cells = [CELL, CELL | {"load": 0.5}]
    content = {"schema": 1, "name": "tiny", "cells": cells, "policies": policies}
    path.write_text(yaml.safe_dump(content | {"seconds": seconds, "seeds": 1}))
    return str(path)


WHERE = ["--scenario", "ar_social", *PLACE]
COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "simulate": lambda _: ["ar_social", *PLACE, "--scheduler", "fcfs", "--seconds", "0.001"],
    "benchmark": lambda path: ["--suite", suite(path, 0.001), "--output", str(path / "out")],
    "benchmark, tuned": lambda path: [
        *("--suite", suite(path, 0.5, 0.001), "--output", str(path / "out"))
    ],
    "bounds": lambda path: ["--suite", suite(path, 0.001)],
    "tune": lambda path: [
        *("--scheduler", "dream_plus", *WHERE),
        *("--output", str(path / "tuned.yaml"), "--seconds", "0.001"),
    ],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_so_before_anything_runs(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dream_gym.simulator.Simulation.advance", play_nothing)
    for module in ("runs.benchmark", "runs.search", "studies.bounds.study"):
        monkeypatch.setattr(f"dream_gym.analysis.{module}.run_tasks", play_nothing)
    assert main([command.partition(",")[0], *COMMANDS[command](tmp_path)]) == 2
    said = " ".join("".join(capsys.readouterr()).split())
    assert "seconds: no frame of ar_social is due within 0.001 s" in said
    assert "the first deadline is at 0.0" in said


def test_a_recording_without_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    names = dream_gym.workload.load_scenario("ar_social").model_names
    rows = [f"{name},0,5,0" for name in names]
    path.write_text("\n".join(["model,frame,time_ns,triggered", *rows]) + "\n")
    workload = dream_gym.workload.load_scenario("ar_social")
    workload = workload.model_copy(update={"recording": path})
    with pytest.raises(ConfigError, match=r"is due within 1 s .* none exists"):
        dream_gym.simulate(workload, CELL["platform"], "fcfs", seconds=1.0)


def test_a_model_without_frames_has_no_rates(capsys: pytest.CaptureFixture[str]) -> None:
    # 35 ms: the models of 60 frames per second have two frames, those of 15 have none.
    scenario = "xrbench_ar_assistant"
    result = dream_gym.simulate(scenario, CELL["platform"], "fcfs", seconds=0.035)
    idle = {name for name, frames in result.frame_count.items() if frames == 0}
    assert 0 < len(idle) < len(result.frame_count)
    assert main(["simulate", scenario, *PLACE, "--scheduler", "fcfs", "--seconds", "0.035"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in result.frame_count:
        (line,) = (line for line in lines if f" {code(name)} " in line)
        assert line.count("–") == (3 if name in idle else 0)
        assert ("%" in line) == (name not in idle)
