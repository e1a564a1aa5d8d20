"""``dream-gym benchmark``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from dream_gym.analysis import report
from dream_gym.analysis.agents import AgentPolicy, load_agent
from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.extra import polars
from dream_gym.analysis.plots import plot_uxcost
from dream_gym.analysis.policies import Policy, make_policy
from dream_gym.analysis.suite import load_suite
from dream_gym.analysis.timeline import plot_timeline
from dream_gym.cli.output import make_console, make_progress, make_table
from dream_gym.files import check_writable
from dream_gym.resources import validate


def benchmark(
    suite: str = "demo",
    agent: tuple[Path, ...] = (),
    seeds: int | None = None,
    json: Path | None = None,
    output: Path | None = None,
) -> None:
    """Compare policies on the same held-out seeds.

    Args:
        suite: Name of a suite or path of its YAML file.
        agent: Run folders of trained agents that take part.
        seeds: Number of evaluation seeds, instead of the suite's.
        json: Write every run and all settings to this file.
        output: Folder for table.csv, uxcost.png and timeline.png.
    """
    polars()
    chosen = load_suite(suite)
    if seeds is not None:
        changed = {**chosen.model_dump(by_alias=True), "seeds": seeds}
        chosen = validate(changed, type(chosen), origin="--seeds")
    for path in (json, output and output / "table.csv"):
        if path is not None:
            check_writable(path)
    policies: list[Policy] = [make_policy(spec) for spec in chosen.policies]
    policies += [AgentPolicy(load_agent(folder)) for folder in agent]
    with make_progress() as progress:
        task = progress.add_task("", total=len(chosen.cells) * len(policies) * chosen.seeds)
        outcome = run_benchmark(
            chosen,
            policies,
            on_start=lambda what: progress.update(task, description=what),
            on_run=lambda: progress.advance(task),
        )
    if json is not None:
        report.write_json(outcome, json, command=shlex.join(["dream-gym", *sys.argv[1:]]))
    if output is not None:
        report.write_csv(outcome, output / "table.csv")
        plot_uxcost(outcome, output / "uxcost.png")
        _plot_timeline(outcome, policies, output / "timeline.png")
    _show(outcome)


def _plot_timeline(outcome: Benchmark, policies: Sequence[Policy], path: Path) -> None:
    """Draw the first policy and the last, on the first cell and seed; agents come last."""
    cell = outcome.suite.cells[0]
    shown = [policies[0], *policies[1:][-1:]]
    plot_timeline(shown, cell, outcome.seeds[0], outcome.suite.seconds, path)


def _show(outcome: Benchmark) -> None:
    console = make_console()
    seeds = f"{len(outcome.seeds)} seeds from {outcome.seeds[0]} × {outcome.suite.seconds:g} s"
    for cell in outcome.suite.cells:
        summaries = report.summarise(outcome, cell)
        table = make_table(console, f"{cell.title}; {seeds}")
        report.fill_uxcost_table(table, summaries)
        console.print(table)
        table = make_table(console, "mJ per frame · violated")
        report.fill_model_table(table, summaries)
        console.print(table)
