"""Compiling before it is needed, by using everything that is compiled for a short time."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from dream_gym.analysis.runs.parts import NOTHING_KEPT
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.analysis.studies.bounds.genetic import Search
from dream_gym.analysis.studies.bounds.plan import make_genome, plan_of, play
from dream_gym.analysis.studies.bounds.window import read_window
from dream_gym.api import simulate
from dream_gym.compiling.jit import ENTRY_POINTS
from dream_gym.hardware import load_platform
from dream_gym.schedulers import BUILTIN, Dispatch, Scheduler, View
from dream_gym.simulator import Simulation
from dream_gym.workload import load_scenario

SCENARIO, PLATFORM, SECONDS = "ar_call", "4k_2ws", 0.1
SHARED = "what all runs share"


class _First(Scheduler):
    """Dispatches what comes first."""

    def select(self, view: View) -> Dispatch | None:
        if not view.ready or not view.idle:
            return None
        view.switch(view.ready[0], view.idle[0])
        return Dispatch(view.ready[0], view.idle[0])


def _share() -> None:
    simulate(SCENARIO, PLATFORM, _First(), seconds=SECONDS)
    simulation = Simulation(load_scenario(SCENARIO), load_platform(PLATFORM), None)
    simulation.reset(seed=0, seconds=SECONDS)
    simulation.recording()
    simulation.alone(np.zeros(1, dtype=[("model", np.int64), ("frame", np.int64)]))


def _scheduler(name: str) -> None:
    simulate(SCENARIO, PLATFORM, name, seconds=SECONDS)


def _batch(env_id: str) -> None:
    env: Any = gym.make_vec(f"dream_gym:{env_id}", num_envs=2, episode_seconds=SECONDS)
    env.reset(seed=0)
    if env_id == "DreamRTMM-Dispatch-v0":
        env.call("describe", 0)
    env.step(env.action_space.sample())
    env.close()


def _bounds() -> None:
    result = simulate(SCENARIO, PLATFORM, "edf", seconds=SECONDS, record=True)
    simulation = Simulation(load_scenario(SCENARIO), load_platform(PLATFORM), None)
    simulation.reset(seed=0, seconds=SECONDS)
    window = read_window(simulation, result)
    genome = make_genome(simulation, window)
    plan = plan_of(genome, result)
    play(simulation, genome, plan, seed=0, seconds=SECONDS)
    Search(simulation, window, genome, 0).run([plan], generations=0)


_ENVIRONMENTS = ("DreamRTMM-v0", "DreamRTMM-Dispatch-v0")
UNITS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    **{f"batches of {name}": (_batch, (name,)) for name in _ENVIRONMENTS},
    **{f"scheduler {name}": (_scheduler, (name,)) for name in BUILTIN},
    "bounds": (_bounds, ()),
}
"""What is compiled, longest first, as uses of it that do not depend on one another."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the message for each function that is compiled: the progress bar shows it."""
    log = logging.getLogger("dream_gym")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


class _Warming:
    """A `Job` whose tasks are names of units."""

    def key(self, task: str) -> Any:
        return task

    def run(self, task: str) -> int:
        """Use what a unit compiles; return how many entry points were not in the cache."""
        before = _misses()
        with _quiet():
            if task == SHARED:
                _share()
            else:
                use, arguments = UNITS[task]
                use(*arguments)
        return _misses() - before


def warm_up(workers: int, on_done: Callable[[str], None] = lambda unit: None) -> int:
    """Compile what is not in the cache.

    Args:
        workers: Number of processes.
        on_done: Called with `SHARED`, then with each of `UNITS` once it is done, in any order.

    Returns:
        How many entry points were compiled.
    """
    job, nothing = _Warming(), NOTHING_KEPT
    with processes(job, workers) as pool:
        compiled: Sequence[int] = run_tasks(job, [SHARED], pool, parts=nothing, on_done=on_done)
        compiled = [*compiled, *run_tasks(job, list(UNITS), pool, parts=nothing, on_done=on_done)]
    return sum(compiled)


def _misses() -> int:
    return sum(sum(each.stats.cache_misses.values()) for each in ENTRY_POINTS)
