"""Run folders: whole after any kill, nothing believed that is not on record, nothing unpickled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dream_gym.errors import ConfigError
from dream_gym.players import checkpoint, make_player, run_folder
from dream_gym.players.checkpoint import pack
from dream_gym.players.run_folder import RunCard, RunFolder

CARD = {
    "schema": 2,
    "loader": "sb3",
    "algorithm": "ppo",
    "environment": "DreamRTMM-v0",
    "environment_arguments": {},
    "environment_digest": "0" * 64,
    "sizes": {"models": 5, "accelerators": 3},
    "hyperparameters": {"n_timesteps": 10, "n_envs": 1, "policy": "MlpPolicy"},
    "timesteps": 100,
    "seed": 0,
    "command": "python train.py",
    "versions": {"python": "3"},
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", RunCard.model_validate(CARD))


def numbers(value: float) -> bytes:
    return pack({"weights": np.full(3, value, dtype=np.float32)})


def names(run: RunFolder) -> set[str]:
    return {path.name for path in run.path.iterdir() if not path.name.startswith(".")}


def test_the_best_and_the_last_are_kept_and_no_others(run: RunFolder) -> None:
    for steps, uxcost in ((10, 3.0), (20, 1.0), (30, 2.0)):
        run.save(numbers(steps), b"state", steps, uxcost)
    assert names(run) == {
        "card.json",
        "evaluations.csv",
        "best-20.safetensors",
        "last-30.safetensors",
        "resume-30.zip",
    }
    again = RunFolder.open(run.path)
    assert again.card == run.card
    assert again.playable.timesteps == 20
    assert again.tensors(again.playable)["weights"].tolist() == [20.0] * 3
    assert (
        run.path / "evaluations.csv"
    ).read_text() == "timesteps,uxcost\n10,3.0\n20,1.0\n30,2.0\n"
    run.save(numbers(40), b"state", 40)  # without an evaluation
    assert RunFolder.open(run.path).playable.timesteps == 20
    assert len(run.card.evaluations) == 3


def test_files_of_others_stay(run: RunFolder) -> None:
    decoys = [run.path / name for name in ("best-x.safetensors", "last.zip", "mine.safetensors")]
    for path in decoys:
        path.write_text("precious")
    run.save(numbers(1), b"state", 10, 1.0)
    run.save(numbers(2), b"state", 20, 0.5)
    assert all(path.read_text() == "precious" for path in decoys)


@pytest.mark.parametrize("stop_at", range(5))
def test_a_kill_at_any_write_leaves_the_run_before_or_after(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    """The writes of a save: best, last, what is resumed from, the card, the table."""
    run.save(numbers(1), b"one", 10, 2.0)
    before = run.card
    writes = 0

    def dying(write: Any) -> Any:
        def call(*arguments: Any) -> None:
            nonlocal writes
            if writes == stop_at:
                raise KeyboardInterrupt
            writes += 1
            write(*arguments)

        return call

    monkeypatch.setattr(checkpoint, "write_bytes", dying(checkpoint.write_bytes))
    monkeypatch.setattr(run_folder, "write_text", dying(run_folder.write_text))
    with pytest.raises(KeyboardInterrupt):
        run.save(numbers(2), b"two", 20, 1.0)
    monkeypatch.undo()
    found = RunFolder.open(run.path)
    assert found.card.best is not None
    assert (
        found.card.best.timesteps
        == min(found.card.evaluations, key=lambda each: each.uxcost).timesteps
    ), "never behind the evaluations"
    if stop_at < 4:
        assert found.card == before
    for record in (found.card.best, found.card.last):
        assert record is not None
        assert found.tensors(record)["weights"][0] == record.timesteps / 10
    found.save(numbers(3), b"three", 30, 0.5)
    assert names(found) == {
        "card.json",
        "evaluations.csv",
        "best-30.safetensors",
        "last-30.safetensors",
        "resume-30.zip",
    }


def test_every_flipped_bit_is_noticed(run: RunFolder) -> None:
    run.save(numbers(1), b"state", 10, 1.0)
    path = run.path / "best-10.safetensors"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, 8 * len(whole), size=40).tolist():
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(bytes(damaged))
        with pytest.raises(ConfigError, match=r"best-10.safetensors: is damaged"):
            run.tensors(run.playable)
    path.unlink()
    with pytest.raises(ConfigError, match=r"best-10.safetensors: cannot be read"):
        run.tensors(run.playable)


def test_a_checkpoint_on_record_that_is_none_is_one_error(run: RunFolder) -> None:
    run.save(numbers(1), b"state", 10, 1.0)
    content = b"a pickle, perhaps"
    record = checkpoint.write_file(run.path, "best-10.safetensors", content, 10)
    with pytest.raises(ConfigError, match="not a safetensors file"):
        run.tensors(record)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"loader": None}, "loader"),
        ({"sizes": {"models": "many"}}, "sizes"),
        ({"environment": "CartPole-v1"}, "environment"),
        ({"best": {"file": "../../x", "sha256": "0" * 64, "timesteps": 1}}, "best.file"),
        ({"best": {"file": "x", "sha256": "0", "timesteps": 1}}, "best.sha256"),
        ({"schema": 1}, "schema"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_malformed_card_names_its_field(
    run: RunFolder, change: dict[str, Any], told: str
) -> None:
    (run.path / "card.json").write_text(json.dumps({**CARD, **change}))
    with pytest.raises(ConfigError, match=rf"card.json: {told}"):
        RunFolder.open(run.path)


def test_what_is_no_run_folder_says_so(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a run folder"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="holds a run already"):
        RunFolder.create(run.path, run.card)
    with pytest.raises(ConfigError, match="has no checkpoint yet"):
        make_player(f"agent:{run.path}")
    for text in ("{", "[]"):
        (run.path / "card.json").write_text(text)
        with pytest.raises(ConfigError, match=r"card\.json: "):
            RunFolder.open(run.path)
    shutil.move(run.path / "card.json", run.path / "run.yaml")
    with pytest.raises(ConfigError, match=r"run\.yaml: is of an earlier version"):
        make_player(f"agent:{run.path}")
    with pytest.raises(ConfigError, match="holds a run already"):
        RunFolder.create(run.path, run.card)
