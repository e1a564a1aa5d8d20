"""The planner is better than its scheduler, and knows no more than it may."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import dream_gym
from dream_gym import Cell
from dream_gym.analysis.suites.suite import PolicySpec
from dream_gym.errors import ConfigError
from dream_gym.players import make_player, short_name
from dream_gym.simulator import Result, Simulation
from dream_gym.workload import RecordedFrames, write_recording

pytestmark = pytest.mark.compiled

CELL = Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.3)
"""Nothing is drawn but which frames of `face_detection` trigger one of `face_verification`."""
SECONDS = 0.4
QUICK: dict[str, Any] = {"placement": "eft", "futures": 6, "ahead_ms": 60}


def play(seed: int, cell: Cell = CELL, seconds: float = SECONDS, **options: Any) -> Result:
    player = make_player("rollout:edf", {**QUICK, **options})
    return player.run(cell, seed, seconds, record=True)


def triggers(simulation: Simulation, seed: int) -> list[bool]:
    """Of each frame that would be due, whether it exists."""
    simulation.reset(seed=seed, seconds=SECONDS)
    recorded: RecordedFrames = simulation.recording()["face_verification"]
    return list(recorded.triggered == 1)


def twins(agree: int) -> tuple[int, int]:
    """Two seeds of equally many frames, that agree on so many triggers and on none that follows."""
    simulation = CELL.simulation()
    seen: dict[tuple[bool, ...], int] = {}
    for seed in range(10_000):
        drawn = triggers(simulation, seed)
        other = (*drawn[:agree], *(not each for each in drawn[agree:]))
        if sum(other) == sum(drawn) and other in seen:
            return seen[other], seed
        seen[tuple(drawn)] = seed
    raise AssertionError("no twins")


def until_told_apart(first: Result, second: Result, agree: int) -> tuple[list[Any], list[Any]]:
    """What two runs dispatched before the first trigger in which their worlds differ was drawn."""
    model = list(first.frame_count).index("face_detection")
    ends = []
    for result in (first, second):
        assert result.frames is not None
        rows = result.frames[(result.frames["model"] == model) & (result.frames["frame"] >= agree)]
        ends.append(int(rows["end_ns"].min()))
    parts = []
    for result in (first, second):
        assert result.timeline is not None
        parts.append(result.timeline[result.timeline["start_ns"] < min(ends)].tolist())
    assert min(len(part) for part in parts) > 300
    return parts[0], parts[1]


def test_it_decides_by_what_is_revealed_and_no_more() -> None:
    agree = 7
    one, other = twins(agree)
    mine, theirs = until_told_apart(play(one), play(other), agree)
    assert mine == theirs
    first, second = (play(seed, clairvoyant="yes") for seed in (one, other))
    mine, theirs = until_told_apart(first, second, agree)
    assert mine != theirs


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_better_than_its_scheduler(seed: int) -> None:
    base = dream_gym.simulate(
        "ar_social", "4k_1ws_2os", "edf", load=1.3, seed=seed, seconds=SECONDS, placement="eft"
    )
    assert play(seed).uxcost < 0.9 * base.uxcost


@pytest.mark.parametrize(
    "cell", [CELL, Cell(scenario="vr_gaming", platform="4k_2ws", load=1.5, jitter=0.3)]
)
def test_one_who_knows_all_to_the_end_does_no_worse(cell: Cell) -> None:
    base = make_player("edf")
    for seed in range(3):
        options = {"clairvoyant": "yes", "ahead_ms": 1000, "placement": "idle"}
        planned = play(seed, cell, 0.15, **options)
        assert planned.uxcost <= base.run(cell, seed, 0.15).uxcost


def test_where_nothing_is_drawn_it_knows_all() -> None:
    cell = Cell(scenario="drone_outdoor", platform="4k_1ws_2os", load=3.08)
    drawn, known = (play(0, cell, 0.1, clairvoyant=each) for each in ("no", "yes"))
    assert drawn.timeline is not None
    assert known.timeline is not None
    assert drawn.timeline.tolist() == known.timeline.tolist()


def test_a_run_depends_on_its_arguments_only() -> None:
    player = make_player("rollout:edf", QUICK)
    once = player.run(CELL, 5, 0.2)
    player.run(CELL, 6, 0.1)
    assert player.run(CELL, 5, 0.2) == once
    copy = pickle.loads(pickle.dumps(player))
    assert (copy.name, copy.settings) == (player.name, player.settings)
    assert copy.run(CELL, 5, 0.2) == once
    given: dict[str, Any] = {"load": 1.3, "seed": 5, "seconds": 0.2}
    place: tuple[Any, ...] = ("ar_social", "4k_1ws_2os", "rollout:edf")
    assert dream_gym.simulate(*place, **given, validate=True, **QUICK) == once
    later = dream_gym.simulate(*place, **given, decision_ns=100_000, **QUICK)
    assert later.dispatches < once.dispatches


def test_the_steps_in_which_a_run_is_made_do_not_matter() -> None:
    player: Any = make_player("rollout:edf", QUICK)
    simulation = CELL.simulation(player.engine(CELL.workload, CELL.hardware))
    simulation.parameters[: len(player.parameters)] = player.parameters
    simulation.reset(seed=5, seconds=0.2)
    simulation._events = 1  # each call comes back after one decision
    for until_ns in range(0, simulation.horizon_ns, 7_000_001):
        simulation.advance(until_ns)
    simulation.advance(simulation.horizon_ns)
    assert simulation.result() == player.run(CELL, 5, 0.2)


def test_what_it_tells_about_itself() -> None:
    spec = PolicySpec(scheduler="rollout:edf", options={"choices": 5, "placement": "eft"})
    player = spec.player()
    assert player.name == spec.title == "rollout:edf"
    assert player.family == "ours"
    settings = json.loads(json.dumps(player.settings))
    assert settings["scheduler"] == "rollout:edf"
    assert settings["options"]["choices"] == 5
    assert settings["base"]["options"] == {"placement": "eft"}
    assert short_name("rollout:tuned:some/best.yaml") == "rollout:best.yaml"
    base = make_player("rollout:shipped:generalist").settings["base"]
    assert base == make_player("shipped:generalist").settings


@pytest.mark.parametrize(
    ("reference", "options", "told"),
    [
        ("rollout:edff", {}, "did you mean edf"),
        ("rollout:", {}, "is no built-in scheduler"),
        ("rollout:tuned:none.yaml", {}, "none.yaml"),
        ("rollout:python:mine.Edf", {}, "only compiled schedulers"),
        ("rollout:agent:runs/one", {}, "only compiled schedulers"),
        ("rollout:rollout:edf", {}, "only compiled schedulers"),
        ("rollout:edf", {"choice": 3}, "choice: no option of .* did you mean choices"),
        ("rollout:edf", {"alpha": 1.0}, "alpha: no option of the planner or of edf"),
        ("rollout:edf", {"choices": 1}, "choices: .*2"),
        ("rollout:edf", {"futures": 1}, "futures: .*2"),
        ("rollout:edf", {"ahead_ms": 0}, "ahead_ms"),
        ("rollout:edf", {"clairvoyant": "perhaps"}, "clairvoyant: .*no"),
        ("rollout:edf", {"placement": "there"}, "edf: placement"),
    ],
)
def test_what_is_no_planner_is_one_error(
    reference: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        make_player(reference, options)


def test_a_recording_has_no_other_future(tmp_path: Any) -> None:
    file = tmp_path / "world.csv"
    export = Simulation(CELL.workload, CELL.hardware, None)
    export.reset(seed=1, seconds=0.1)
    write_recording(file, export.recording())
    replayed = CELL.workload.model_copy(update={"recording": file})
    place: tuple[Any, ...] = (replayed, CELL.hardware, "rollout:edf")
    with pytest.raises(ConfigError, match=r"replays .*world\.csv, so no other future can be drawn"):
        dream_gym.simulate(*place, seconds=0.1)
    known = dream_gym.simulate(*place, seconds=0.1, clairvoyant="yes")
    assert np.isfinite(known.uxcost)
