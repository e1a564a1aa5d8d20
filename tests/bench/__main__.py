"""Speed of the engine and of the environments: ``make bench``. Medians of several runs."""

from __future__ import annotations

import os
import statistics
import time

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import dream_gym
from dream_gym.hardware import cost_table, load_platform
from dream_gym.reading import resources
from dream_gym.workload import load_scenario
from tests.bench.decisions import FRAMES, decision_rows
from tests.bench.environments import environment_rows, start_rows
from tests.bench.many import many_rows
from tests.bench.measuring import RUNS, median_rate, seconds_of


def dispatches(scheduler: str) -> float:
    """Dispatches of 60 simulated seconds of AR_Social at load 1."""
    result = dream_gym.simulate("ar_social", "4k_1ws_2os", scheduler, seconds=60.0)
    return float(result.dispatches)


def env_steps(env: gym.Env) -> float:
    """Steps of ten episodes under a constant action, resets included."""
    action = env.action_space.high / 2
    steps = 0
    for _ in range(10):
        env.reset()
        terminated = False
        while not terminated:
            _, _, terminated, _, _ = env.step(action)
            steps += 1
    return float(steps)


def cost_tables(*, cold: bool) -> float:
    """Seconds for the costs of the largest scenario on the largest platform."""
    scenario = max(
        map(load_scenario, resources.names("scenarios")),
        key=lambda item: sum(len(m.layers) for net in item.networks for m in net.family),
    )
    platform = load_platform("xr_8k_2ws_2os")
    members = [member for network in scenario.networks for member in network.family]
    if cold:
        cost_table.cache_clear()
    start = time.perf_counter()
    for member in members:
        cost_table(member, platform)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    table = Table(title=f"AR_Social at load 1 on 4k_1ws_2os, {os.cpu_count()} cores")
    table.add_column("what")
    table.add_column("median", justify="right")
    table.add_column("bar", justify="right")
    for scheduler, bar in (("dream_mapscore", "2.00 M/s"), ("edf", ""), ("fcfs", "")):
        rate = median_rate(lambda name=scheduler: dispatches(name))
        table.add_row(f"dispatches per second, {scheduler}", f"{rate / 1e6:.2f} M/s", bar)
    env = gym.make("dream_gym:DreamRTMM-v0")
    steps = median_rate(lambda: env_steps(env))
    table.add_row("steps of DreamRTMM-v0 per second", f"{steps:,.0f}", "")
    table.add_row("its simulated seconds per second", f"{steps / 10:,.0f}", "300")
    table.add_row("import dream_gym", f"{seconds_of('import dream_gym'):.2f} s", "1.50 s")
    for row in (*many_rows(), *environment_rows(), *start_rows()):
        table.add_row(*row)
    for how, bar in (("cold", "2.000 s"), ("cached", "0.050 s")):
        times = [cost_tables(cold=how == "cold") for _ in range(RUNS)]
        table.add_row(
            f"costs of the largest scenario, {how}", f"{statistics.median(times):.4f} s", bar
        )
    console = Console()
    console.print(table)
    crowd = Table(title="µs per decision of dream_mapscore, by accelerators and ready frames")
    crowd.add_column("accelerators")
    for frames in FRAMES:
        crowd.add_column(str(frames), justify="right")
    for cells in decision_rows():
        crowd.add_row(*cells)
    console.print(crowd)


if __name__ == "__main__":
    main()
