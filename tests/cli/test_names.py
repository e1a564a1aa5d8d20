"""Names are text: hostile ones come out of every command as they went in."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from dream_gym.analysis.calibration.page import calibration_page
from dream_gym.analysis.calibration.scan import Calibration, sweep_suite
from dream_gym.analysis.report.markdown import visible
from dream_gym.analysis.suites.calibrated import CalibratedCell
from dream_gym.cli import main
from tests.analysis.report.test_markdown import PARSER

POLICIES = ("p$_$q", "_base", "a|b", "cam[/left]", "`tick", "<b>x", "カメラ", "*x*")
MODELS = ("cam[left]", "cam[/left]", "a|b c", "_$x_$")
ACCELERATORS = ("[red]ws0", "<os>$0$`")
SCENARIO, PLATFORM, SUITE = "sc[x]|_$ `y`", "pl[bold]a|b", "suite|[x]"
TERMINAL = {"FORCE_COLOR": "1", "COLUMNS": "200", "NO_COLOR": "1"}
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class World:
    """A folder of hostile files.

    Args:
        folder: The folder.
        scenario: Path of the scenario.
        platform: Path of the platform.
        suite: Path of the suite.
    """

    folder: Path
    scenario: str
    platform: str
    suite: str


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    def write(folder: str, content: dict[str, Any]) -> str:
        path = tmp_path / folder / "hostile.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({"schema": 1, **content}))
        return str(path)

    monkeypatch.chdir(tmp_path)
    models = [{"name": name, "network": "kws_res8", "rate": 60} for name in MODELS]
    scenario = write("scenarios", {"name": SCENARIO, "models": models})
    hardware = {"dataflow": "WS", "num_pes": 256, "noc_bandwidth": 16}
    accelerators = [{"name": name, **hardware} for name in ACCELERATORS]
    memory = {"clock_ghz": 0.7, "dram_bandwidth_gb_s": 2, "shared_memory_kib": 64}
    platform = write("platforms", {"name": PLATFORM, **memory, "accelerators": accelerators})
    schedulers = ("fcfs", "edf", "dream_mapscore")
    policies = [
        {"scheduler": schedulers[index % 3], "name": name} for index, name in enumerate(POLICIES)
    ]
    cell = {"scenario": scenario, "platform": platform, "load": 4}
    content = {"name": SUITE, "cells": [cell], "policies": policies, "seeds": 2, "seconds": 0.2}
    return World(tmp_path, scenario, platform, write("suites", content))


@pytest.fixture(params=["piped", "terminal"])
def run(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., list[str]]:
    """Run a command; what a reader sees of what it prints, line by line or cell by cell."""
    terminal = request.param == "terminal"
    for name, value in TERMINAL.items() if terminal else ():
        monkeypatch.setenv(name, value)

    def run_command(*arguments: str) -> list[str]:
        assert main(arguments) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert not terminal or "\x1b" not in ESCAPES.sub("", out)
        return ESCAPES.sub("", out).splitlines() if terminal else seen(out)

    return run_command


def seen(markdown: str) -> list[str]:
    """What a reader sees of Markdown, by paragraphs and cells."""
    return [
        "".join(child.content or "\n" for child in token.children or [])
        for token in PARSER.parse(markdown)
        if token.type == "inline"
    ]


def assert_seen(names: tuple[str, ...], shown: list[str]) -> None:
    for name in names:
        assert any(visible(name) in text for text in shown), (name, shown)


def test_simulate(world: World, run: Callable[..., list[str]]) -> None:
    files = {name: world.folder / f"{name}.out" for name in ("json", "timeline", "export")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    cell = (world.scenario, "--platform", world.platform)
    shown = run("simulate", *cell, "--scheduler", "edf", "--seconds", "0.2", *options)
    assert_seen((SCENARIO, PLATFORM, *MODELS), shown)
    summary = json.loads(files["json"].read_text(encoding="utf-8"))
    assert set(summary["violation_rate"]) == set(MODELS)
    with files["timeline"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["accelerator"] for row in rows} == set(ACCELERATORS)
    assert {row["model"] for row in rows} == set(MODELS)
    replay = ("--replay", str(files["export"]))
    assert_seen(MODELS, run("simulate", *cell, "--scheduler", "edf", "--seconds", "0.2", *replay))


def test_list_and_show(
    world: World, run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_seen((*MODELS[:2], *ACCELERATORS, "hostile"), run("list"))
    loads = {"fcfs": 1.0, "edf": 1.5, "dream_mapscore": 1.2}
    found = Calibration(loads, dict.fromkeys(MODELS, 1.1), 2.0, 1.25)
    module = sys.modules["dream_gym.cli.show"]  # the package has the function of this name
    monkeypatch.setattr(module, "calibrate", lambda *cell, **told: found)
    short = partial(sweep_suite, seeds=2, seconds=0.1)
    monkeypatch.setattr(module, "sweep_suite", short)
    picture = world.folder / "sweep.png"
    options = ("--platform", world.platform, "--calibrate", "--plot", str(picture))
    shown = run("show", world.scenario, *options)
    assert_seen((SCENARIO, PLATFORM, *MODELS, *ACCELERATORS), shown)
    assert picture.stat().st_size > 1000


def test_benchmark_and_results(world: World, run: Callable[..., list[str]]) -> None:
    first, second = world.folder / "before", world.folder / "after|[x]"
    shown = run("benchmark", "--suite", world.suite, "--output", str(second), "--workers", "1")
    assert_seen((*POLICIES, *MODELS), shown)
    assert_seen((*POLICIES, SUITE), seen((second / "report.md").read_text(encoding="utf-8")))
    shutil.copytree(second, first)
    run("results", str(first), str(second), "--page", str(world.folder / "page.md"))
    page = (world.folder / "page.md").read_text(encoding="utf-8")
    assert_seen((*POLICIES, f"{SUITE} ({first})", f"{SUITE} ({second})"), seen(page))


def test_tune_and_bounds(world: World, run: Callable[..., list[str]]) -> None:
    pytest.importorskip("cma")
    cell = ("--scenario", world.scenario, "--platform", world.platform)
    work = ("--seeds", "1", "--seconds", "0.1", "--evaluations", "1")
    output = world.folder / "x[y].yaml"
    shown = run("tune", "--scheduler", "dream_mapscore", *cell, *work, "--output", str(output))
    assert_seen((str(output),), shown)
    assert not any(re.search(r"\[[\d.]+, ", text) for text in shown)  # no interval from one seed
    page = world.folder / "bounds.md"
    work = ("--seeds", "2", "--seconds", "0.1", "--limit", "0", "--generations", "0")
    shown = run("bounds", "--suite", world.suite, *work, "--page", str(page))
    for texts in (shown, seen(page.read_text(encoding="utf-8"))):
        assert_seen(POLICIES, texts)


def test_calibrate(
    world: World, run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [CalibratedCell(SCENARIO, PLATFORM, 1.0, 1.1, 1.2, 2.0, 1.1, "a|b[x]", 1.15)]
    module = sys.modules["dream_gym.cli.calibrate"]  # the package has the function of this name
    monkeypatch.setattr(module, "calibrate_cells", lambda *given, **kept: cells)
    output = world.folder / "x[y].csv"
    where = ("--scenarios", "ar_call", "--platforms", "4k_2ws", "--page", "calibration.md")
    assert_seen((str(output),), run("calibrate", "--output", str(output), *where))
    texts = seen((world.folder / "calibration.md").read_text(encoding="utf-8"))
    assert_seen((SCENARIO, PLATFORM, "1.150 (a|b[x])"), texts)
    assert calibration_page(cells) == (world.folder / "calibration.md").read_text(encoding="utf-8")


def test_errors_are_text_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "\x1b[31m[red]x", "--platform", "4k_2ws", "--scheduler", "edf"]) == 2
    assert "\\x1b[31m[red]x" in capsys.readouterr().err
