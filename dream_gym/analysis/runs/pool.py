"""Tasks in parallel processes: one that is killed is replaced, and all end with their parent."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import Any, Protocol

from dream_gym.analysis.runs.parts import Parts
from dream_gym.errors import DreamGymError

ATTEMPTS = 2
"""A task fails when it has lost this many processes."""


class Job(Protocol):
    """What tasks have in common; it is sent to each process once."""

    def key(self, task: Any) -> Any:
        """All that the outcome of a task depends on, ready for JSON."""

    def run(self, task: Any) -> Any:
        """The outcome of a task, ready for JSON; not None."""


class Pool:
    """Processes for the tasks of a job; see `processes`.

    Args:
        job: The job.
        most: How many processes there may be.
    """

    def __init__(self, job: Job, most: int) -> None:
        self._job = job
        self._most = most
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []

    def run(self, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield index and outcome of each task as it is done.

        Raises:
            DreamGymError: A task lost its process twice.
            Exception: What a task raised.
        """
        waiting = deque(range(len(tasks)))
        losses: Counter[int] = Counter()
        busy: dict[Any, tuple[_Worker, int]] = {}  # by pipe
        self._start(min(self._most, len(tasks)) - len(self._idle))
        while waiting or busy:
            while waiting and self._idle:
                worker, index = self._idle.pop(), waiting.popleft()
                worker.send(tasks[index])
                busy[worker.pipe] = worker, index
            for pipe in connection.wait(list(busy)):
                worker, index = busy.pop(pipe)
                try:
                    outcome, error, told = worker.pipe.recv()
                except (EOFError, OSError):
                    how = worker.lost()
                    self._workers.remove(worker)
                    losses[index] += 1
                    if losses[index] == ATTEMPTS:
                        raise _lost(how) from None
                    self._start(1)
                    waiting.appendleft(index)
                    continue
                self._idle.append(worker)
                if error is not None:
                    raise error from _InWorker(told)
                yield index, outcome

    def close(self) -> None:
        """End all processes at once, whatever they are doing."""
        for worker in self._workers:
            worker.end()

    def _start(self, count: int) -> None:
        workers = [_Worker() for _ in range(count)]
        self._workers.update(workers)
        for worker in workers:
            worker.send(self._job)  # once all have started: a large job waits for its reader
        self._idle += workers


@contextmanager
def processes(job: Job, workers: int) -> Iterator[Pool | None]:
    """Processes for the tasks of a job; None if one worker, this process, does everything."""
    if workers == 1:
        yield None
        return
    pool = Pool(job, workers)
    try:
        yield pool
    finally:
        pool.close()


def run_tasks(
    job: Job,
    tasks: Sequence[Any],
    pool: Pool | None,
    *,
    parts: Parts,
    on_done: Callable[[Any], None] = lambda task: None,
) -> list[Any]:
    """Run tasks, except for those whose outcomes are kept.

    Args:
        job: What they have in common.
        tasks: The tasks.
        pool: What `processes` returned for the job.
        parts: Where outcomes are kept as they come.
        on_done: Called with each task that is done, in any order.

    Returns:
        The outcomes, in the order of the tasks, whichever finished first.

    Raises:
        DreamGymError: A task lost its process twice.
    """
    keys = [job.key(task) for task in tasks]
    outcomes = [parts.read(key) for key in keys]
    todo = [index for index, outcome in enumerate(outcomes) if outcome is None]
    for index, outcome in enumerate(outcomes):
        if outcome is not None:
            on_done(tasks[index])
    left = [tasks[index] for index in todo]
    for place, outcome in enumerate(map(job.run, left)) if pool is None else pool.run(left):
        index = todo[place]
        parts.write(keys[index], outcome)
        outcomes[index] = outcome
        on_done(tasks[index])
    return outcomes


class _InWorker(Exception):
    """The traceback of an error in another process."""


class _Worker:
    """A process that first gets the job, then tasks, and answers each."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _interrupts_held_back():
            self._process.start()
        theirs.close()

    def send(self, what: Any) -> None:
        """Send the job or a task; a dead process is noticed when its answer is read."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(what)

    def lost(self) -> str:
        """How it ended by itself."""
        self._process.join(timeout=1)
        self.end()
        code = self._process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _lost(how: str) -> DreamGymError:
    return DreamGymError(
        f"a worker process ended twice during the same task ({how}): perhaps memory is short, and "
        "fewer workers need less; finished work is kept, and the same command resumes it"
    )


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes that start here never see Ctrl-C, which is for the parent; that sees it later."""
    held: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    own = threading.current_thread() is threading.main_thread() and handler is not None
    resource_tracker.ensure_running()  # its start would end the blocking
    if own:
        signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    if sys.platform != "win32":
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if own:
            signal.signal(signal.SIGINT, handler)
        if held:
            signal.raise_signal(signal.SIGINT)


def _serve(pipe: connection.Connection) -> None:
    """Be a worker until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has ended
        job = pipe.recv()
        while True:
            task = pipe.recv()
            try:
                pipe.send((job.run(task), None, ""))
            except Exception as error:
                pipe.send((None, _portable(error), traceback.format_exc()))


def _end_with_parent() -> None:
    """End once the parent was killed: nobody would read the answers."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """The error, or its text if it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
