import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from dream_gym import simulate
from dream_gym.cli import main
from dream_gym.hardware import Accelerator, Platform
from dream_gym.players import Player
from dream_gym.reading import resources
from dream_gym.schedulers import BUILTIN
from dream_gym.simulator import Cell
from dream_gym.workload import Dependency, ModelSpec, Scenario, load_scenario

SIMULATE = ["simulate", "ar_call", "--platform", "4k_2ws", "--seconds", "0.5"]


@pytest.fixture
def suite(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    content = {
        "schema": 1,
        "name": "tiny",
        "cells": [{"scenario": "ar_social", "platform": "4k_1ws_2os", "load": 1.2}],
        "policies": [{"scheduler": "fcfs"}, {"scheduler": "dream_mapscore"}],
        "seeds": 2,
        "seconds": 0.4,
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for text in ("depth 30", "WS, 2048 PEs", "alpha=1.0"):
        assert text in out
    kinds = ("scenarios", "platforms", "suites")
    for name in (*BUILTIN, *(name for kind in kinds for name in resources.names(kind))):
        assert f"| `{name}` " in out


def test_simulate_writes_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome, timeline = tmp_path / "a.json", tmp_path / "a.csv"
    options = ["--scheduler", "dream_mapscore", "--option", "alpha=0.5", "--option", "beta=0"]
    files = ["--json", str(outcome), "--timeline", str(timeline)]
    assert main([*SIMULATE, *options, "--load", "2", "--seed", "3", *files]) == 0
    result = simulate(
        "ar_call", "4k_2ws", "dream_mapscore", seconds=0.5, seed=3, load=2, alpha=0.5, beta=0
    )
    assert f"UXCost {result.uxcost:.4g}" in capsys.readouterr().out
    assert json.loads(outcome.read_text()) == result.summary()
    with timeline.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == result.dispatches
    assert rows[0]["start_ns"] == "0"
    assert {row["accelerator"] for row in rows} == {"ws0", "ws1"}
    assert {row["model"] for row in rows} <= set(result.frame_count)


def test_contention_is_what_the_platform_says_unless_it_is_said(tmp_path: Path) -> None:
    def uxcost(contends: bool, *arguments: str) -> float:
        platform = resources.shipped_folder("platforms") / "4k_2ws.yaml"
        content = yaml.safe_load(platform.read_text())
        content |= {"contention": contends, "dram_bandwidth_gb_s": 1}
        (tmp_path / "chip.yaml").write_text(yaml.safe_dump(content))
        cell = ["ar_social", "--platform", str(tmp_path / "chip.yaml"), "--seconds", "0.5"]
        outcome = tmp_path / "outcome.json"
        options = ["--scheduler", "edf", "--load", "2", "--json", str(outcome)]
        assert main(["simulate", *cell, *options, *arguments]) == 0
        return float(json.loads(outcome.read_text())["uxcost"])

    alone, shared = uxcost(False), uxcost(True)
    assert alone != shared
    for contends in (False, True):
        assert uxcost(contends, "--no-contention") == alone
        assert uxcost(contends, "--contention") == shared


def test_an_exported_run_replays_under_another_seed(tmp_path: Path) -> None:
    def outcome(*arguments: str) -> dict[str, object]:
        path = tmp_path / "outcome.json"
        cell = ["ar_social", *SIMULATE[2:]]  # without dynamic networks, whose paths are drawn
        assert main(["simulate", *cell, "--scheduler", "edf", "--json", str(path), *arguments]) == 0
        content: dict[str, object] = json.loads(path.read_text())
        del content["seed"]
        return content

    world, again = tmp_path / "world.csv", tmp_path / "again.csv"
    drawn = outcome("--seed", "3", "--export", str(world))
    assert outcome("--seed", "4", "--replay", str(world), "--export", str(again)) == drawn
    assert outcome("--seed", "4") != drawn
    assert again.read_bytes() == world.read_bytes()


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "ar_social", "--platform", "4k_1ws_2os", "--load", "1.2"]) == 0
    out = capsys.readouterr().out
    assert "warning: depth cannot meet its deadline even alone" in out
    assert "Utilisation" in out


def test_show_goes_phase_by_phase(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "app_switches", "--platform", "4k_2ws"]) == 0
    out = capsys.readouterr().out
    assert "phase 0 from 0 s" in out
    assert "phase 1 from" in out
    assert main(["show", "app_switches", "--platform", "4k_2ws", "--calibrate"]) == 2
    assert "has phases; calibrate them one by one" in capsys.readouterr().err


def test_benchmark(suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, outcome = tmp_path / "results", tmp_path / "all.json"
    arguments = ["benchmark", "--suite", suite, "--seeds", "3", "--workers", "1"]
    elsewhere = tmp_path / "rows.csv"
    places = ["--json", str(outcome), "--table", str(elsewhere), "--output", str(results)]
    assert main([*arguments, *places]) == 0
    assert len(elsewhere.read_text().splitlines()) == 1 + 2 * 3
    out = capsys.readouterr().out
    assert "dream_mapscore" in out
    assert "3 seeds from 2000000000" in out
    files = {path.name: path.stat().st_size for path in results.iterdir()}
    assert set(files) == {
        "about.json",
        "tiny_plane.png",
        "tiny_profiles.png",
        "report.md",
        "runs.parquet",
        "table.csv",
        "uxcost.png",
        "timeline.png",
    }
    assert min(files.values()) > 100
    content = json.loads(outcome.read_text())
    assert len(content["rows"]) == 2 * 3
    assert content["suite"]["seeds"] == 3
    page = tmp_path / "results.md"
    assert main(["results", str(results), "--page", str(page)]) == 0
    assert "## tiny" in page.read_text()
    capsys.readouterr()
    twice = [str(results), str(results / ".." / "results"), "--page", str(page)]
    assert main(["results", *twice]) == 2
    assert "is given twice" in capsys.readouterr().err


def test_the_timeline_shows_what_is_asked_for(
    suite: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn = []

    def draw(policies: Sequence[Player], cell: Cell, *world: object) -> None:
        drawn.append(([policy.name for policy in policies], cell.title))

    monkeypatch.setattr(sys.modules["dream_gym.cli.benchmark"], "plot_timeline", draw)
    arguments = ["benchmark", "--suite", suite, "--workers", "1", "--output", str(tmp_path / "out")]
    for options in ([], ["--timeline-cell", "0", "--timeline-policies", "dream_mapscore"]):
        assert main([*arguments, *options]) == 0
    cell = "ar_social on 4k_1ws_2os, load 1.2"
    assert drawn == [(["fcfs", "dream_mapscore"], cell), (["dream_mapscore"], cell)]
    for options, message in (
        (["--timeline-cell", "1"], f"--timeline-cell: expected 0 to 0 (0: {cell}), got 1"),
        (
            ["--timeline-policies", "edf"],
            "'edf' does not take part; there are fcfs, dream_mapscore",
        ),
    ):
        assert main([*arguments, *options]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "workers"),
        (["--table", "runs.txt"], ".parquet or .csv"),
    ],
)
def test_a_benchmark_that_cannot_be(
    suite: str,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "results"
    assert main(["benchmark", "--suite", suite, *arguments, "--output", str(output)]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_templates_run_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "scenario", "true"]) == 0  # a name that is no text in YAML unless quoted
    assert main(["new", "platform", "my-chip"]) == 0
    arguments = ["--platform", "my-chip", "--scheduler", "fcfs", "--seconds", "0.5"]
    assert main(["simulate", "true", *arguments]) == 0
    assert load_scenario("true").name == "true"
    text = (tmp_path / "scenarios" / "true.yaml").read_text()
    for model in (Scenario, ModelSpec, Dependency):
        for name, field in model.model_fields.items():
            assert f"{field.alias or name}:" in text
    text = (tmp_path / "platforms" / "my-chip.yaml").read_text()
    for part in (Platform, Accelerator):
        for name, field in part.model_fields.items():
            assert f"{field.alias or name}:" in text


def test_new_overwrites_nothing_and_takes_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.yaml").write_text("precious")
    assert main(["new", "scenario", "mine"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["new", "platform", "4k_2ws"]) == 2
    assert "already one of the platforms" in capsys.readouterr().err
    for name in ("../x", "a.yaml", ""):
        assert main(["new", "platform", name]) == 2
        assert "name: expected letters" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["scenarios", "mine.yaml"]
    assert (tmp_path / "scenarios" / "mine.yaml").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["calibrate", "--output", "c.csv", "--scenarios", "ar_sociall"], "did you mean ar_social"),
        (["calibrate", "--output", "c.csv", "--scenarios", "app_switches"], "one by one"),
        (["calibrate", "--output", "c.csv", "--platforms", "4k_2w"], "did you mean 4k_2ws"),
        ([*SIMULATE, "--scheduler", "dream_ful"], "did you mean dream_full"),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "alpha=yes"], "got the text 'yes'"),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "alpha=true"], "got true"),
        (
            [*SIMULATE, "--scheduler", "dream_full", "--option", "alpha=1", "--option", "alpha=2"],
            "'alpha' is given twice",
        ),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "alpha=1:30"], "got the text '1:30'"),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "alpha=!!int x"], "'x' is no int"),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "alph=1"], "did you mean alpha"),
        ([*SIMULATE, "--scheduler", "dream_full", "--option", "a=" + "[" * 3000], "option 'a': "),
        (["simulate", "nope", "--platform", "4k_2ws", "--scheduler", "fcfs"], "'nope'"),
        (["simulate", "ar_call", "--platform", "nope", "--scheduler", "fcfs"], "'nope'"),
        ([*SIMULATE, "--scheduler", "nope"], "'nope'"),
        ([*SIMULATE, "--scheduler", "fcfs", "--option", "alpha=1"], "alpha"),
        ([*SIMULATE, "--scheduler", "fcfs", "--option", "alpha"], "NAME=VALUE"),
        ([*SIMULATE, "--scheduler", "dream_mapscore", "--option", "alpha=9"], "alpha"),
        ([*SIMULATE, "--scheduler", "fcfs", "--load", "0"], "load"),
        ([*SIMULATE, "--scheduler", "fcfs", "--seed", "-1"], "seed"),
        ([*SIMULATE, "--scheduler", "fcfs", "--load", "2", "--export", "a.csv"], "--export"),
        ([*SIMULATE, "--scheduler", "fcfs", "--replay", "none.csv"], "none.csv: cannot be read"),
        (["show", "ar_call", "--platform", "4k_2ws", "--plot", "a.png"], "--calibrate"),
        (["benchmark", "--suite", "nope"], "'nope'"),
        (["benchmark", "--seeds", "0"], "seeds"),
        (["results", "nope", "--page", "results/x.md"], "nope: not the outcome"),
        (["bounds", "--scenario", ""], "need one another"),
        (["calibrate", "--output", "results/x.csv", "--scenarios"], "at least one"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [*SIMULATE, "--scheduler", "fcfs", "--json"],
        [*SIMULATE, "--scheduler", "fcfs", "--timeline"],
        [*SIMULATE, "--scheduler", "fcfs", "--export"],
        ["benchmark", "--json"],
        ["schema", "suite", "--output"],
        ["benchmark", "--output"],
        ["show", "ar_call", "--platform", "4k_2ws", "--calibrate", "--plot"],
    ],
)
def test_unwritable_output_is_found_before_the_work(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("nothing may run")

    monkeypatch.setattr("dream_gym.simulator.Simulation.advance", work)
    monkeypatch.setattr("dream_gym.analysis.runs.benchmark.run_tasks", work)
    (tmp_path / "file").write_text("")
    assert main([*arguments, str(tmp_path / "file" / "x")]) == 2
    captured = capsys.readouterr()
    assert "cannot be written" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", ["simulate", "train"])
def test_help_says_what_runs_code(command: str) -> None:
    start = ["train.py"] if command == "train" else ["-m", "dream_gym", command]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, *start, "--help"], capture_output=True, text=True, check=True, cwd=root
    )
    assert "may run any code" in " ".join(done.stdout.replace("│", " ").split())


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(__import__("dream_gym.cli").cli.COMMANDS, "list", interrupt)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_module_runs_and_needs_no_extra() -> None:
    code = (
        "import sys; sys.modules.update(polars=None, matplotlib=None);"
        "from dream_gym.cli import main; sys.exit(main(['list']) or main(['benchmark']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "ar_social" in done.stdout
    assert (
        done.stderr == 'error: polars is missing; benchmarks need: pip install "dream_gym[bench]"\n'
    )
