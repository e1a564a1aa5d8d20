"""A scheduler or a player in a file of the user's own: everywhere a scheduler's name works."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import polars as pl
import pytest

import dream_gym
from dream_gym.analysis import Parts, load_suite, make_policy, run_benchmark
from dream_gym.cli import main
from dream_gym.errors import ConfigError, SchedulerError
from dream_gym.players import make_player
from dream_gym.simulator import Cell

CELL = Cell(scenario="ar_call", platform="4k_2ws", load=2.0)

MODULE = '''
import dream_gym

class Edf(dream_gym.Scheduler):
    """Earliest deadline first; with `latest`, latest deadline first."""

    def __init__(self, latest=False):
        self.sign = -1 if latest else 1

    def select(self, view):
        if not view.ready or not view.idle:
            return None
        frame = min(view.ready, key=lambda frame: self.sign * frame.deadline_ns)
        return dream_gym.Dispatch(frame, min(view.idle, key=lambda one: frame.latency_ns[one]))

class Rule(Edf):
    family = "rule"

class Wrong(dream_gym.Scheduler):
    def select(self, view):
        raise ValueError("out of ideas")

class Twice:
    """A player: it plays as EDF does, but for the scenarios that it does not like."""

    name = "as edf"

    def run(self, cell, seed, seconds, *, record=False):
        if "vr" in cell.scenario:
            raise RuntimeError("no goggles")
        return dream_gym.simulate(
            cell.scenario, cell.platform, "edf", load=cell.load, seed=seed, seconds=seconds,
            record=record,
        )

class Banana(Edf):
    family = "banana"

class Fruit(Twice):
    family = "banana"

class Weighted(Twice):
    """Its runs depend on a file, and its settings say so."""

    @property
    def settings(self):
        with open("weights.txt") as file:
            return {"weights": file.read()}

class Unsaid(Twice):
    settings = {"weights": object()}

class Leaves(Twice):
    def run(self, cell, seed, seconds, *, record=False):
        raise SystemExit(3)

class LeavesToo(Edf):
    def select(self, view):
        raise SystemExit(3)

class Nothing(Twice):
    def run(self, cell, seed, seconds, *, record=False):
        return None

NUMBER = 3

def half():
    return NUMBER
'''

SUITE = """
schema: 1
name: mine
cells:
  - {scenario: ar_call, platform: 4k_2ws, load: 3}
policies:
  - fcfs
  - scheduler: python:mine.Edf
    options: {latest: 1}
    name: latest
  - scheduler: python:mine.Edf
  - python:mine.Twice
seeds: 6
seconds: 0.3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mine.py").write_text(MODULE)
    (tmp_path / "suites" / "mine.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "suites"


def test_it_plays_as_the_compiled_one(folder: Path) -> None:
    mine = make_player("python:mine.Edf", folder=folder)
    assert (mine.name, mine.family) == ("Edf", "yours")
    edf = make_player("edf")
    for seed in (1, 2):
        assert mine.run(CELL, seed, 0.3).summary() == edf.run(CELL, seed, 0.3).summary()
    latest = make_player("python:mine.Edf", {"latest": 1}, name="late", folder=folder)
    assert latest.name == "late"
    assert latest.run(CELL, 1, 0.3).summary() != edf.run(CELL, 1, 0.3).summary()
    assert make_player("python:mine.Rule", folder=folder).family == "rule"


@pytest.mark.parametrize("reference", ["python:mine.Edf", "python:mine.Twice"])
def test_another_process_makes_it_again(folder: Path, reference: str) -> None:
    player = make_player(reference, name="x", folder=folder)
    again = pickle.loads(pickle.dumps(player))
    assert (again.name, again.settings) == ("x", player.settings)
    assert again.run(CELL, 3, 0.2).summary() == player.run(CELL, 3, 0.2).summary()


def test_what_it_depends_on_is_its_file_too(folder: Path) -> None:
    before = make_player("python:mine.Edf", folder=folder).settings
    (folder / "mine.py").write_text(MODULE + "\n# changed\n")
    after = make_player("python:mine.Edf", folder=folder).settings
    assert before != after
    assert {**before, "source_sha256": ""} == {**after, "source_sha256": ""}


def test_who_does_not_fit_a_cell_is_named_with_it(folder: Path) -> None:
    cell = Cell(scenario="vr_gaming", platform="4k_2ws")
    told = "as edf in vr_gaming on 4k_2ws, load 1: RuntimeError: no goggles"
    with pytest.raises(ConfigError, match=told):
        make_player("python:mine.Twice", folder=folder).run(cell, 0, 0.1)
    told = r"ar_call on 4k_2ws, load 2: Wrong at 0.0\d+ s: ValueError: out of ideas"
    with pytest.raises(SchedulerError, match=told):
        make_player("python:mine.Wrong", folder=folder).run(CELL, 0, 0.1)
    with pytest.raises(ConfigError, match="expected a Result, got None"):
        make_player("python:mine.Nothing", folder=folder).run(CELL, 0, 0.1)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("python:mine.half", "expected a dream_gym.Scheduler, or a player"),
        ("python:mine.NUMBER", "is no function"),
        ("python:mine.Missing", "cannot be imported"),
        ("python:nobody.Here", "cannot be imported"),
        ("python:Edf", "expected a function such as"),
        ("edff", "did you mean edf"),
        ("agent:nowhere", "not a run folder"),
        ("tuned:nothing.yaml", "nothing.yaml"),
    ],
)
def test_what_is_no_player_is_one_error(folder: Path, reference: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_player(reference, folder=folder)


def test_simulate_takes_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "ar_call", "--platform", "4k_2ws", "--seconds", "0.2", "--scheduler"]
    for scheduler in ("python:suites.mine.Edf", "python:suites.mine.Twice"):
        assert main([*command, scheduler]) == 0
        assert "UXCost" in capsys.readouterr().out
    assert main([*command, "python:suites.mine.Edf", "--option", "latest=1"]) == 0
    assert main([*command, "python:suites.mine.Twice", "--decision-ns", "5"]) == 2
    assert "options of schedulers" in capsys.readouterr().err
    result = dream_gym.simulate(
        "ar_call", "4k_2ws", "python:suites.mine.Twice", seconds=0.2, validate=True
    )
    assert result.frames is None


def test_listing_a_suite_runs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.py").write_text("raise SystemExit('this was run')")
    assert main(["list"]) == 0
    assert "mine" in capsys.readouterr().out


def test_benchmark_bounds_and_report_take_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = folder / "out"
    suite = str(folder / "mine.yaml")
    arguments = ["benchmark", "--suite", suite, "--output", str(output), "--workers", "2"]
    assert main(arguments) == 0
    rows = pl.read_parquet(output / "runs.parquet")
    by_policy = {
        policy: rows.filter(policy=policy)["uxcost"].to_list()
        for policy in ("fcfs", "latest", "python:mine.Edf", "python:mine.Twice")
    }
    assert by_policy["python:mine.Edf"] == by_policy["python:mine.Twice"]
    assert by_policy["python:mine.Edf"] != by_policy["latest"]
    about = json.loads((output / "about.json").read_text())
    assert {item["policy"]: item["family"] for item in about["policies"]} == {
        "fcfs": "rule",
        "latest": "yours",
        "python:mine.Edf": "yours",
        "python:mine.Twice": "yours",
    }
    report = (output / "report.md").read_text()
    assert "has the least UXCost" in report
    assert "DREAM" not in report
    capsys.readouterr()
    limits = ["--seeds", "2", "--seconds", "0.05", "--limit", "0", "--generations", "1"]
    assert main(["bounds", "--suite", suite, *limits]) == 0
    assert "latest" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Banana", "Fruit"])
def test_a_family_that_there_is_not_is_refused_before_the_work(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="family: 'banana' is none"):
        make_player(f"python:mine.{name}", folder=folder)


def test_a_players_own_settings_are_part_of_what_it_is(folder: Path) -> None:
    (folder.parent / "weights.txt").write_text("one")
    player = make_player("python:mine.Weighted", folder=folder)
    before = player.settings
    assert before["own"] == {"weights": "one"}
    (folder.parent / "weights.txt").write_text("two")
    assert player.settings == {**before, "own": {"weights": "two"}}
    with pytest.raises(ConfigError, match="settings: cannot be written as JSON"):
        _ = make_player("python:mine.Unsaid", folder=folder).settings


def test_a_resumed_benchmark_does_not_keep_what_other_settings_gave(folder: Path) -> None:
    """Whatever a file that the player reads has become meanwhile."""
    (folder / "mine.yaml").write_text(SUITE.replace("python:mine.Twice", "python:mine.Weighted"))
    suite = load_suite(folder / "mine.yaml").with_seeds(1)
    policies, played = [make_policy(spec) for spec in suite.policies], []
    parts = Parts(folder.parent / "parts")
    for weights in ("one", "one", "two"):
        (folder.parent / "weights.txt").write_text(weights)
        run_benchmark(suite, policies, parts=parts)
        played.append(len(list((folder.parent / "parts").iterdir())))
    assert played[0] == played[1] < played[2]


@pytest.mark.parametrize(
    ("name", "error"), [("Leaves", ConfigError), ("LeavesToo", SchedulerError)]
)
def test_one_that_exits_ends_no_process(folder: Path, name: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"(as edf|LeavesToo).*SystemExit"):
        make_player(f"python:mine.{name}", folder=folder).run(CELL, 1, 0.2)
