"""Run random workloads through engine and reference until there are enough, or time is up.

A block of cases follows from its number alone, so a failure is seen again with ``--only BLOCK``,
which then also shrinks it. The state file says how far an earlier call came.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import tyro

from dream_gym.files import write_text
from tests.soak.blocks import run_block, try_block

AT_ONCE = 8
"""Blocks between two notes in the state file."""


@dataclass
class Soak:
    """What to run.

    Args:
        cases: How many cases in all, those of earlier calls included.
        minutes: When to stop.
        workers: Number of processes.
        state: File that keeps how many blocks have been run, and what they showed.
        only: Run this block only, and shrink what fails in it.
    """

    cases: int = 20_000
    minutes: float = 60.0
    workers: int = 2
    state: Path = Path("results/soak.json")
    only: int | None = None


def main() -> int:
    """Run; returns 1 where engine and reference differ."""
    soak = tyro.cli(Soak, description=__doc__)
    if soak.only is not None:
        print(run_block(soak.only, shrink=True))
        return 0
    found: dict[str, Any] = {"blocks": 0, "seen": {}}
    if soak.state.exists():
        found = json.loads(soak.state.read_text())
    seen = Counter(found["seen"])
    stop = time.monotonic() + 60 * soak.minutes
    with ProcessPoolExecutor(soak.workers, mp_context=get_context("spawn")) as pool:
        while seen["cases"] < soak.cases and time.monotonic() < stop:
            first = found["blocks"]
            blocks = range(first, first + AT_ONCE)
            try:
                results = list(pool.map(try_block, blocks))
            except BrokenProcessPool:
                # A crash or a kill, and no telling by which block: each has to be run again.
                print(f"a process died in one of the blocks {blocks[0]} to {blocks[-1]}")
                print(
                    "see which: python -X faulthandler -m tests.soak --only BLOCK, for each of them"
                )
                return 1
            for block, showed, failure in results:
                if failure:
                    print(f"block {block} fails: {failure}")
                    print(f"see it again: python -m tests.soak --only {block}")
                    return 1
                seen.update(showed)
                found = {"blocks": block + 1, "seen": dict(seen)}
            write_text(soak.state, json.dumps(found))
    print(f"{seen['cases']} cases in {found['blocks']} blocks agree; they show:")
    for trait, count in sorted(seen.items()):
        print(f"  {trait}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
