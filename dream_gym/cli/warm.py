"""``dream-gym warm``."""

from __future__ import annotations

import time

from dream_gym.arguments import checked_integer
from dream_gym.cli.output import make_console, make_progress, say
from dream_gym.compiling.threads import cores
from dream_gym.warming import SHARED, UNITS, warm_up

_MOST_WORKERS = 1024


def warm(workers: int = cores()) -> None:
    """Compile all schedulers and environments now, in parallel, except those compiled already.

    Each is compiled once per version of its sources, and kept beside the package, in a cache
    folder of yours, or where NUMBA_CACHE_DIR says. Without this command, the first run that needs
    one waits for it.

    Args:
        workers: Number of processes, by default one per processor.
    """
    checked_integer("workers", workers, 1, _MOST_WORKERS)
    start = time.perf_counter()
    with make_progress() as progress:
        task = progress.add_task(f"compiling {SHARED}", total=1 + len(UNITS))
        compiled = warm_up(
            workers,
            lambda unit: progress.update(task, advance=1, description=f"compiled {unit}"),
        )
    seconds = time.perf_counter() - start
    said = f"compiled {compiled} functions in {seconds:.0f} s" if compiled else "all was compiled"
    say(make_console(), said)
