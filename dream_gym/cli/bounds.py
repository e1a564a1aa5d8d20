"""``dream-gym bounds``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dream_gym.analysis import PolicySpec, Suite, keep_parts, load_suite
from dream_gym.analysis.studies.bounds.page import bounds_page, bounds_table, left_out, verdict
from dream_gym.analysis.studies.bounds.study import Budget, run_study
from dream_gym.cli.output import command_line, make_console, make_progress, say, show_table
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, file_name, write_text
from dream_gym.players import Player
from dream_gym.reading.resources import validate
from dream_gym.simulator import Cell
from dream_gym.workload import evaluation_seeds

PARTS = Path("results/bounds")
"""Folder for unfinished work, by suite or cell."""


def bounds(
    suite: str = "windows",
    scenario: str | None = None,
    platform: str | None = None,
    load: float = 1.0,
    expiry: str | None = None,
    seeds: int | None = None,
    seconds: float | None = None,
    limit: float = Budget().limit,
    generations: int = Budget().generations,
    blocks: int = Budget().blocks,
    workers: int = 1,
    page: Path | None = None,
) -> None:
    """Compare schedulers with the best possible, in short windows with the future known.

    An interrupted run is resumed by the same command.

    Args:
        suite: Name of a suite or path of its YAML file: its cells, seeds, seconds and policies;
            those to be tuned play with their defaults.
        scenario: With a platform, one cell in place of the suite's.
        platform: The platform of that cell.
        load: Factor on every rate of that cell.
        expiry: Soft or firm, for that cell; by default what the scenario says.
        seeds: Number of evaluation seeds, instead of the suite's.
        seconds: Length of a window, instead of the suite's.
        limit: Deterministic time, about seconds, for each of the four solutions of CP-SAT in a
            window. 0 leaves CP-SAT out, for windows that are too large for it.
        generations: Generations of the genetic search.
        blocks: Largest number of blocks of a frame for CP-SAT.
        workers: Number of processes.
        page: Write a page with the tables, in Markdown, to this file; - is standard output.
    """
    named = ("scenario", "platform", "load") if scenario else ("suite",)
    command = command_line(bounds, locals(), spelled=named)
    budget = Budget(limit, generations, blocks)
    chosen = _chosen(suite, scenario, platform, load, expiry)
    chosen = chosen.with_seeds(seeds) if seeds is not None else chosen
    what = chosen.name if scenario is None else chosen.cells[0].title
    length = chosen.seconds if seconds is None else seconds
    if page is not None and chosen.seeds == 1:
        raise ConfigError("--page: one seed gives no intervals, without which nothing is said")
    check_outputs(page)
    console = make_console(page)
    with keep_parts(PARTS / file_name(what) / "parts") as parts:
        with make_progress() as progress:
            task = progress.add_task("")
            study = run_study(
                chosen.cells,
                players(chosen.policies),
                evaluation_seeds(chosen.seeds),
                seconds=length,
                budget=budget,
                workers=workers,
                parts=parts,
                on_start=lambda windows: progress.update(task, total=windows),
                on_window=lambda cell: progress.update(task, description=cell, advance=1),
            )
        if page is not None:
            text = bounds_page(chosen.cells, study, seconds=length, budget=budget, command=command)
            write_text(page, text)
    for cell, windows in zip(chosen.cells, study, strict=True):
        show_table(console, bounds_table(windows, cell.title))
        if missing := left_out(windows):
            say(console, missing)
    if chosen.seeds > 1:
        say(console, verdict(chosen.cells, study))


def players(specs: Sequence[PolicySpec]) -> list[Player]:
    """The players; a policy that is to be tuned has its fixed options, unless those are listed."""
    titles = {spec.title for spec in specs}
    found: list[Player] = []
    for spec in sorted(specs, key=lambda spec: spec.tune is not None):
        as_it_is = spec.tune is None or spec.options or spec.scheduler in titles
        name = spec.title if as_it_is else spec.scheduler
        policy = spec.model_copy(update={"name": name}).player()
        listed = any(policy.settings == other.settings for other in found)
        if spec.tune is None or not listed:
            found.append(policy)
    return found


def _chosen(
    suite: str, scenario: str | None, platform: str | None, load: float, expiry: str | None
) -> Suite:
    """The suite, or one cell under its policies."""
    chosen = load_suite(suite)
    if scenario is None and platform is None:
        if load != 1.0 or expiry is not None:
            raise ConfigError("--load and --expiry need --scenario and --platform")
        return chosen
    if scenario is None or platform is None:
        raise ConfigError("--scenario and --platform need one another")
    fields = {"scenario": scenario, "platform": platform, "load": load, "expiry": expiry}
    return chosen.model_copy(update={"cells": (validate(fields, Cell, origin="bounds"),)})
