"""Medians of repeated measurements."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

RUNS = 7


def median_rate(work: Callable[[], float]) -> float:
    """Median over runs of what `work` returns per second; the first run only warms up."""
    rates = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        amount = work()
        rates.append(amount / (time.perf_counter() - start))
    return statistics.median(rates[1:])


def seconds_of(code: str) -> float:
    """Median wall-clock seconds of a fresh interpreter that runs some code."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
