"""Several zigzag processes at work."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeAlias

from dream_gym.hardware.zigzag import worker as zigzag_worker
from dream_gym.hardware.zigzag.worker import Request

Answer: TypeAlias = tuple[float, float]
"""Latency in cycles and energy in pJ."""


class Worker:
    """A process that answers requests; see `dream_gym.hardware.zigzag.worker`."""

    def __init__(self) -> None:
        self._closed = False
        self._process = _start()

    def ask(self, request: Request) -> Answer | str:
        """Cycles and pJ, or what went wrong; a process that ends meanwhile is replaced once."""
        line = self._exchange(request)
        if not line and not self._closed:
            self._end()
            self._process = _start()
            line = self._exchange(request)
        if not line:
            return f"its process ended with exit code {self._process.wait()}"
        answer = json.loads(line)
        return str(answer["error"]) if "error" in answer else (answer["cycles"], answer["pj"])

    def _exchange(self, request: Request) -> str:
        """A line of answer, empty if the process has ended."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return process.stdout.readline()
        except OSError:
            return ""

    def kill(self) -> None:
        """End the process for good; a pending answer becomes an error."""
        self._closed = True
        self._process.kill()

    def close(self) -> None:
        """End the process and close its pipes."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        # By its path, since importing dream_gym takes seconds; -P keeps the modules beside it,
        # of which one is called zigzag, out of its sight.
        [sys.executable, "-P", zigzag_worker.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        # zigzag iterates over sets of strings; fix their order, so that ties break the same way.
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def evaluate_all(
    requests: Mapping[str, Request],
) -> Generator[tuple[str, Answer | str], None, None]:
    """Evaluate requests on all cores.

    Args:
        requests: The requests by key.

    Yields:
        Key and answer, or what went wrong, as soon as there is one.
    """
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    workers: list[Worker] = []

    def ask(request: Request) -> Answer | str:
        worker = idle.get()
        try:
            return worker.ask(request)
        finally:
            idle.put(worker)

    with contextlib.ExitStack() as stack:
        for _ in range(min(len(requests), os.cpu_count() or 1)):
            workers.append(Worker())
            stack.callback(workers[-1].close)
            idle.put(workers[-1])
        with ThreadPoolExecutor(max(len(workers), 1)) as threads:
            futures = {threads.submit(ask, request): key for key, request in requests.items()}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.kill()
