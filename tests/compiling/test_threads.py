"""Work in threads: all of it, once, whoever else is at work, and nothing left behind."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from dream_gym.compiling.jit import entry_point
from dream_gym.compiling.threads import Pieces, cores, run_in_threads, take

Ints = NDArray[np.int64]
compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="interpreted work is not shared")


@entry_point("of_the_threads", cache=False)
def count(pieces: Pieces, out: Ints) -> None:
    """Count each item."""
    first, stop = take(pieces)
    while first < stop:
        for item in range(first, stop):
            out[item] += 1
        first, stop = take(pieces)


def helpers() -> int:
    return sum(thread.name == "dream_gym" for thread in threading.enumerate())


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("items", "piece"), [(0, 1), (1, 1), (7, 3), (1000, 1), (1000, 999)])
def test_each_item_is_done_once(items: int, piece: int, threads: int) -> None:
    out = np.zeros(items, dtype=np.int64)
    for _ in range(20):
        run_in_threads(count, out, items=items, piece=piece, threads=threads)
    assert (out == 20).all()


def test_many_threads_may_ask_at_once() -> None:
    outs = [np.zeros(997, dtype=np.int64) for _ in range(6)]

    def ask(out: Ints) -> None:
        for _ in range(200):
            run_in_threads(count, out, items=len(out), piece=5, threads=3)

    threads = [threading.Thread(target=ask, args=(out,)) for out in outs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert all((out == 200).all() for out in outs)


@compiled
def test_nobody_waits_for_helpers_that_are_busy_elsewhere() -> None:
    run_in_threads(count, np.zeros(9, dtype=np.int64), items=9, piece=1, threads=2)
    release, busy = threading.Event(), threading.Barrier(helpers() + 2)

    def occupy(pieces: Pieces) -> None:
        busy.wait(timeout=60)
        release.wait(timeout=60)

    crowd = helpers() + 1
    owner = threading.Thread(
        target=run_in_threads, args=(occupy,), kwargs={"items": crowd, "piece": 1, "threads": crowd}
    )
    owner.start()
    busy.wait(timeout=60)  # now all helpers are at work for somebody else
    out = np.zeros(1000, dtype=np.int64)
    run_in_threads(count, out, items=1000, piece=1, threads=crowd)
    assert owner.is_alive()
    release.set()
    owner.join(timeout=60)
    assert (out == 1).all()


@compiled
def test_helpers_are_few_and_forget_what_they_have_done() -> None:
    out: Any = np.zeros(1000, dtype=np.int64)
    run_in_threads(count, out, items=1000, piece=1, threads=3)
    before = helpers()
    for _ in range(500):
        run_in_threads(count, out, items=1000, piece=1, threads=3)
    assert helpers() == before >= 2
    memory = weakref.ref(out)
    del out
    deadline = time.monotonic() + 10
    while memory() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert memory() is None


@compiled
def test_waiting_costs_nothing() -> None:
    run_in_threads(count, np.zeros(9, dtype=np.int64), items=9, piece=1, threads=4)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


def fail(pieces: Pieces, who: Callable[[], bool]) -> None:
    """Work in Python, which only one of the threads breaks off."""
    for _ in range(10_000):
        time.sleep(0.001)
        if who():
            broken.set()
            raise ValueError("broken work")
        if broken.is_set():
            return


broken = threading.Event()


@pytest.mark.parametrize("culprit", ["caller", "helper"])
@compiled
def test_errors_reach_the_caller(culprit: str) -> None:
    main = threading.current_thread()
    broken.clear()

    def at_fault() -> bool:
        return (threading.current_thread() is main) == (culprit == "caller")

    with pytest.raises(ValueError, match="broken work"):
        run_in_threads(fail, at_fault, items=10_000, piece=1, threads=2)
    out = np.zeros(100, dtype=np.int64)
    run_in_threads(count, out, items=100, piece=1, threads=2)
    assert (out == 1).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_helpers_of_its_own() -> None:
    out = np.zeros(1000, dtype=np.int64)
    run_in_threads(count, out, items=1000, piece=1, threads=3)
    child = os.fork()
    if child == 0:
        try:
            run_in_threads(count, out, items=1000, piece=1, threads=3)
            os._exit(0 if (out == 2).all() else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert (out == 1).all()


def test_a_process_knows_the_cores_that_it_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    if hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, {min(allowed)})
            assert cores() == 1
        finally:
            os.sched_setaffinity(0, allowed)
        assert cores() == len(allowed)
