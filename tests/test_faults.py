"""What goes wrong on real machines: full disks, killed runs, broken caches, two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import pytest

import dream_gym.envs  # noqa: F401 - registers the environments
from dream_gym.cli import main
from dream_gym.errors import EnvStateError

pytestmark = pytest.mark.compiled

CODE = (
    "import dream_gym; "
    "print(repr(dream_gym.simulate('ar_call', '4k_2ws', 'edf', seconds=0.2, load=2).uxcost))"
)


def start(cache: Path, code: str = CODE) -> subprocess.Popen[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def output(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out


def test_compiled_code_may_be_written_by_two_at_once_and_damaged_later(tmp_path: Path) -> None:
    cold = [start(tmp_path), start(tmp_path)]
    first, second = map(output, cold)
    assert first == second
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".nbi", ".nbc")]
    assert len(files) > 4
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert output(start(tmp_path)) == first


@pytest.mark.parametrize("name", ["DreamRTMM-v0", "DreamRTMM-Dispatch-v0"])
def test_a_closed_environment_is_not_stepped_but_may_be_reset(name: str) -> None:
    env = gym.make(f"dream_gym:{name}").unwrapped
    env.close()
    with pytest.raises(EnvStateError, match="reset"):
        env.step(env.action_space.sample())
    env.reset(seed=1)
    env.close()
    env.close()
    with pytest.raises(EnvStateError, match="reset"):
        env.step(env.action_space.sample())
    env.reset(seed=1)
    env.step(env.action_space.sample())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error(capfd: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "ar_call", "--platform", "4k_2ws", "--scheduler", "fcfs"]
    assert main([*command, "--seconds", "0.1", "--json", "/dev/full"]) == 2
    assert "error: /dev/full: cannot be written: No space left on device" in capfd.readouterr().err


def test_no_space_left_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "outcome.json"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dream_gym.files.os.replace", full)
    command = ["simulate", "ar_call", "--platform", "4k_2ws", "--scheduler", "fcfs"]
    assert main([*command, "--seconds", "0.1", "--json", str(path)]) == 2
    assert "No space left" in capfd.readouterr().err
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_killed_in_the_middle_of_training_leaves_whole_files(tmp_path: Path) -> None:
    from dream_gym.players import make_player
    from dream_gym.players.run_folder import RunFolder

    root = Path(__file__).parents[1]
    run = tmp_path / "run"
    command = [sys.executable, "train.py", "--suite", "demo", "--timesteps", "200000"]
    process = subprocess.Popen(
        [*command, "--output", str(run)], cwd=root, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(run.glob("last-*.safetensors")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    make_player(f"agent:{run}")
    kept = RunFolder.open(run)
    for record in (kept.card.best, kept.card.last):
        assert record is not None
        assert kept.tensors(record), "raises an error where a bit differs"
