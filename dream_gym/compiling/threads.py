"""Work on many items in threads: compiled, in small pieces, and waiting without being busy.

`numba.prange` hands each thread an equal part and waits for all of them in a busy barrier, so one
core that somebody else uses stalls the whole; it dies after a fork; and under some threading layers
two threads cannot enter it at once. Here the caller and some helpers take small pieces, each the
next one, until there are none left. The caller waits only for helpers that are at work, never for
one that has not woken up yet: alone it makes progress, too, so nothing can lock up.

The helpers are shared by the whole process: they are made when they are first wanted, sleep while
there is nothing to do, and end with the process. A forked child makes its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import lower_builtin, type_callable
from numpy.typing import NDArray

from dream_gym.compiling.jit import inlined

Pieces = NDArray[np.int64]
"""[3] the first item that nobody has taken, the number of items, and how many a piece has."""
_NEXT, _ITEMS, _SIZE = range(3)


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@inlined
def take(pieces: Pieces) -> tuple[int, int]:
    """The next piece, for compiled code: its first item and the one behind its last.

    The two are the same, or the first is greater, if there is no piece left.
    """
    first = _take_first(pieces)
    return first, min(first + int(pieces[_SIZE]), int(pieces[_ITEMS]))


def _take_first(pieces: Pieces) -> int:
    first = int(pieces[_NEXT])
    pieces[_NEXT] += pieces[_SIZE]
    return first


@type_callable(_take_first)  # type: ignore[untyped-decorator]
def _type_of_first(context: Any) -> Callable[..., types.Integer]:
    return lambda pieces: types.int64


@lower_builtin(_take_first, types.Array)  # type: ignore[untyped-decorator]
def _lower_take_first(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    words = context.make_array(signature.args[0])(context, builder, value=arguments[0]).data
    size = builder.load(builder.gep(words, [context.get_constant(types.intp, _SIZE)]))
    return builder.atomic_rmw("add", words, size, "monotonic")  # of the word _NEXT, the first


def run_in_threads(
    work: Callable[..., None], *arguments: Any, items: int, piece: int, threads: int
) -> None:
    """Run compiled work on all items, in several threads at once.

    Args:
        work: An entry point, called as ``work(pieces, *arguments)`` by each thread. It does
            ``first, stop = take(pieces)`` and then the items from ``first`` to ``stop - 1``, over
            and over while ``first < stop``. Items must not depend on each other: which thread
            does which, and when, is left to chance.
        *arguments: Its other arguments.
        items: Number of items.
        piece: Items of a piece. It should take some 10 µs: much less is spent on taking it, and
            what a thread that is held up has in hand is little.
        threads: The most threads, the caller's included; 1 starts none.
    """
    pieces = np.array([0, items, piece], dtype=np.int64)
    helpers = min(threads, -(-items // piece)) - 1
    if helpers < 1 or numba.config.DISABLE_JIT:  # interpreted code cannot run at once anyway
        work(pieces, *arguments)
        return
    job = _Job(lambda: work(pieces, *arguments), helpers)
    try:
        _crew.offer(job)
        job.work()
    finally:
        _crew.withdraw(job)
    if job.error is not None:
        raise job.error


class _Job:
    """Work that helpers may join until it is withdrawn; the crew's lock guards its numbers."""

    def __init__(self, work: Callable[[], None], wanted: int) -> None:
        self.work = work
        self.wanted = wanted
        self.helping = 0
        self.withdrawn = False
        self.error: BaseException | None = None
        self.over = threading.Lock()
        self.over.acquire()


class _Crew:
    """The helpers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: list[_Job] = []
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._size = 0

    def offer(self, job: _Job) -> None:
        """Call as many helpers as a job wants; those who are at work look for it afterwards."""
        with self._lock:
            self._jobs.append(job)
            while self._size < job.wanted and self._start():
                self._size += 1
            calls = min(job.wanted, self._size) - self._calls.qsize()
        for _ in range(calls):
            self._calls.put(None)

    def withdraw(self, job: _Job) -> None:
        """Let nobody begin to help, and wait for those who have begun."""
        with self._lock:
            job.withdrawn = True
            if job in self._jobs:
                self._jobs.remove(job)
            if job.helping == 0:
                return
        try:
            job.over.acquire()
        except BaseException:  # Ctrl-C; the helpers are still at work in the caller's memory
            job.over.acquire()
            raise

    def _start(self) -> bool:
        try:
            threading.Thread(target=self._serve, name="dream_gym", daemon=True).start()
        except RuntimeError:  # there may be no more threads; those there are do the work
            return False
        return True

    def _serve(self) -> None:
        while True:
            self._calls.get()
            while self._help():
                pass

    def _help(self) -> bool:
        """Help with a job, if there is one; it is forgotten then, and its memory with it."""
        with self._lock:
            job = next((job for job in self._jobs if job.wanted > 0), None)
            if job is None:
                return False
            job.wanted -= 1
            job.helping += 1
        try:
            job.work()
        except BaseException as error:  # for the caller
            job.error = error
        with self._lock:
            job.helping -= 1
            last = job.withdrawn and job.helping == 0
        if last:
            job.over.release()
        return True


_crew = _Crew()


def _begin_anew() -> None:
    """Forget helpers that a fork has not brought along, and what they may have locked."""
    global _crew
    _crew = _Crew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
