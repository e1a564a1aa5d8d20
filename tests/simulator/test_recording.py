from __future__ import annotations

import numpy as np
import pytest

import dream_gym
from dream_gym.errors import ConfigError
from dream_gym.hardware import load_platform
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Simulation
from dream_gym.workload import Scenario, load_scenario, read_recording, write_recording

PLATFORM = "4k_1ws_2os"


def record(scenario: Scenario, path, *, seed: int, seconds: float) -> None:
    """Write the world of a seed to a file."""
    simulation = Simulation(scenario, load_platform(PLATFORM), get_scheduler("fcfs").engine)
    simulation.reset(seed=seed, seconds=seconds)
    write_recording(path, simulation.recording())


def jittery(name: str):
    """A scenario whose roots have jitter and phases."""
    scenario = load_scenario(name)
    models = tuple(
        model if model.depends_on else model.model_copy(update={"jitter_ms": 3.0, "phase_ms": 1.5})
        for model in scenario.models
    )
    return scenario.model_copy(update={"models": models})


@pytest.mark.parametrize("scenario", ["ar_social", "vr_gaming", "xrbench_ar_assistant"])
@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_a_recorded_world_gives_the_same_run_under_any_seed(scenario, expiry, tmp_path):
    path = tmp_path / "world.csv"
    record(jittery(scenario), path, seed=5, seconds=2.0)
    arguments = {"seconds": 2.0, "expiry": expiry, "record": True}
    drawn = dream_gym.simulate(jittery(scenario), PLATFORM, "edf", seed=5, **arguments)
    replayed = load_scenario(scenario).model_copy(update={"recording": path})
    again = dream_gym.simulate(replayed, PLATFORM, "edf", seed=77, **arguments)
    assert (again.timeline == drawn.timeline).all()
    assert (again.frames == drawn.frames).all()
    assert again.uxcost == drawn.uxcost
    other = dream_gym.simulate(jittery(scenario), PLATFORM, "edf", seed=77, **arguments)
    assert len(other.timeline) != len(drawn.timeline) or (other.timeline != drawn.timeline).any()


def test_export_reads_back_exactly(tmp_path):
    record(load_scenario("ar_social"), tmp_path / "a.csv", seed=3, seconds=1.0)
    write_recording(tmp_path / "b.csv", read_recording(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_irregular_releases_and_absent_frames(tmp_path):
    # Period 33.3 ms. Frame 1 was not captured; frames 2 and 3 come in one burst. A deadline
    # counts from the time, as no nominal time is given.
    path = tmp_path / "burst.csv"
    path.write_text(
        "model,frame,time_ns,triggered\n"
        "context,0,1000000,1\ncontext,1,30000000,0\n"
        "context,2,70000000,1\ncontext,3,70000000,1\ncontext,4,400000000,1\n"
    )
    scenario = load_scenario("ar_social")
    only = scenario.model_copy(update={"models": scenario.models[-1:], "recording": path})
    result = dream_gym.simulate(only, PLATFORM, "fcfs", seconds=0.4, record=True)
    period_ns = 33_333_333
    found = sorted(result.frames[["frame", "release_ns", "deadline_ns"]].tolist())
    assert found == [
        (0, 1_000_000, 1_000_000 + period_ns),
        (2, 70_000_000, 70_000_000 + period_ns),
        (3, 70_000_000, 70_000_000 + period_ns),
    ]  # frame 4 is due after the horizon
    assert result.frame_count == {"context": 3}
    assert result.violation_rate == {"context": 0.0}


def test_models_that_are_not_recorded_are_drawn(tmp_path):
    path = tmp_path / "part.csv"
    record(load_scenario("ar_social"), path, seed=5, seconds=1.0)
    recording = read_recording(path)
    write_recording(path, {"face_verification": recording["face_verification"]})
    scenario = load_scenario("ar_social").model_copy(update={"recording": path})
    counts = [
        dream_gym.simulate(scenario, PLATFORM, "fcfs", seconds=1.0, seed=seed).frame_count
        for seed in range(3)
    ]
    expected = dream_gym.simulate("ar_social", PLATFORM, "fcfs", seconds=1.0, seed=5).frame_count
    assert all(count == expected for count in counts)
    assert expected["face_verification"] == np.sum(recording["face_verification"].triggered)


def test_load_must_be_one(tmp_path):
    record(load_scenario("ar_call"), tmp_path / "a.csv", seed=0, seconds=0.5)
    scenario = load_scenario("ar_call").model_copy(update={"recording": tmp_path / "a.csv"})
    with pytest.raises(ConfigError, match="load: a recorded scenario runs at load 1"):
        dream_gym.simulate(scenario, PLATFORM, "fcfs", seconds=0.5, load=1.2)


GOOD = "model,frame,time_ns,triggered,nominal_ns\na,0,5,1,0\na,1,9,0,7\nb,0,3,1,\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("triggered", "trigger", "line 1: column 'triggered' is missing"),
        ("a,1,9", "a,2,9", "line 3: frame: expected 1"),
        ("a,1,9", "a,1,-9", "line 3: time_ns"),
        ("a,1,9", "a,1,nan", "line 3: time_ns"),
        ("a,1,9", "a,1,1e3", "line 3: time_ns"),
        ("a,1,9", "a,1,4", "line 3: "),
        ("9,0,7", "9,2,7", "line 3: triggered"),
        ("9,0,7", "9,0,12", "line 3: nominal_ns"),
        ("9,0,7", "4,0,", "line 3: time_ns: earlier than the frame before it"),
        ("9,0,7", "9", "line 3: expected 5 values"),
        ("9,0,7", "9,0,7,8", "line 3: expected 5 values"),
        ("9,0,7", "1_0,0,7", "line 3: time_ns"),
        ("9,0,7", "9" * 10000 + ",0,7", "line 3: time_ns"),
        ("nominal_ns", "time_ns", "line 1: column 'time_ns' is there twice"),
    ],
)
def test_malformed_recordings_name_line_and_column(old, new, words, tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(GOOD)
    assert read_recording(path)["a"].nominal_ns.tolist() == [0, 7]
    assert read_recording(path)["b"].nominal_ns.tolist() == [3]
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words) as caught:
        read_recording(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"model\n"])
def test_files_that_are_no_recordings(content, tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"r\.csv"):
        read_recording(path)


def test_unknown_model_is_named(tmp_path):
    (tmp_path / "r.csv").write_text(GOOD)
    scenario = load_scenario("ar_call").model_copy(update={"recording": tmp_path / "r.csv"})
    with pytest.raises(ConfigError, match=r"r\.csv: model: 'a' is not in ar_call"):
        dream_gym.simulate(scenario, PLATFORM, "fcfs", seconds=0.5)
