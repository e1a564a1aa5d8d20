"""``dream-gym benchmark``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dream_gym.analysis import (
    Benchmark,
    Parts,
    Policy,
    Suite,
    TunedPolicy,
    keep_parts,
    load_suite,
    make_policy,
    run_benchmark,
)
from dream_gym.analysis.extra import polars
from dream_gym.analysis.report import summary as report
from dream_gym.analysis.report.folder import ABOUT, RUNS, suite_in
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.page import NO_INTERVALS, report_files, write_report
from dream_gym.analysis.report.pictures.plots import plot_uxcost
from dream_gym.analysis.report.pictures.timeline import most_different, plot_timeline
from dream_gym.analysis.report.suite_tables import suite_tables
from dream_gym.analysis.report.tables import counted
from dream_gym.analysis.report.verdicts import verdict
from dream_gym.analysis.report.where_tables import where_tables
from dream_gym.cli.output import command_line, make_console, make_progress, say, show_table
from dream_gym.errors import ConfigError, shown
from dream_gym.files import check_outputs, file_name, is_standard_output
from dream_gym.players import make_player

FEW_CELLS = 4
"""Up to this many cells are shown, and their UXCost is drawn, one by one."""
TABLE, COSTS, TIMELINE = "table.csv", "uxcost.png", "timeline.png"


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

    An interrupted benchmark is resumed by the same command, as long as nothing that it
    depends on has changed.

    Args:
        suite: Name of a suite or path of its YAML file.
        agent: Run folders of trained agents to compare with the suite's policies.
        seeds: Number of evaluation seeds, instead of the suite's.
        workers: Number of processes, by default one per processor.
        output: Folder for the report, its tables and its figures; by default results/SUITE.
        table: Write the row of every run to this file, too, .parquet or .csv; the folder has
            them as runs.parquet. Here and below, - is standard output, as CSV.
        json: Write every run and all settings to this file, too.
        timeline_cell: The cell of timeline.png, counted from 0 as the column cell of the runs;
            by default, like its seed, the one in which policies differ most in violation rate.
        timeline_policies: Names of the policies on timeline.png; by default the two that differ
            most there.
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
    files = _files(chosen, few=few)
    check_outputs(*(folder / name for name in files), table, json)
    _check_suite(folder, chosen)
    policies: list[Policy] = [make_policy(spec) for spec in chosen.policies]
    policies += [make_player(f"agent:{path}") for path in agent]
    names = [policy.name for policy in policies]
    _check_timeline(chosen, names, timeline_cell, timeline_policies)
    with keep_parts(folder / "parts") as parts:
        outcome = _run(chosen, policies, workers, parts)
        about = report.about(outcome, command=command)
        found = Outcome(about, outcome.rows)
        report.write_table(outcome, folder / RUNS)
        report.write_json(about, folder / ABOUT)
        report.write_csv(outcome, folder / TABLE)
        if few:
            plot_uxcost(outcome, folder / COSTS)
        _plot_timeline(
            outcome, policies, folder / TIMELINE, cell=timeline_cell, names=timeline_policies
        )
        write_report(found, folder)
        if table is not None:
            report.write_table(outcome, table)
        if json is not None:
            report.write_json({**about, "rows": outcome.rows.to_dicts()}, json)
    console = make_console(table, json)
    if few:
        _show_cells(console, outcome)
    if found.has_intervals:
        _show_suite(console, found)
    else:
        say(console, NO_INTERVALS)
    say(console, f"{folder}: {', '.join(files)}; again by: {command}", keep=True)


def _files(suite: Suite, *, few: bool) -> list[str]:
    """The names of the files that go into the folder."""
    about = {"suite": suite.model_dump(mode="json"), "seeds": {"count": suite.seeds}}
    report_of = report_files(Outcome(about, polars().DataFrame()))
    figures = [COSTS, TIMELINE] if few else [TIMELINE]
    return [*report_of, RUNS, ABOUT, TABLE, *figures]


def _check_suite(folder: Path, suite: Suite) -> None:
    """Refuse a folder that another suite has been written into."""
    other = suite_in(folder)
    if other not in (None, suite.name):
        raise ConfigError(
            f"--output: {folder} holds the outcome of another suite, {shown(other)}: choose "
            "another --output"
        )


def _run(suite: Suite, policies: Sequence[Policy], workers: int, parts: Parts) -> Benchmark:
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


def _check_timeline(
    suite: Suite, names: Sequence[str], cell: int | None, shown: Sequence[str]
) -> None:
    """Refuse a timeline of policies or of a cell that do not exist."""
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
    policies: Sequence[Policy],
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
        policy.player(options[policy.name]) if isinstance(policy, TunedPolicy) else policy
        for policy in policies
        if policy.name in world.policies
    ]
    where = outcome.suite.cells[world.cell]
    plot_timeline(shown, where, world.seed, outcome.suite.seconds, path)


def _show_cells(console: Console, outcome: Benchmark) -> None:
    count = counted(len(outcome.seeds), "seed")
    seeds = f"{count} from {outcome.seeds[0]} × {outcome.suite.seconds:g} s"
    for cell in outcome.suite.cells:
        summaries = report.summarise(outcome, cell)
        title = f"{cell.title}; {seeds}"
        show_table(console, report.uxcost_table(summaries, title, outcome.suite.seconds))
        show_table(console, report.model_table(summaries))
        show_table(console, report.response_table(summaries))


def _show_suite(console: Console, outcome: Outcome) -> None:
    for table in [*suite_tables(outcome), *where_tables(outcome)]:
        show_table(console, table)
    say(console, verdict(outcome))
