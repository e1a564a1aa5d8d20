"""Real, short training runs: started, interrupted, resumed, and played."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

from dream_gym.errors import ConfigError
from dream_gym.files import locked
from dream_gym.players import make_player
from dream_gym.players.run_folder import RunFolder
from dream_gym.simulator import Cell
from tests.agents.refusing import refusal

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).parents[2]
SHORT = ["--episode-seconds", "0.5", "--load", "1.3"]
JITTER = ["--jitter", "0.02"]
SMALL = """
DreamRTMM-Dispatch-v0:
  n_timesteps: 512
  n_envs: 4
  policy: MlpPolicy
  n_steps: 64
  batch_size: 64
  n_epochs: 1
  environment: {decision: block, max_slots: 4, episode_seconds: 0.05}
"""
SCENARIO = """
schema: 1
name: mine
models:
  - {name: spotting, network: kws_res8, rate: 60}
  - {name: gaze, network: fbnet_c, rate: 60}
"""
SUITE = """
schema: 1
name: mine
cells:
  - {scenario: mine_scenario.yaml, platform: 4k_2ws, load: 2.5}
  - {scenario: ar_call, platform: 4k_1ws_2os, load: 3, expiry: firm, jitter: 0.1}
policies: [edf, fcfs]
seeds: 3
seconds: 0.1
"""


def train(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ppo"
    decoys = (folder / "parts" / "mine", folder / ".mine.zip", folder.parent / "last.zip")
    for decoy in decoys:
        decoy.parent.mkdir(parents=True, exist_ok=True)
        decoy.write_text("precious")
    stray = folder / "last.zip"
    stray.write_text("of another run: it must not make this one trained")
    done = train(*SHORT, *JITTER, "--timesteps", "1600", "--seed", "3", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert all(decoy.read_text() == "precious" for decoy in decoys)
    assert {path.name for path in folder.parent.iterdir()} == {"ppo", "last.zip"}
    assert [path.name for path in folder.glob(".*")] == [".mine.zip"], "no temporary files stay"
    return folder


def test_a_run_folder_describes_itself(run: Path) -> None:
    card = RunFolder.open(run).card
    assert (card.algorithm, card.environment, card.seed) == ("ppo", "DreamRTMM-v0", 3)
    assert card.environment_arguments == {"load": 1.3, "jitter": 0.02, "episode_seconds": 0.5}
    assert card.hyperparameters["n_steps"] == 100
    assert card.versions["torch"]
    assert "train.py --episode-seconds 0.5" in card.command
    assert list(run.glob("tensorboard_*/events*"))
    assert card.last is not None
    assert card.last.timesteps == card.evaluations[-1].timesteps == 1600
    best = min(card.evaluations, key=lambda each: each.uxcost)
    assert card.best is not None
    assert card.best.timesteps == best.timesteps
    assert len(card.evaluations) == 20


def test_training_is_repeatable(run: Path, tmp_path: Path) -> None:
    again = tmp_path / "b"
    done = train(*SHORT, *JITTER, "--timesteps", "1600", "--seed", "3", "--output", str(again))
    assert done.returncode == 0, done.stderr
    assert RunFolder.open(again).card.evaluations == RunFolder.open(run).card.evaluations


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_resumed(how: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["train.py", *SHORT, "--timesteps", "4000", "--output", str(folder)]
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    while not list(folder.glob("last-*.safetensors")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(how)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"python train.py --resume {folder}" in output
    before = RunFolder.open(folder).card
    assert before.resume is not None
    assert 0 < before.resume.timesteps < 4000
    done = train("--resume", str(folder))
    assert done.returncode == 0, done.stderr
    after = RunFolder.open(folder).card
    assert after.last is not None
    assert after.last.timesteps >= 4000
    kept = len(before.evaluations)
    assert after.evaluations[:kept] == before.evaluations


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite of one's own, and an agent that was trained on all of it."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "in").mkdir()
    (folder / "in" / "mine_scenario.yaml").write_text(SCENARIO)
    (folder / "in" / "mine.yaml").write_text(SUITE)
    (folder / "small.yaml").write_text(SMALL)
    words = ["--algo", "maskable_ppo", "--hyperparameters", "small.yaml", "--suite", "in/mine.yaml"]
    done = train(*words, "--output", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_masked_agent_is_trained_on_all_cells_of_a_suite(workshop: Path) -> None:
    card = RunFolder.open(workshop / "run").card
    cells = card.environment_arguments["cells"]
    assert [Path(cell["scenario"]).name for cell in cells] == ["mine_scenario.yaml", "ar_call"]
    assert Path(cells[0]["scenario"]).is_absolute()
    assert cells[0]["jitter"] == 0.05, "it draws nothing"
    assert {**cells[1]} == {
        "scenario": "ar_call",
        "platform": "4k_1ws_2os",
        "load": 3.0,
        "expiry": "firm",
        "jitter": 0.1,
    }
    assert card.environment_arguments["max_slots"] == 4
    assert card.sizes["accelerators"] == 3
    assert len(card.evaluations) >= 2


def test_it_is_resumed_and_played_by_a_benchmark(workshop: Path) -> None:
    path = workshop / "run" / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "timesteps": card["timesteps"] + 512}))
    done = train("--resume", "run", cwd=workshop)
    assert done.returncode == 0, done.stderr
    last = RunFolder.open(workshop / "run").card.last
    assert last is not None
    assert last.timesteps >= 1024
    command = [sys.executable, "-m", "dream_gym", "benchmark", "--suite", "in/mine.yaml"]
    done = subprocess.run(
        [*command, "--agent", "run", "--output", "out", "--workers", "2"],
        cwd=workshop,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "maskable_ppo (run)" in (workshop / "out" / "report.md").read_text()


def test_playing_unpickles_nothing(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    import torch

    cell = Cell(scenario="ar_call", platform="4k_2ws", load=2.0)
    before = make_player(f"agent:{workshop / 'run'}").run(cell, 1, 0.05)  # imports what it needs

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("unpickled")

    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(module, name, refuse)
    pickles = list((workshop / "run").glob("resume-*.zip"))
    assert pickles
    for path in pickles:
        path.write_bytes(b"would raise")
    again = make_player(f"agent:{workshop / 'run'}").run(cell, 1, 0.05)
    assert again.summary() == before.summary()


def test_an_agent_that_does_not_fit_is_named_with_the_cell(workshop: Path, run: Path) -> None:
    player = make_player(f"agent:{workshop / 'run'}")
    cell = Cell(scenario="ar_social", platform="4k_1ws_2os")
    told = r"maskable_ppo \(run\): does not fit ar_social on 4k_1ws_2os, load 1, which has 5 models"
    with pytest.raises(ConfigError, match=told):
        player.run(cell, 0, 0.05)
    card = json.loads((run / "card.json").read_text())
    other = workshop / "other"
    other.mkdir()
    for path in run.glob("*.safetensors"):
        (other / path.name).write_bytes(path.read_bytes())
    (other / "card.json").write_text(json.dumps({**card, "environment_digest": "0" * 64}))
    with pytest.raises(ConfigError, match="was trained on other observations or actions"):
        make_player(f"agent:{other}").run(cell, 0, 0.5)


def test_other_versions_do_not_resume(run: Path, tmp_path: Path) -> None:
    card = json.loads((run / "card.json").read_text())
    card["versions"]["torch"] = "1.0"
    (tmp_path / "card.json").write_text(json.dumps(card))
    done = train("--resume", str(tmp_path))
    assert done.returncode == 2
    assert "was begun with torch 1.0" in done.stderr


def test_any_argument_of_the_environment_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "ppo.yaml").write_text(
        "DreamRTMM-v0: {n_timesteps: 64, n_envs: 2, policy: MlpPolicy, n_steps: 16, "
        "batch_size: 16, environment: {interval_ms: 50, tunables: [alpha], load: 2}}"
    )
    words = ["--hyperparameters", "ppo.yaml", "--env", "tunables=[patience, beta]", "--env"]
    done = train(*words, "episode_seconds=0.2", "--output", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert RunFolder.open(tmp_path / "run").card.environment_arguments == {
        "interval_ms": 50,
        "tunables": ["patience", "beta"],
        "load": 2,
        "episode_seconds": 0.2,
    }


def test_a_run_may_be_resumed_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SCENARIO)
    (tmp_path / "ppo.yaml").write_text(
        "DreamRTMM-v0: {n_timesteps: 32, n_envs: 1, policy: MlpPolicy, n_steps: 16, batch_size: 16}"
    )
    words = ["--hyperparameters", "ppo.yaml", "--env", "scenario=[drone_indoor, own.yaml]"]
    done = train(*words, "--episode-seconds", "0.5", "--output", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = train("--resume", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    done = train("--resume", str(tmp_path / "own.yaml"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "not a run folder" in done.stderr


def test_two_do_not_train_one_run(run: Path) -> None:
    with locked(run):
        done = train("--resume", str(run))
    assert done.returncode == 2
    assert "another run is at work there" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--algo", "ppp"], "did you mean ppo"),
        (["--environment", "DreamRTMM-Dispatch-v0"], "ppo learns in DreamRTMM-v0, not in"),
        (["--scenario", "nowhere"], "'nowhere'"),
        (["--seed", "-1"], "seed"),
        (["--resume", "no/such/run"], "not a run folder"),
        (["--hyperparameters", "none.yaml"], "none.yaml"),
        (["--hyperparameters", ""], "agents: ''"),
        (["--timesteps", "0"], "timesteps"),
        (["--env", "tunables"], "expected KEY=VALUE"),
        (["--env", "tunable=[alpha]"], "tunable"),
        (["--suite", "demo", "--load", "2"], "leave them out"),
        (["--algo", "dqn", "--env", "observation=dict"], "observation: dqn needs box"),
        (["--hyperparameters", "policy_kwargs: {net_arch: [-3]}"], "hyperparameters: ppo"),
        (["--hyperparameters", "device: nowhere"], "hyperparameters: ppo"),
        (["--hyperparameters", "policy: MultiInputPolicy"], "hyperparameters: ppo"),
        (["--hyperparameters", "gamma: hello"], "gamma"),
        (["--hyperparameters", "batch_size: 0"], "batch_size"),
        (["--hyperparameters", "surprise: 1"], "surprise"),
    ],
)
def test_bad_arguments_give_one_line_and_leave_nothing(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    if arguments[0] == "--hyperparameters" and ": " in arguments[1]:
        name, _, value = arguments[1].partition(": ")
        usual = {"n_timesteps": "64", "n_envs": "1", "policy": "MlpPolicy", name: value}
        lines = "".join(f"  {name}: {value}\n" for name, value in usual.items())
        (tmp_path / "mine.yaml").write_text(f"DreamRTMM-v0:\n{lines}")
        arguments = ["--hyperparameters", str(tmp_path / "mine.yaml")]
    assert words in refusal([*arguments, "--output", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()


def test_an_error_is_one_line(tmp_path: Path) -> None:
    done = train("--timesteps", "0", "--output", str(tmp_path / "run"))
    assert done.returncode == 2
    assert done.stderr == f"error: {refusal(['--timesteps', '0'])}\n"


def test_a_run_is_not_overwritten(run: Path) -> None:
    done = train(*SHORT, "--output", str(run))
    assert done.returncode == 2
    assert "holds a run already" in done.stderr
