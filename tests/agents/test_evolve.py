"""Real, short runs of genetic programming: it improves, is interrupted, resumed and played."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from agents.algorithms.evolve import ALGORITHM, START, EvolveLearner
from agents.worlds import Run, Worlds
from dream_gym import Cell, simulate
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.players.run_folder import RunCard, RunFolder
from dream_gym.schedulers import EVOLVED
from dream_gym.schedulers.evolved.expressions import parameters_of, parse
from dream_gym.schedulers.evolved.machine import LENGTH, OF_FRAME
from dream_gym.schedulers.evolved.scheduler import find_rule
from dream_gym.schedulers.learned.features import PRICE
from dream_gym.schedulers.learned.network import HEADER
from dream_gym.simulator import Floats

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).parents[2]
SMALL = """
evolved:
  n_timesteps: 8
  population: 12
  survivors: 4
  worlds: 3
  most_tokens: 20
  environment: {episode_seconds: 0.2, scenario: xrbench_ar_gaming, platform: 4k_2ws, load: 2.5}
"""


def train(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evolve")
    (folder / "small.yaml").write_text(SMALL)
    words = ["--algo", "evolve", "--hyperparameters", "small.yaml", "--output", "run"]
    done = train(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_improves_on_its_start(trained: Path) -> None:
    card = RunFolder.open(trained / "run").card
    costs = [each.uxcost for each in card.evaluations]
    assert len(costs) == 8
    place = {"scenario": "xrbench_ar_gaming", "platform": "4k_2ws", "load": 2.5}
    worlds = Worlds(place, EVOLVED)
    assert min(costs) < 0.6 * min(worlds.select(parameters_of(parse(rule), 0.1)) for rule in START)
    assert card.best is not None
    assert card.best.timesteps == 1 + int(np.argmin(costs))
    assert list((trained / "run").glob("tensorboard_*/events*"))


def test_what_plays_is_the_best_rule(trained: Path) -> None:
    run = RunFolder.open(trained / "run")
    path = run.path_of(run.playable)
    assert path.suffix == ".json"
    cell = Cell(scenario="xrbench_ar_gaming", platform="4k_2ws", load=2.5)
    player = make_player(f"agent:{trained / 'run'}")
    assert player.name == "evolve (run)"
    alone = simulate(
        "xrbench_ar_gaming", "4k_2ws", f"evolved:{path}", seconds=0.3, seed=5, load=2.5
    )
    assert player.run(cell, 5, 0.3).summary() == alone.summary()
    file = find_rule(str(path))
    assert len(file.program) <= 20
    assert file.about["generations"] == run.playable.timesteps
    assert {each.name for each in (trained / "run").glob("best-*")} == {path.name}


def test_a_run_that_was_interrupted_ends_where_one_at_a_stretch_does(
    trained: Path, tmp_path: Path
) -> None:
    words = ["--algo", "evolve", "--hyperparameters", str(trained / "small.yaml")]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words, "--output", "run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    while not list((tmp_path / "run").glob("last-*.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    before = RunFolder.open(tmp_path / "run").card
    assert before.last is not None
    assert before.last.timesteps < 8
    done = train("--resume", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mine, whole = RunFolder.open(tmp_path / "run"), RunFolder.open(trained / "run")
    assert mine.card.evaluations == whole.card.evaluations
    assert mine.card.resume == whole.card.resume, "the whole population, bit for bit"


class MadeUp:
    """Stands in for `Worlds`: they are hard or easy, and a rule that names `price` costs less."""

    def __init__(self) -> None:
        self._hardness = 0.0
        self._random = np.random.default_rng()

    def draw(self, random: np.random.Generator, count: int) -> list[Run]:
        self._random, self._hardness = random, 20.0 * random.random()
        return []

    def train(self, points: list[Floats], runs: list[Run]) -> Floats:
        noise = 0.3 * self._random.standard_normal(len(points))
        return np.array([-self.named(point) for point in points]) + self._hardness + noise

    def named(self, point: Floats) -> int:
        tokens = point[HEADER:].reshape(-1, 2)[: int(point[LENGTH])].tolist()
        return tokens.count([OF_FRAME, PRICE])


def learner(folder: Path, state: bytes | None = None, **changes: Any) -> EvolveLearner:
    content = {
        "schema": 2,
        "loader": "evolved",
        "algorithm": "evolve",
        "environment": "evolved",
        "environment_arguments": {"scenario": "ar_call", "platform": "4k_2ws"},
        "environment_digest": "",
        "sizes": {},
        "hyperparameters": {
            "n_timesteps": 30,
            "population": 20,
            "survivors": 6,
            "worlds": 1,
            "most_tokens": 20,
            "parsimony": 0.01,
            **changes,
        },
        "timesteps": 30,
        "seed": 3,
        "command": "",
        "versions": {},
    }
    card = RunCard.model_validate(content)
    made = ALGORITHM.begin(card, folder) if state is None else ALGORITHM.resume(card, folder, state)
    made._worlds = MadeUp()  # type: ignore[assignment]
    made._log.note = lambda *figures: None  # type: ignore[method-assign]
    return made


def test_worlds_that_are_hard_or_easy_do_not_mislead_it(tmp_path: Path) -> None:
    search = learner(tmp_path)
    search.learn(30, lambda: True)
    assert search.timesteps == 30
    names = [rule.program.count("price") for rule in search._rules]
    assert search._best.program.count("price") >= max(names) - 1
    assert max(names) >= 6
    assert all(len(rule.program) <= 20 for rule in search._rules)
    assert len({rule.program for rule in search._rules}) == 20
    assert max(rule.generations for rule in search._rules) > 3, "the best remain"
    judged = [rule.judged for rule in search._rules if rule.generations > 1]
    counts = [rule.program.count("price") for rule in search._rules if rule.generations > 1]
    assert np.corrcoef(judged, counts)[0, 1] < -0.9
    again = learner(tmp_path)
    again.learn(13, lambda: True)
    resumed = learner(tmp_path, again.state())
    resumed.learn(30, lambda: True)
    assert resumed.state() == search.state()
    assert resumed.checkpoint() == search.checkpoint()


@pytest.mark.parametrize("state", [b"no JSON", b"{}", b'{"rules": [{}], "generations": 1}'])
def test_a_damaged_state_is_one_error(state: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be resumed"):
        learner(tmp_path, state)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"survivors": 20}, "survivors: expected fewer than the population of 20, got 20"),
        ({"start": "nowhere.json"}, "nowhere.json: cannot be read"),
        ({"start": "shipped:nobody"}, "no such rule"),
        ({"start": "LONG"}, "start: has 21 tokens, more than 20"),
        ({"most_tokens": 200}, "most_tokens"),
        ({"strategy": "cma"}, "strategy: no such key"),
    ],
)
def test_bad_hyperparameters_are_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    long = tmp_path / "long.json"
    long.write_text('{"schema": 1, "rule": "late%s"}' % (" + late" * 10))
    if changes.get("start") == "LONG":
        changes = {"start": str(long)}
    with pytest.raises(ConfigError, match=words):
        learner(tmp_path, **changes)


def test_a_rule_to_begin_with_is_in_the_population(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"schema": 1, "rule": "price + 0.125 * hold"}')
    search = learner(tmp_path, start=str(own))
    assert parse("price + 0.125 * hold") in [rule.program for rule in search._rules]
