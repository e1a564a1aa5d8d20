"""A command is killed at some moment, run again, and must come to what it does undisturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
"""How long processes may outlive their parent: a worker that compiles looks up now and then."""
TIMESTEPS = 1600
SUITE = """
schema: 1
name: tiny
cells:
  - {scenario: ar_social, platform: 4k_1ws_2os, load: 1.2}
  - {scenario: ar_call, platform: 4k_2ws, load: 3}
policies:
  - {scheduler: fcfs}
  - {scheduler: dream_mapscore, tune: {grid: {alpha: [0, 2]}, seeds: 2, seconds: 0.5}}
seeds: 10
seconds: 0.5
"""


@dataclass(frozen=True)
class Command:
    """A command that is killed.

    Args:
        words: Its words after the interpreter; it runs in a folder that holds ``suite.yaml``.
        outcome: The files that it is run for.
    """

    words: tuple[str, ...]
    outcome: tuple[str, ...]

    def again(self, folder: Path) -> tuple[str, ...]:
        """What to run after a kill."""
        return self.words

    def check(self, folder: Path, whole: Path) -> None:
        """Compare its result with that of an undisturbed run."""
        for name in self.outcome:
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
        assert files(folder) == files(whole)


class Training(Command):
    """A training run; its worlds are others after it was resumed, so only its shape is the same."""

    def again(self, folder: Path) -> tuple[str, ...]:
        """Resume it, if it had begun."""
        begun = (folder / "run" / "card.json").exists()
        return (self.words[0], "--resume", "run") if begun else self.words

    def check(self, folder: Path, whole: Path) -> None:
        """No evaluation is lost or torn, and the checkpoints are the best and the last."""
        from dream_gym.players.run_folder import RunFolder

        run = RunFolder.open(folder / "run")
        best, last, resume = run.card.best, run.card.last, run.card.resume
        assert best is not None
        assert last is not None
        assert resume is not None
        steps = [each.timesteps for each in run.card.evaluations]
        assert steps == sorted(set(steps))
        assert best.timesteps == min(run.card.evaluations, key=lambda each: each.uxcost).timesteps
        assert last.timesteps == resume.timesteps == steps[-1] >= TIMESTEPS
        for record in (best, last):
            assert run.tensors(record)
        named = {record.file for record in (best, last, resume)}
        kept = {path.name for path in run.path.iterdir() if path.suffix in (".zip", ".safetensors")}
        assert kept == named
        assert not [name for name in files(folder) if ".dream_gym" in name]


def dream_gym(*words: str) -> tuple[str, ...]:
    """The words of a command of dream-gym."""
    return ("-m", "dream_gym_command", *words)


COMMANDS = {
    "benchmark": Command(
        dream_gym("benchmark", "--suite", "suite.yaml", "--workers", "2", "--output", "out"),
        ("out/table.csv", "out/about.json", "out/report.md", "out/runs.parquet"),
    ),
    "tune": Command(
        dream_gym(
            *("tune", "--scheduler", "dream_plus", "--scenario", "ar_call", "--load", "3"),
            *("--platform", "4k_2ws", "--search-for", "patience", "--seeds", "2"),
            *("--seconds", "0.3", "--evaluations", "12", "--workers", "2", "--output", "best.yaml"),
        ),
        ("best.yaml",),
    ),
    "bounds": Command(
        dream_gym(
            *("bounds", "--suite", "windows", "--scenario", "ar_call", "--platform", "4k_2ws"),
            *("--load", "3", "--seeds", "4", "--seconds", "0.15", "--limit", "0"),
            *("--generations", "5", "--workers", "2", "--page", "page.md"),
        ),
        ("page.md",),
    ),
    "calibrate": Command(
        dream_gym(
            *("calibrate", "--scenarios", "ar_social", "--platforms", "4k_2ws", "4k_2os"),
            *("--workers", "2", "--output", "table.csv"),
        ),
        ("table.csv",),
    ),
    "train": Training(
        (
            *(str(ROOT / "train.py"), "--load", "1.3", "--episode-seconds", "0.5"),
            *("--timesteps", str(TIMESTEPS), "--output", "run"),
        ),
        ("run/evaluations.csv",),
    ),
}


def run(command: tuple[str, ...], folder: Path) -> subprocess.Popen[str]:
    """Start a command in a session of its own, so that all its processes can be found."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(command: tuple[str, ...], folder: Path) -> None:
    """Run a command to its end, which must be good."""
    process = run(command, folder)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors


def session(leader: int) -> list[int]:
    """The living processes of a session, see ``man 5 proc``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(number) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found


def workers_of(leader: int) -> list[int]:
    """The workers of a command: those of its processes that multiprocessing has spawned."""
    found = []
    for process in session(leader):
        try:
            words = Path(f"/proc/{process}/cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if process != leader and "spawn_main" in words:
            found.append(process)
    return sorted(found)


def files(folder: Path) -> set[str]:
    """All files in a folder; a kill may leave empty folders."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@dataclass
class Rehearsal:
    """A command that ran undisturbed.

    Args:
        command: The command.
        folder: An empty folder to work in.
    """

    command: Command
    folder: Path

    def __post_init__(self) -> None:
        self.whole = self._fresh("whole")
        began = time.monotonic()
        finish(self.command.words, self.whole)
        self.seconds = time.monotonic() - began

    def kill(self, seed: int) -> str:
        """Kill it, or one of its workers, at a moment that follows from a seed; check the rest.

        Returns:
            What was done, and what became of it.
        """
        draw = random.Random(seed)
        moment = draw.uniform(0, self.seconds)
        how = draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        whom = draw.choice(["parent", "worker"])
        place = self._fresh(f"killed{seed}")
        process = run(self.command.words, place)
        time.sleep(moment)
        workers = workers_of(process.pid) if whom == "worker" else []
        whom = "worker" if workers else "parent"
        with suppress(ProcessLookupError):
            os.kill(draw.choice(workers or [process.pid]), how)
        errors = process.communicate()[1]
        status = process.returncode
        told = f"{how.name} to {whom} after {moment:.1f} s: status {status}"
        ends = {-9, -15, 130} if whom == "parent" else set()
        python_itself = how == signal.SIGINT and "dream_gym" not in errors  # it had just started
        assert python_itself or status in {0, *ends}, f"{told}\n{errors}"
        assert python_itself or "Traceback" not in errors, f"{told}\n{errors}"
        deadline = time.monotonic() + PATIENCE_S
        while left := session(process.pid):
            assert time.monotonic() < deadline, f"{told}; left behind: {left}"
            time.sleep(0.05)
        if status != 0:
            finish(self.command.again(place), place)
        self.command.check(place, self.whole)
        shutil.rmtree(place)
        return told

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        (folder / "suite.yaml").write_text(SUITE)
        return folder
