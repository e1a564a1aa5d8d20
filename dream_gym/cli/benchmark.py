"""``dream-gym benchmark``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dream_gym.analysis import report
from dream_gym.analysis.agents import AgentPolicy
from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.extra import polars
from dream_gym.analysis.outcome import ABOUT, RUNS, Outcome
from dream_gym.analysis.parts import Parts, keep_parts
from dream_gym.analysis.plots import plot_uxcost
from dream_gym.analysis.policies import Contestant, TunedPolicy, make_policy
from dream_gym.analysis.results_page import verdict, write_report
from dream_gym.analysis.suite import Suite, load_suite
from dream_gym.analysis.suite_tables import suite_tables
from dream_gym.analysis.timeline import plot_timeline
from dream_gym.cli.output import command_line, make_console, make_progress, make_table
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, file_name, is_standard_output

FEW_CELLS = 4
"""Up to so many cells are shown and drawn one by one."""


def benchmark(
    suite: str = "demo",
    agent: tuple[Path, ...] = (),
    seeds: int | None = None,
    workers: int = os.cpu_count() or 1,
    output: Path | None = None,
    table: Path | None = None,
    json: Path | None = None,
) -> None:
    """Compare policies on the same held-out seeds.

    An interrupted benchmark is taken up again by the same command, as long as nothing that it
    depends on has changed.

    Args:
        suite: Name of a suite or path of its YAML file.
        agent: Run folders of trained agents that take part. Their checkpoints are pickles, which
            may run any code as they are read: name only folders that you trust.
        seeds: Number of evaluation seeds, instead of the suite's.
        workers: Number of processes, by default one per processor.
        output: Folder for the report, its tables and its figures; by default results/SUITE.
        table: Write the row of every run to this file, too, .parquet or .csv; the folder has
            them as runs.parquet. Here and below, - is standard output, as CSV.
        json: Write every run and all settings to this file, too.
    """
    command = command_line(benchmark, locals(), spelled=["suite"])
    polars()
    chosen = load_suite(suite)
    if seeds is not None:
        chosen = chosen.with_seeds(seeds)
    if output is not None and is_standard_output(output):
        raise ConfigError(f"--output: {output}: expected a folder")
    folder = output or Path("results") / file_name(chosen.name)
    if table is not None:
        report.check_table_path(table)
    few = len(chosen.cells) <= FEW_CELLS
    check_outputs(folder / RUNS, folder / "table.csv", table, json)
    policies: list[Contestant] = [make_policy(spec) for spec in chosen.policies]
    policies += [AgentPolicy(path) for path in agent]
    with keep_parts(folder / "parts") as parts:
        outcome = _run(chosen, policies, workers, parts)
        about = report.about(outcome, command=command)
        found = Outcome(about, outcome.rows)
        report.write_table(outcome, folder / RUNS)
        report.write_json(about, folder / ABOUT)
        report.write_csv(outcome, folder / "table.csv")
        if few:
            plot_uxcost(outcome, folder / "uxcost.png")
            _plot_timeline(outcome, policies, folder / "timeline.png")
        if chosen.seeds > 1:
            write_report(found, folder)
        if table is not None:
            report.write_table(outcome, table)
        if json is not None:
            report.write_json({**about, "rows": outcome.rows.to_dicts()}, json)
    console = make_console(table, json)
    if few:
        _show_cells(console, outcome)
    if chosen.seeds > 1:
        _show_suite(console, found)
    else:
        console.print("one seed gives no intervals, and without them nothing is reported")
    console.print(f"{folder}: report, tables, figures; again by: {command}", markup=False)


def _run(suite: Suite, policies: Sequence[Contestant], workers: int, parts: Parts) -> Benchmark:
    with make_progress() as progress:
        task = progress.add_task("")
        return run_benchmark(
            suite,
            policies,
            workers=workers,
            parts=parts,
            on_start=lambda runs: progress.update(task, total=runs),
            on_runs=lambda what, runs: progress.update(task, description=what, advance=runs),
        )


def _plot_timeline(outcome: Benchmark, policies: Sequence[Contestant], path: Path) -> None:
    """Draw the first policy and the last, on the first cell and seed; agents come last."""
    shown = []
    for policy, setting in zip(policies, outcome.settings, strict=False):
        options = setting.get("options", {})  # as tuned on the first cell
        shown.append(policy.settled(options) if isinstance(policy, TunedPolicy) else policy)
    cell = outcome.suite.cells[0]
    chosen = [shown[0], *shown[1:][-1:]]
    plot_timeline(chosen, cell, outcome.seeds[0], outcome.suite.seconds, path)


def _show_cells(console: Console, outcome: Benchmark) -> None:
    seeds = f"{len(outcome.seeds)} seeds from {outcome.seeds[0]} × {outcome.suite.seconds:g} s"
    for cell in outcome.suite.cells:
        summaries = report.summarise(outcome, cell)
        table = make_table(console, f"{cell.title}; {seeds}")
        report.fill_uxcost_table(table, summaries)
        console.print(table)
        table = make_table(console, "mJ per frame · violated")
        report.fill_model_table(table, summaries)
        console.print(table)


def _show_suite(console: Console, outcome: Outcome) -> None:
    for grid in suite_tables(outcome):
        table = make_table(console, grid.title)
        for index, heading in enumerate(grid.headings):
            table.add_column(heading, justify="right" if index else "left")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)
    if text := verdict(outcome):
        console.print(text, markup=False)
