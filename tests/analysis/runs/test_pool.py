"""The pool: outcomes whoever is killed, errors of tasks, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dream_gym.analysis.runs.parts import NOTHING_KEPT, keep_parts
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.errors import ConfigError, DreamGymError


class Unportable(Exception):
    """Cannot be made again from what pickle keeps of it."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


@dataclass
class Doubling:
    """Doubles numbers; some tasks end their process so many times, or raise an error."""

    folder: Path
    deadly: dict[int, int]

    def key(self, task: int) -> Any:
        return ["double", task]

    def run(self, task: int) -> Any:
        notes = self.folder / f"{task}.deaths"
        deaths = len(notes.read_text()) if notes.exists() else 0
        if deaths < self.deadly.get(task, 0):
            notes.write_text("x" * (deaths + 1))
            os.kill(os.getpid(), signal.SIGKILL)
        if task == 100:
            raise ConfigError("tasks: 100 is too many")
        if task == 101:
            raise Unportable(1, 2)
        return 2 * task


def test_a_killed_worker_is_replaced_and_its_task_done_again(tmp_path: Path) -> None:
    job, done = Doubling(tmp_path, {1: 1, 4: 1}), []
    with processes(job, 2) as pool:
        assert run_tasks(
            job, range(6), pool, parts=NOTHING_KEPT, on_done=done.append
        ) == [0, 2, 4, 6, 8, 10]  # fmt: skip
        assert sorted(done) == list(range(6))
        assert run_tasks(job, [7], pool, parts=NOTHING_KEPT) == [14], "the pool goes on"


def test_a_task_that_kills_twice_is_one_error_and_the_others_are_kept(tmp_path: Path) -> None:
    job = Doubling(tmp_path, {5: 2})
    with (
        pytest.raises(DreamGymError, match=r"ended twice during the same task \(signal 9\)"),
        keep_parts(tmp_path / "parts") as parts,
        processes(job, 2) as pool,
    ):
        run_tasks(job, range(6), pool, parts=parts)
    assert len(list((tmp_path / "parts").iterdir())) >= 4
    with keep_parts(tmp_path / "parts") as parts, processes(job, 2) as pool:
        assert run_tasks(job, range(6), pool, parts=parts) == [0, 2, 4, 6, 8, 10]
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize(
    ("task", "error", "words"),
    [(100, ConfigError, "^tasks: 100 is too many$"), (101, RuntimeError, "^Unportable: 1 2$")],
)
def test_an_error_of_a_task_is_that_of_the_caller(
    task: int, error: type[Exception], words: str, tmp_path: Path
) -> None:
    job = Doubling(tmp_path, {})
    with pytest.raises(error, match=words), processes(job, 2) as pool:
        run_tasks(job, [task], pool, parts=NOTHING_KEPT)


SCRIPT = """
import os, sys, time
from dream_gym.analysis.runs.parts import NOTHING_KEPT
from dream_gym.analysis.runs.pool import processes, run_tasks

class Sleeping:
    def key(self, task):
        return task

    def run(self, task):
        print(os.getpid(), flush=True)
        time.sleep(600)

if __name__ == "__main__":
    job = Sleeping()
    with processes(job, 2) as pool:
        run_tasks(job, [1, 2], pool, parts=NOTHING_KEPT)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    pipe = subprocess.PIPE
    parent = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    assert parent.stdout is not None
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # as a terminal does: to all
    else:
        parent.send_signal(how)
    errors = parent.communicate(timeout=60)[1]
    assert errors.count("Traceback") == (how == signal.SIGINT), "the parent's own"
    deadline = time.monotonic() + 20
    while any(is_alive(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
