"""Real, short training runs: started, interrupted, resumed, and loaded again."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

pytest.importorskip("stable_baselines3")

from dream_gym.errors import ConfigError
from dream_gym.files import locked
from dream_gym.players.agent import (
    load_agent,
    make_agent_env,
    make_cell_env,
    play,
    read_checkpoint,
)
from dream_gym.simulator import Cell
from dream_gym.workload import evaluation_seeds

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).parents[2]
SHORT = ["--episode-seconds", "0.5", "--load", "1.3"]
JITTER = ["--jitter", "0.02"]


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ppo"
    for decoy in (folder / "parts" / "mine", folder / ".mine.zip", folder.parent / "last.zip"):
        decoy.parent.mkdir(parents=True, exist_ok=True)
        decoy.write_text("precious")
    done = train(*SHORT, *JITTER, "--timesteps", "1600", "--seed", "3", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_folder_describes_itself(run):
    card = yaml.safe_load((run / "run.yaml").read_text())
    assert card["algorithm"] == "ppo"
    assert card["environment"] == "DreamRTMM-v0"
    assert card["environment_arguments"]["load"] == 1.3
    assert card["environment_arguments"]["jitter"] == 0.02
    assert card["hyperparameters"]["n_steps"] == 100
    assert card["versions"]["torch"]
    assert card["command"].startswith("python train.py --episode-seconds 0.5")
    assert {"best.zip", "last.zip", "evaluations.csv"} <= {path.name for path in run.iterdir()}
    assert list(run.glob("tensorboard_*/events*"))
    assert [path.name for path in run.glob(".*")] == [".mine.zip"], "no temporary files stay"
    assert {path.name for path in run.parent.iterdir()} == {"ppo", "last.zip"}
    for decoy in (run / "parts" / "mine", run / ".mine.zip", run.parent / "last.zip"):
        assert decoy.read_text() == "precious"


def test_the_best_checkpoint_is_that_of_the_best_evaluation(run):
    with (run / "evaluations.csv").open() as file:
        rows = [(int(steps), float(uxcost)) for steps, uxcost in csv.reader(file)]
    assert rows[-1][0] == 1600
    best_steps = min(rows, key=lambda row: row[1])[0]
    model, _ = read_checkpoint(run / "best.zip", "ppo")
    assert model.num_timesteps == best_steps


def test_a_loaded_agent_plays_the_same_episode_twice(run):
    agent = load_agent(run)
    env = make_agent_env(agent.card)
    seed = evaluation_seeds(1)[0]
    first = play(env, agent, seed, record=True)
    assert first.seed == seed
    assert (play(env, agent, seed, record=True).timeline == first.timeline).all()


def test_an_agent_plays_the_worlds_of_the_cell_and_not_of_its_training(run):
    cell = Cell(scenario="drone_indoor", platform="4k_1ws_2os", load=2.0)
    card = load_agent(run).card
    assert card.environment_arguments["jitter"] == 0.02
    env = make_cell_env(card, cell, 0.2).unwrapped
    worlds = []
    for seed in (0, 1):
        env.reset(seed=seed)
        worlds.append({m: r.release_ns.tolist() for m, r in env.simulation.recording().items()})
    assert worlds[0] == worlds[1], "the cell has no jitter"


def test_training_is_repeatable(run, tmp_path):
    again = str(tmp_path / "b")
    done = train(*SHORT, *JITTER, "--timesteps", "1600", "--seed", "3", "--output", again)
    assert done.returncode == 0, done.stderr
    evaluations = [folder / "evaluations.csv" for folder in (run, tmp_path / "b")]
    assert evaluations[0].read_text() == evaluations[1].read_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_resumed(how, tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "train.py", *SHORT, "--timesteps", "8000", "--output", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while not (folder / "evaluations.csv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"python train.py --resume {folder}" in output
    saved = read_checkpoint(folder / "last.zip", "ppo")[0].num_timesteps
    assert 0 < saved < 8000
    done = train("--resume", str(folder))
    assert done.returncode == 0, done.stderr
    assert read_checkpoint(folder / "last.zip", "ppo")[0].num_timesteps >= 8000


def test_sac_trains(tmp_path):
    done = train(
        "--algo", "sac", *SHORT, "--timesteps", "1200", "--output", str(tmp_path / "sac")
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert load_agent(tmp_path / "sac").card.algorithm == "sac"


def test_a_run_that_was_killed_before_its_row_makes_up_for_it(run, tmp_path):
    """As after a kill between the last checkpoint and its row, which here is torn."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    rows = (run / "evaluations.csv").read_text().splitlines(keepends=True)
    (folder / "evaluations.csv").write_text("".join(rows[:-1]) + rows[-1][:-3])
    done = train("--resume", str(folder))
    assert done.returncode == 0, done.stderr
    steps, uxcosts = zip(*csv.reader((folder / "evaluations.csv").open()), strict=True)
    assert [",".join(row) + "\n" for row in zip(steps, uxcosts, strict=True)][:-1] == rows[:-1]
    assert int(steps[-1]) == 1600
    (folder / "evaluations.csv").write_text("100,1.5\nnonsense\n")
    done = train("--resume", str(folder))
    assert done.returncode == 2
    assert "evaluations.csv: line 2: expected steps,uxcost" in done.stderr


def test_the_row_of_an_evaluation_comes_last(run, tmp_path, monkeypatch):
    """So no kill leaves a row whose checkpoint is missing."""
    from agents import callbacks
    from dream_gym.players.agent import BEST, LAST, read_card

    model, normalizer = read_checkpoint(run / "best.zip", "ppo")
    selection = callbacks.SelectionCallback(read_card(run), tmp_path, normalizer)
    selection.init_callback(model)
    written = []
    monkeypatch.setattr(callbacks, "play", lambda *_: SimpleNamespace(uxcost=1.0))
    monkeypatch.setattr(callbacks, "write_checkpoint", lambda path, *_: written.append(path.name))
    monkeypatch.setattr(callbacks, "write_text", lambda path, text: written.append(path.name))
    selection.record()
    selection.record()
    assert written == [LAST, BEST, "evaluations.csv", LAST]


def test_two_do_not_train_one_run(run):
    with locked(run):
        done = train("--resume", str(run))
    assert done.returncode == 2
    assert "another run is at work there" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--algo", "dqn"], "agents: 'dqn'"),
        (["--scenario", "nowhere"], "'nowhere'"),
        (["--seed", "-1"], "seed"),
        (["--resume", "no/such/run"], "not a run folder"),
        (["--hyperparameters", "none.yaml"], "none.yaml"),
        (["--hyperparameters", ""], "agents: ''"),
        (["--timesteps", "0"], "timesteps"),
    ],
)
def test_bad_arguments_give_one_line_and_leave_nothing(arguments, words, tmp_path):
    done = train(*arguments, "--output", str(tmp_path / "run"))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten(run):
    done = train(*SHORT, "--output", str(run))
    assert done.returncode == 2
    assert "holds a run already" in done.stderr


def test_a_truncated_checkpoint_is_named(run, tmp_path):
    whole = (run / "best.zip").read_bytes()
    (tmp_path / "run.yaml").write_text((run / "run.yaml").read_text())
    (tmp_path / "best.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"best\.zip: not a readable checkpoint"):
        load_agent(tmp_path)
