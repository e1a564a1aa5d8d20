"""Where commands write: to what was named, whole or not at all, and nowhere else."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dream_gym.analysis.runs.parts import keep_parts
from dream_gym.analysis.suites.calibrated import calibrated_cells, write_table
from dream_gym.cli import main

ROOT = Path(__file__).parents[1]
RUN = ["--platform", "4k_2ws", "--scheduler", "fcfs", "--seconds", "0.1"]
SIMULATE = ["simulate", "ar_call", *RUN]
BENCHMARK = ["benchmark", "--suite", "suite.yaml", "--workers", "1"]
TUNE = ["tune", "--scheduler", "dream_plus", "--scenario", "ar_call", "--platform", "4k_2ws"]
TUNE += ["--search-for", "patience", "drop_cap", "--option", "beta=0.5", "--option", "alpha=1"]
TUNE += ["--seeds", "1", "--seconds", "0.1", "--evaluations", "4"]
BOUNDS = [
    "bounds",
    "--suite",
    "suite.yaml",
    "--scenario",
    "ar_call",
    "--platform",
    "4k_2ws",
    "--seeds",
    "2",
]
BOUNDS += ["--seconds", "0.1", "--limit", "0", "--generations", "1"]
KNOWN = calibrated_cells()[0]
CALIBRATE = ["calibrate", "--scenarios", KNOWN.scenario, "--platforms", KNOWN.platform]
SUITE = """
schema: 1
name: tiny
cells: [{scenario: ar_social, platform: 4k_1ws_2os, load: 1.2}]
policies: [{scheduler: fcfs}, {scheduler: edf}]
seeds: 2
seconds: 0.4
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory but for a suite."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file was changed, and its content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


PART = "0123456789abcdef" * 4 + ".json"
DECOYS = [
    "parts/mine",
    f"parts/{PART}",
    "out/parts/mine",
    f"out/parts/{PART}",
    "out/.dream_gym-notes",
    "out/best.yaml.parts/mine",
    f"out/table.csv.parts/{PART}",
    "out/images/mine.png",
    "results/bounds/ar_call_on_4k_2ws_load_1/parts/mine",
    "results/tiny/parts/mine",
    "run/parts/mine",
    "scenarios/parts/mine",
    "lock",
    "x.json",
]


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        ([*BENCHMARK, "--output", "."], None),
        ([*BENCHMARK, "--output", "out", "--json", "x/a.json"], ["out/", "x/a.json"]),
        (BENCHMARK, ["results/tiny/"]),
        ([*TUNE, "--output", "out/best.yaml"], ["out/best.yaml"]),
        ([*BOUNDS, "--page", "out/page.md"], ["out/page.md"]),
        ([*CALIBRATE, "--output", "out/table.csv"], ["out/table.csv"]),
        ([*SIMULATE, "--json", "x/a.json", "--export", "b.csv"], ["x/a.json", "b.csv"]),
        (["new", "scenario", "fresh"], ["scenarios/fresh.yaml"]),
        (["schema", "suite", "--output", "out/x.json"], ["out/x.json"]),
    ],
)
def test_nothing_but_the_outputs_is_written_or_deleted(
    arguments: list[str], made: list[str] | None, here: Path
) -> None:
    for name in DECOYS:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text('["precious"]')
    before = state(here)
    if "calibrate" in arguments:
        write_table(here / "out" / "table.csv", [KNOWN])
    assert main(arguments) == 0
    after = state(here)
    assert {name: after.get(name) for name in before} == before
    new = after.keys() - before.keys()
    assert new
    if made is not None:
        assert [name for name in new if not name.startswith(tuple(made))] == []
    assert not [name for name in new if "parts" in name or ".dream_gym" in name]


def test_a_page_of_results_has_its_figures_beside_it(here: Path) -> None:
    assert main([*BENCHMARK, "--output", "out"]) == 0
    before = state(here)
    assert main(["results", "out", "--page", "pages/results.md"]) == 0
    after = state(here)
    assert {name: after.get(name) for name in before} == before
    new = after.keys() - before.keys()
    assert all(name.startswith("pages/") for name in new)
    figures = re.findall(r"\]\((.+\.png)\)", (here / "pages" / "results.md").read_text())
    assert len(set(figures)) == 2
    assert {f"pages/{name}" for name in figures} == new - {"pages/results.md"}
    assert main(["results", "out", "--page", "-"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "workers"),
        (["--agent", "nowhere"], "nowhere"),
        (["--table", "runs.txt"], ".parquet or .csv"),
        (["--json", "suite.yaml/x"], "suite.yaml is no folder"),
        (["--json", "a", "--table", "./a"], "a"),
        (["--json", "-", "--table", "-"], "two outputs"),
        (["--seeds", "0"], "seeds"),
        (["--output", "-"], "expected a folder"),
        *(
            (["--output", "out", "--json", f"out/{name}"], f"out/{name}: two outputs would be")
            for name in (
                *("report.md", "about.json", "runs.parquet", "table.csv", "uxcost.png"),
                *("timeline.png", "tiny_plane.png", "tiny_profiles.png"),
            )
        ),
        (["--output", "out", "--table", "./out/table.csv"], "two outputs would be written there"),
    ],
)
def test_a_refused_command_leaves_nothing(
    arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BENCHMARK, *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["suite.yaml"]


def test_one_seed_replaces_the_report_of_an_earlier_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def files_told() -> list[str]:
        line = capsys.readouterr().out.splitlines()[-1]
        return line.removeprefix("out: ").partition("; again by: ")[0].split(", ")

    assert main([*BENCHMARK, "--output", "out"]) == 0
    assert sorted(files_told()) == sorted(path.name for path in (here / "out").iterdir())
    for path in (here / "out").iterdir():
        os.utime(path, (0, 0))
    assert main([*BENCHMARK, "--output", "out", "--seeds", "1"]) == 0
    written = [path.name for path in (here / "out").iterdir() if path.stat().st_mtime > 0]
    assert sorted(files_told()) == sorted(written)
    assert (here / "out" / "report.md").read_text() == (
        "# Results\n\ntiny: one seed gives no intervals, and without them nothing is reported.\n"
    )


def test_a_suite_does_not_replace_another(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("s 1", "s_1"):
        (here / f"{name}.yaml").write_text(SUITE.replace("tiny", name))
    first, second = (["benchmark", "--suite", f"{name}.yaml"] for name in ("s 1", "s_1"))
    assert main([*first, "--workers", "1"]) == 0
    before = state(here)
    capsys.readouterr()
    assert main([*second, "--workers", "1"]) == 2
    assert capsys.readouterr().err == (
        f"error: --output: {Path('results', 's_1')} holds the outcome of another suite, 's 1': "
        "choose another --output\n"
    )
    assert state(here) == before
    assert main([*second, "--workers", "1", "--output", "other"]) == 0
    assert main([*first, "--workers", "1"]) == 0  # the same again


def test_a_page_of_nothing_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results", "--page", "page.md"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: FOLDER: is missing")
    assert errors.count("\n") == 1
    assert not (here / "page.md").exists()


def test_the_title_of_a_run_has_its_load(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SIMULATE, "--load", "1.0000001"]) == 0
    assert "load 1.0000001, seed 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [*TUNE, "--output", "x/best.yaml", "--workers", "0"],
        [*BOUNDS, "--page", "x/page.md", "--workers", "0"],
        ["calibrate", "--scenarios", "nope", "--output", "x/table.csv"],
        ["calibrate", "--scenarios", "app_switches", "--output", "x/table.csv"],
        ["calibrate", "--platforms", "nope", "--output", "x/table.csv", "--workers", "2"],
        [*CALIBRATE, "--output", "x/table.csv", "--workers", "0"],
        ["simulate", "nope", *RUN, "--json", "x/a.json"],
    ],
)
def test_so_do_the_others(
    arguments: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["suite.yaml"]


def test_two_at_once_in_one_place_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(here / "table.csv", [KNOWN])
    places = {
        "out/parts": [*BENCHMARK, "--output", "out"],
        "best.yaml.parts": [*TUNE, "--output", "best.yaml"],
        "results/bounds/ar_call_on_4k_2ws_load_1/parts": BOUNDS,
        "table.csv.parts": [*CALIBRATE, "--output", "table.csv"],
    }
    for place, arguments in places.items():
        with keep_parts(here / place):
            assert main(arguments) == 2
        errors = capsys.readouterr().err
        assert "another run is at work there: wait for it, or name another place" in errors
        assert errors.count("\n") == 1


def test_the_command_that_is_printed_gives_the_same_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--seeds", "3", "--output", "my out", "--json", "all.json", "--table", "rows.csv"]
    assert main([*BENCHMARK, *options]) == 0
    printed = shlex.split(capsys.readouterr().out.partition("again by: ")[2])
    made = {path: path.read_bytes() for path in (here / "all.json", here / "rows.csv")}
    assert json.loads((here / "all.json").read_text())["command"] == shlex.join(printed)
    made |= {path: path.read_bytes() for path in (here / "my out").iterdir()}
    for path in made:
        path.unlink()
    assert printed[0] == "dream-gym"
    assert main(printed[1:]) == 0
    assert {path: path.read_bytes() for path in made} == made


@pytest.mark.parametrize(
    ("arguments", "output"), [(TUNE, "my best.yaml"), (BOUNDS, "my page.md")]
)  # fmt: skip
def test_the_command_in_a_file_gives_the_same_again(
    arguments: list[str], output: str, here: Path
) -> None:
    option = "--output" if arguments is TUNE else "--page"
    assert main([*arguments, option, output]) == 0
    first = (here / output).read_text()
    if arguments is TUNE:
        command = yaml.safe_load(first)["found"]["command"]
    else:
        command = first.partition("Made by `")[2].partition("`")[0]
    (here / output).unlink()
    assert main(shlex.split(command)[1:]) == 0
    assert (here / output).read_text() == first


def test_a_dash_is_standard_output_which_then_has_nothing_else(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def output(arguments: list[str], message: str) -> str:
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert message in captured.err
        return captured.out

    assert json.loads(output([*SIMULATE, "--json", "-"], "UXCost"))["uxcost"] > 0
    for option, column in (("--timeline", "accelerator"), ("--export", "triggered")):
        rows = list(csv.DictReader(output([*SIMULATE, option, "-"], "UXCost").splitlines()))
        assert column in rows[0]
        assert None not in rows[-1].values()
    assert json.loads(output(["schema", "suite", "--output", "-"], ""))["title"] == "Suite"
    rows = list(csv.DictReader(output([*BENCHMARK, "--table", "-"], "again by").splitlines()))
    assert [row["policy"] for row in rows] == ["fcfs", "fcfs", "edf", "edf"]
    assert len(json.loads(output([*BENCHMARK, "--json", "-"], "again by"))["rows"]) == 4
    assert yaml.safe_load(output([*TUNE, "--output", "-"], "play it"))["scheduler"] == "dream_plus"
    page = output([*BOUNDS, "--page", "-"], "UXCost")
    assert page.startswith("# ")
    write_table(here / "table.csv", [KNOWN])
    page = output([*CALIBRATE, "--output", "table.csv", "--page", "-"], "1 cells")
    assert page.startswith("# ")
    names = {path.name for path in here.iterdir()}
    assert names == {"suite.yaml", "results", "table.csv"}


LIMITED = """
import resource, sys
from dream_gym.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("limit", [100, 20_000])
def test_no_room_for_a_part_or_a_figure_is_one_error(limit: int, here: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(limit), *BENCHMARK, "--output", "out"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert error.endswith("cannot be written: File too large")
    assert "Traceback" not in done.stderr
    assert not list(here.rglob(".dream_gym*"))


COMMAND = [sys.executable, str(ROOT / "dream_gym_command.py")]


@pytest.mark.parametrize("arguments", [["list"], ["schema", "suite"], ["--help"]])
def test_a_closed_pipe_ends_a_command_without_a_word(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    done = subprocess.run(
        [*COMMAND, *arguments], stdout=writing, stderr=pipe, text=True, env=environment
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_on_a_full_disk_is_one_error() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
@pytest.mark.parametrize("command", [[*COMMAND, "list"], [sys.executable, str(ROOT / "train.py")]])
@pytest.mark.parametrize("library", ["_multiarray_umath", "llvmlite"])
def test_ctrl_c_during_the_imports_ends_without_a_traceback(
    command: list[str], library: str, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while library not in maps.read_text():  # just loaded: the imports are under way
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] in ("", "interrupted\n")
    assert process.returncode == 130
