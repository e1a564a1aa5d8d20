"""Tasks in parallel processes, whose outcomes outlive an interruption."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, Protocol

from dream_gym.files import write_text


class Job(Protocol):
    """What tasks have in common; it is sent to each process once."""

    def key(self, task: Any) -> Any:
        """All that the outcome of a task depends on, ready for JSON."""

    def run(self, task: Any) -> Any:
        """The outcome of a task, ready for JSON."""


@dataclass(frozen=True)
class Parts:
    """Outcomes of tasks, kept in a folder under what they depend on, so that none is stale.

    Args:
        folder: The folder; None keeps nothing.
    """

    folder: Path | None

    def read(self, key: Any) -> Any:
        """The outcome under a key; None if there is none, or its file is damaged."""
        if self.folder is None:
            return None
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, key: Any, outcome: Any) -> None:
        """Keep an outcome; a crash leaves the file whole or not there at all."""
        if self.folder is not None:
            write_text(self._path(key), json.dumps(outcome))

    def clear(self) -> None:
        """Forget all."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: Any) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{digest}.json"


@contextmanager
def processes(job: Job, workers: int) -> Iterator[Executor | None]:
    """Processes for the tasks of a job; None where one worker, this process, does all.

    An error or an interruption gives up what was not yet begun.
    """
    if workers == 1:
        yield None
        return
    context = get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(job,))
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def run_tasks(
    job: Job,
    tasks: Sequence[Any],
    pool: Executor | None,
    *,
    parts: Parts,
    on_done: Callable[[Any], None] = lambda task: None,
) -> list[Any]:
    """Run tasks, but for those whose outcomes are kept.

    Args:
        job: What they have in common.
        tasks: The tasks.
        pool: What `processes` gave for the job.
        parts: Where outcomes are kept as they come.
        on_done: Called with each task that is done, in any order.

    Returns:
        The outcomes, in the order of the tasks, whoever was first.
    """
    keys = [job.key(task) for task in tasks]
    outcomes = [parts.read(key) for key in keys]
    todo = [index for index, outcome in enumerate(outcomes) if outcome is None]
    for index, outcome in enumerate(outcomes):
        if outcome is not None:
            on_done(tasks[index])

    def keep(index: int, outcome: Any) -> None:
        parts.write(keys[index], outcome)
        outcomes[index] = outcome
        on_done(tasks[index])

    if pool is None:
        for index in todo:
            keep(index, job.run(tasks[index]))
    else:
        futures = {pool.submit(_run, tasks[index]): index for index in todo}
        for future in as_completed(futures):
            keep(futures[future], future.result())
    return outcomes


_job: Job
"""The job of this process, if it is a worker."""


def _begin(job: Job) -> None:
    global _job
    _job = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody reads what the worker of a killed parent does."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _run(task: Any) -> Any:
    return _job.run(task)
