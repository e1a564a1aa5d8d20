"""Real, short runs of evolution strategies: they learn, are interrupted, resumed and played."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tyro

pytest.importorskip("torch")
pytest.importorskip("cma")

from dream_gym import Cell, simulate
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.players.run_folder import RunFolder
from dream_gym.schedulers.learned.weights import read_weights
from tests.agents.refusing import refusal
from train import Arguments, _begin

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).parents[2]
SMALL = """
learned:
  n_timesteps: 12
  population: 6
  worlds: 4
  step_size: 0.5
  environment: {episode_seconds: 0.2, scenario: xrbench_ar_gaming, platform: 4k_2ws, load: 2.5}
"""


def train(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("es")
    (folder / "small.yaml").write_text(SMALL)
    done = train("--algo", "es", "--hyperparameters", "small.yaml", "--output", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_learns(trained: Path) -> None:
    card = RunFolder.open(trained / "run").card
    costs = [each.uxcost for each in card.evaluations]
    assert len(costs) == 12
    assert min(costs[4:]) < 0.9 * costs[0]
    assert card.best is not None
    assert card.best.timesteps == 1 + int(np.argmin(costs))
    assert list((trained / "run").glob("tensorboard_*/events*"))


def test_what_plays_is_the_best_checkpoint(trained: Path) -> None:
    run = RunFolder.open(trained / "run")
    path = run.path_of(run.playable)
    cell = Cell(scenario="xrbench_ar_gaming", platform="4k_2ws", load=2.5)
    player = make_player(f"agent:{trained / 'run'}")
    assert player.name == "es (run)"
    played = player.run(cell, 5, 0.3)
    alone = simulate(
        "xrbench_ar_gaming", "4k_2ws", f"learned:{path}", seconds=0.3, seed=5, load=2.5
    )
    assert played.summary() == alone.summary()
    about = read_weights(path)[0].about
    assert about["rounds"] == run.playable.timesteps
    assert about["seed"] == 0


def test_a_damaged_checkpoint_is_one_error(trained: Path, tmp_path: Path) -> None:
    run = RunFolder.open(trained / "run")
    content = bytearray(run.path_of(run.playable).read_bytes())
    content[-1] ^= 1
    (tmp_path / "card.json").write_bytes((trained / "run" / "card.json").read_bytes())
    (tmp_path / run.playable.file).write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged"):
        make_player(f"agent:{tmp_path}")


def test_a_run_that_was_interrupted_ends_where_one_at_a_stretch_does(
    trained: Path, tmp_path: Path
) -> None:
    words = ["--algo", "es", "--hyperparameters", str(trained / "small.yaml"), "--output", "run"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    while not list((tmp_path / "run").glob("last-*.safetensors")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    before = RunFolder.open(tmp_path / "run").card
    assert before.last is not None
    assert before.last.timesteps < 12
    done = train("--resume", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mine, whole = RunFolder.open(tmp_path / "run"), RunFolder.open(trained / "run")
    assert mine.card.evaluations == whole.card.evaluations
    last, other = (run.path_of(run.card.last) for run in (mine, whole))  # type: ignore[arg-type]
    weights = [read_weights(path)[0].parameters for path in (last, other)]
    assert np.array_equal(*weights)


def test_hidden_units_grow_from_trained_weights(trained: Path, tmp_path: Path) -> None:
    run = RunFolder.open(trained / "run")
    changes = [
        f"start={run.path_of(run.playable)}",
        "hidden=3",
        "strategy=openai",
        "n_timesteps=1",
        "step_size=1.0e-6",
        "learning_rate=1.0e-6",
    ]
    words = [word for change in changes for word in ("--hyper", change)]
    given = ["--hyperparameters", str(trained / "small.yaml"), "--output", "run"]
    done = train("--algo", "es", *given, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wide = RunFolder.open(tmp_path / "run")
    assert wide.card.hyperparameters["population"] == 6, "of the file"
    cell = Cell(scenario="xrbench_ar_gaming", platform="4k_2ws", load=2.5)
    old, new = (make_player(f"agent:{folder / 'run'}") for folder in (trained, tmp_path))
    assert new.run(cell, 1, 0.3).uxcost == old.run(cell, 1, 0.3).uxcost
    assert read_weights(wide.path_of(wide.playable))[0].hidden == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reward", "dense"], "reward"),
        (["--objective", "speed"], "objective"),
        (["--environment", "DreamRTMM-v0"], "es learns in learned"),
        (["--hyper", "start=shipped:nobody"], "no such weights"),
        (["--hyper", "start=nowhere.safetensors"], "nowhere.safetensors"),
        (["--hyper", "population=5"], "population"),
        (["--hyper", "worlds"], "--hyper: expected KEY=VALUE"),
        (["--generated", "0"], "--generated"),
        (["--generated", "3", "--load", "2"], "leave them out"),
        (["--generated", "3", "--suite", "demo"], "--generated"),
        (["--suite", "stress", "--scenario", "ar_cal"], "did you mean ar_call"),
    ],
)
def test_bad_arguments_give_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    assert words in refusal(["--algo", "es", *arguments, "--output", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()


def test_a_suite_may_be_narrowed_to_a_scenario(tmp_path: Path) -> None:
    begun = ["--algo", "es", "--suite", "stress", "--scenario", "ar_call", "--timesteps", "1"]
    small = [word for each in ("worlds=1", "population=4") for word in ("--hyper", each)]
    folder = _begin(tyro.cli(Arguments, args=[*begun, *small, "--output", str(tmp_path / "run")]))
    arguments = RunFolder.open(folder).card.environment_arguments
    assert "scenario" not in arguments
    assert len(arguments["cells"]) == 24
    assert {cell["scenario"] for cell in arguments["cells"]} == {"ar_call"}
    assert len({cell["load"] for cell in arguments["cells"]}) > 10


def test_damaged_state_is_not_resumed(trained: Path, tmp_path: Path) -> None:
    for path in (trained / "run").iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / card["resume"]["file"]).write_bytes(b"no pickle")
    done = train("--resume", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "is damaged" in done.stderr
