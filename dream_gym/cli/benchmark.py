"""``dream-gym benchmark``."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dream_gym.analysis import report
from dream_gym.analysis.agents import AgentPolicy
from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.extra import polars
from dream_gym.analysis.outcome import ABOUT, RUNS, Outcome
from dream_gym.analysis.plots import plot_uxcost
from dream_gym.analysis.policies import Contestant, TunedPolicy, make_policy
from dream_gym.analysis.results_page import verdict, write_report
from dream_gym.analysis.suite import Suite, load_suite
from dream_gym.analysis.suite_tables import suite_tables
from dream_gym.analysis.timeline import most_different, plot_timeline
from dream_gym.cli.output import make_console, make_progress, say, show_table
from dream_gym.errors import ConfigError
from dream_gym.files import check_writable

FEW_CELLS = 4
"""Up to so many cells are shown one by one, and UXCost is drawn so."""


def benchmark(
    suite: str = "demo",
    agent: tuple[Path, ...] = (),
    seeds: int | None = None,
    workers: int = os.cpu_count() or 1,
    output: Path | None = None,
    table: Path | None = None,
    json: Path | None = None,
    timeline_cell: int | None = None,
    timeline_policies: tuple[str, ...] = (),
) -> None:
    """Compare policies on the same held-out seeds.

    An interrupted benchmark is taken up again by the same command, as long as nothing that it
    depends on has changed.

    Args:
        suite: Name of a suite or path of its YAML file.
        agent: Run folders of trained agents that take part.
        seeds: Number of evaluation seeds, instead of the suite's.
        workers: Number of processes, by default one per processor.
        output: Folder for the report, its tables and its figures; by default results/SUITE.
        table: Write the row of every run to this file, too, .parquet or .csv; the folder has
            them as runs.parquet.
        json: Write every run and all settings to this file, too.
        timeline_cell: The cell of timeline.png, counted from 0 as the column cell of the runs;
            by default, like its seed, the one in which policies differ most in violation rate.
        timeline_policies: Names of the policies on timeline.png; by default the two that differ
            most there.
    """
    polars()
    chosen = load_suite(suite)
    if seeds is not None:
        chosen = chosen.with_seeds(seeds)
    folder = output or Path("results") / re.sub(r"[^\w.-]+", "_", chosen.name)
    tables = [folder / RUNS] + ([table] if table is not None else [])
    for path in tables:
        report.check_table_path(path)
    for path in (*tables, folder / "table.csv", *([json] if json is not None else [])):
        check_writable(path)
    policies: list[Contestant] = [make_policy(spec) for spec in chosen.policies]
    policies += [AgentPolicy(path) for path in agent]
    names = [policy.name for policy in policies]
    _check_timeline(chosen, names, timeline_cell, timeline_policies)
    outcome = _run(chosen, policies, workers, folder / "parts")
    command = _command(suite, agent, seeds)
    about = report.about(outcome, command=command)
    for path in tables:
        report.write_table(outcome, path)
    report.write_json(about, folder / ABOUT)
    if json is not None:
        report.write_json({**about, "rows": outcome.rows.to_dicts()}, json)
    report.write_csv(outcome, folder / "table.csv")
    if len(chosen.cells) <= FEW_CELLS:
        plot_uxcost(outcome, folder / "uxcost.png")
        _show_cells(outcome)
    _plot_timeline(
        outcome, policies, folder / "timeline.png", cell=timeline_cell, names=timeline_policies
    )
    console = make_console()
    if chosen.seeds == 1:
        say(console, "one seed gives no intervals, and without them nothing is reported")
    else:
        found = Outcome(about, outcome.rows)
        write_report(found, folder)
        _show_suite(console, found)
    say(console, f"{folder}: report, tables, figures; again by: {command}", keep=True)


def _run(suite: Suite, policies: Sequence[Contestant], workers: int, parts: Path) -> Benchmark:
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


def _command(suite: str, agents: Sequence[Path], seeds: int | None) -> str:
    """The command that gives the same rows again."""
    words = ["dream-gym", "benchmark", "--suite", suite]
    if agents:
        words += ["--agent", *map(str, agents)]
    if seeds is not None:
        words += ["--seeds", str(seeds)]
    return shlex.join(words)


def _check_timeline(
    suite: Suite, names: Sequence[str], cell: int | None, shown: Sequence[str]
) -> None:
    """Refuse a timeline of policies or of a cell that there are not."""
    for name in shown:
        if name not in names:
            raise ConfigError(
                f"--timeline-policies: {name!r} does not take part; there are {', '.join(names)}"
            )
    count = len(suite.cells)
    if cell is not None and not 0 <= cell < count:
        cells = "; ".join(f"{index}: {other.title}" for index, other in enumerate(suite.cells[:20]))
        raise ConfigError(f"--timeline-cell: expected 0 to {count - 1} ({cells}), got {cell}")


def _plot_timeline(
    outcome: Benchmark,
    policies: Sequence[Contestant],
    path: Path,
    *,
    cell: int | None,
    names: Sequence[str],
) -> None:
    """Draw the world in which policies, or those named, differ most; or one of a cell."""
    rows = outcome.rows
    if cell is not None:
        rows = rows.filter(cell=cell)
    if names:
        rows = rows.filter(polars().col("policy").is_in(names))
    world = most_different(rows, pair=not names)
    options = {
        setting["policy"]: setting.get("options", {})  # as tuned on the cell
        for setting in outcome.settings
        if setting["cell"] == world.cell
    }
    shown = [
        policy.settled(options[policy.name]) if isinstance(policy, TunedPolicy) else policy
        for policy in policies
        if policy.name in world.policies
    ]
    where = outcome.suite.cells[world.cell]
    plot_timeline(shown, where, world.seed, outcome.suite.seconds, path)


def _show_cells(outcome: Benchmark) -> None:
    console = make_console()
    seeds = f"{len(outcome.seeds)} seeds from {outcome.seeds[0]} × {outcome.suite.seconds:g} s"
    for cell in outcome.suite.cells:
        summaries = report.summarise(outcome, cell)
        show_table(console, report.uxcost_table(summaries, f"{cell.title}; {seeds}"))
        show_table(console, report.model_table(summaries))


def _show_suite(console: Console, outcome: Outcome) -> None:
    for table in suite_tables(outcome):
        show_table(console, table)
    if text := verdict(outcome):
        say(console, text)
