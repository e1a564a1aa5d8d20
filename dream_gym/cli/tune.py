"""``dream-gym tune``."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Literal

import tyro

from dream_gym.analysis import keep_parts
from dream_gym.analysis.extra import cma
from dream_gym.analysis.report.summary import with_interval
from dream_gym.analysis.report.tables import TextTable
from dream_gym.analysis.runs.parts import parts_beside
from dream_gym.analysis.runs.search import FINALISTS, Found, search, search_axes
from dream_gym.cli.output import (
    command_line,
    make_console,
    make_progress,
    parse_options,
    say,
    show_table,
)
from dream_gym.files import check_outputs, write_text
from dream_gym.reading.resources import validate
from dream_gym.reading.yaml_core import dump_yaml
from dream_gym.schedulers import get_scheduler
from dream_gym.schedulers.tuned import PREFIX, TunedFile
from dream_gym.simulator import Cell


def tune(
    scheduler: str,
    scenario: str,
    platform: str,
    output: Path,
    load: float = 1.0,
    expiry: Literal["soft", "firm"] | None = None,
    search_for: tuple[str, ...] = (),
    option: tyro.conf.UseAppendAction[tuple[str, ...]] = (),
    seeds: int = 4,
    seconds: float = 2.0,
    evaluations: int = 200,
    search_seed: int = 0,
    workers: int = 1,
) -> None:
    """Find the best options of a scheduler on a cell, for --scheduler tuned:FILE.

    An interrupted search is resumed by the same command.

    Args:
        scheduler: Id of a scheduler, such as dream_plus.
        scenario: Name of a scenario or path of its YAML file.
        platform: Name of a platform or path of its YAML file.
        output: The file to write, in YAML; - is standard output, and then nothing can be resumed.
        load: Factor on every rate.
        expiry: What becomes of late frames; by default what the scenario says.
        search_for: Options to search; by default all numbers that have a range.
        option: A fixed option, such as late_urgency=last; may be given several times.
        seeds: Number of training seeds, and of the selection seeds that choose in the end.
        seconds: Simulated time per seed.
        evaluations: Approximate number of points to try.
        search_seed: Seed of the search.
        workers: Number of processes.
    """
    spelled = ("load", "seeds", "seconds", "evaluations", "search_seed")
    command = command_line(tune, locals(), spelled=spelled)
    cma()
    check_outputs(output)
    cell = validate(
        {"scenario": scenario, "platform": platform, "load": load, "expiry": expiry},
        Cell,
        origin="tune",
    )
    chosen, fixed = get_scheduler(scheduler), parse_options(option)
    fixed = {**chosen.preset, **fixed}
    axes = search_axes(chosen.name, search_for, fixed)
    with keep_parts(parts_beside(output)) as parts:
        with make_progress() as progress:
            task = progress.add_task(cell.title, total=evaluations + 2 + FINALISTS)
            found = search(
                chosen.name,
                cell,
                axes,
                fixed=fixed,
                seeds=seeds,
                seconds=seconds,
                evaluations=evaluations,
                search_seed=search_seed,
                workers=workers,
                parts=parts,
                on_points=lambda count: progress.update(task, advance=count),
            )
        content = _content(found, chosen.name, cell, command)
        write_text(output, dump_yaml(content.model_dump(by_alias=True)))
    _show(found, cell, output)


def _content(found: Found, scheduler: str, cell: Cell, command: str) -> TunedFile:
    return TunedFile(
        schema=1,
        scheduler=scheduler,
        options=found.options,
        found={
            "command": command,
            "cell": cell.model_dump(exclude_none=True),
            "uxcost_selection": found.uxcost,
            "uxcost_selection_defaults": found.default_uxcost,
            "ratio_selection": [found.ratio.mean, *(found.ratio.ends if found.ratio.known else [])],
            "uxcost_training": found.training_uxcost,
            "evaluations": found.evaluations,
            "versions": {name: version(name) for name in ("dream_gym", "numpy", "numba", "cma")},
        },
    )


def _show(found: Found, cell: Cell, output: Path) -> None:
    console = make_console(output)
    rows = [("defaults", f"{found.default_uxcost:.4g}", "1")]
    if found.uxcost < found.default_uxcost:
        best = ", ".join(f"{name}={value}" for name, value in found.options.items())
        rows.append((best, f"{found.uxcost:.4g}", with_interval(found.ratio)))
    title = f"{cell.title}: mean UXCost on selection seeds"
    headings = ("options", "UXCost", "÷ defaults [95 %]")
    show_table(console, TextTable(title, headings, tuple(rows)))
    if found.uxcost == found.default_uxcost:
        say(console, "nothing was found that is better than the defaults")
    else:
        say(console, "these seeds chose among the finalists; others may show a little less")
        if not found.ratio.known:
            say(console, "one seed, or seeds that all say the same, give no interval")
    say(console, f"{output}: play it with --scheduler {PREFIX}{output}", keep=True)
