"""Real, short training runs: started, interrupted, resumed, and loaded again."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytest.importorskip("stable_baselines3")

from dream_gym.analysis.agents import load_agent, make_agent_env, play, read_checkpoint
from dream_gym.errors import ConfigError
from dream_gym.workload import evaluation_seeds

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).parents[2]
SHORT = ["--episode-seconds", "0.5", "--load", "1.3"]


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ppo"
    done = train(*SHORT, "--timesteps", "1600", "--seed", "3", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_folder_describes_itself(run):
    card = yaml.safe_load((run / "run.yaml").read_text())
    assert card["algorithm"] == "ppo"
    assert card["environment"] == "DreamRTMM-v0"
    assert card["environment_arguments"]["load"] == 1.3
    assert card["hyperparameters"]["n_steps"] == 100
    assert card["versions"]["torch"]
    assert card["command"].startswith("python train.py --episode-seconds 0.5")
    assert {"best.zip", "last.zip", "evaluations.csv"} <= {path.name for path in run.iterdir()}
    assert list(run.glob("tensorboard_*/events*"))
    assert not list(run.glob(".*")), "no temporary files stay"


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


def test_training_is_repeatable(run, tmp_path):
    done = train(*SHORT, "--timesteps", "1600", "--seed", "3", "--output", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    evaluations = [folder / "evaluations.csv" for folder in (run, tmp_path / "b")]
    assert evaluations[0].read_text() == evaluations[1].read_text()


def test_an_interrupted_run_is_saved_and_resumed(tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "train.py", *SHORT, "--timesteps", "8000", "--output", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while not (folder / "evaluations.csv").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
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
