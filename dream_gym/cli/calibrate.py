"""``dream-gym calibrate``."""

from __future__ import annotations

import itertools
from pathlib import Path

from dream_gym.analysis import keep_parts
from dream_gym.analysis.calibration.page import calibration_page
from dream_gym.analysis.calibration.runs import calibrate_cells
from dream_gym.analysis.runs.parts import parts_beside
from dream_gym.cli.output import make_console, make_progress, say
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, write_text
from dream_gym.hardware import load_platform
from dream_gym.reading import resources
from dream_gym.workload import load_scenario


def calibrate(
    output: Path,
    scenarios: tuple[str, ...] | None = None,
    platforms: tuple[str, ...] | None = None,
    workers: int = 2,
    page: Path | None = None,
) -> None:
    """Find the loads at which schedulers begin to miss deadlines, for scenarios on platforms.

    An interrupted run is resumed by the same command.

    Args:
        output: The table, a CSV file; cells that it has already are kept as they are. Here and
            below, - is standard output.
        scenarios: Names of scenarios; by default all without phases.
        platforms: Names of platforms; by default all.
        workers: Number of processes.
        page: Write a page with the table, in Markdown, to this file.
    """
    if workers < 1:
        raise ConfigError(f"--workers: expected at least 1, got {workers}")
    if scenarios is None:
        scenarios = _plain_scenarios()
    if platforms is None:
        platforms = tuple(resources.names("platforms"))
    pairs = list(itertools.product(scenarios, platforms))
    if not pairs:
        raise ConfigError("--scenarios, --platforms: expected at least one of each")
    for name in scenarios:
        if load_scenario(name).phases:
            raise ConfigError(f"--scenarios: {name} has phases; calibrate them one by one")
    for name in platforms:
        load_platform(name)
    check_outputs(output, page)
    with keep_parts(parts_beside(output)) as parts:
        with make_progress() as progress:
            task = progress.add_task("calibrating", total=len(pairs))
            cells = calibrate_cells(
                pairs,
                output,
                workers=workers,
                parts=parts,
                on_cell=lambda title: progress.update(task, advance=1, description=title),
            )
        if page is not None:
            write_text(page, calibration_page(cells))
    edges = sum(cell.has_edge for cell in cells)
    console = make_console(output, page)
    say(console, f"{output}: {len(cells)} cells, {edges} of them have an edge", keep=True)


def _plain_scenarios() -> tuple[str, ...]:
    """Scenarios with phases are calibrated phase by phase, under the names of what they run."""
    return tuple(name for name in resources.names("scenarios") if not load_scenario(name).phases)
