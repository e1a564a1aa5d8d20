"""``dream-gym calibrate``."""

from __future__ import annotations

import itertools
from pathlib import Path

from dream_gym import resources
from dream_gym.analysis.calibration_page import calibration_page
from dream_gym.analysis.calibration_runs import calibrate_cells
from dream_gym.analysis.calibration_table import CalibratedCell
from dream_gym.cli.output import make_console, make_progress
from dream_gym.errors import ConfigError
from dream_gym.files import check_writable, write_text
from dream_gym.hardware import load_platform
from dream_gym.workload import load_scenario


def calibrate(
    output: Path,
    scenarios: tuple[str, ...] = (),
    platforms: tuple[str, ...] = (),
    workers: int = 2,
    page: Path | None = None,
) -> None:
    """Find the loads at which schedulers begin to miss deadlines, for all pairs of these.

    Args:
        output: The table, a CSV file; cells that it has already are kept as they are.
        scenarios: Names of scenarios; by default all without phases.
        platforms: Names of platforms; by default all.
        workers: Number of processes.
        page: Write a page with the table, in Markdown, to this file.
    """
    if page is not None:
        check_writable(page)
    if workers < 1:
        raise ConfigError(f"--workers: expected at least 1, got {workers}")
    check_writable(output)
    for name in scenarios:
        if load_scenario(name).phases:
            raise ConfigError(f"--scenarios: {name} has phases; calibrate them one by one")
    for name in platforms:
        load_platform(name)
    pairs = list(
        itertools.product(
            scenarios or _plain_scenarios(), platforms or resources.names("platforms")
        )
    )
    with make_progress() as progress:
        task = progress.add_task("calibrating", total=len(pairs))

        def show(cell: CalibratedCell | None) -> None:
            where = f"{cell.scenario} on {cell.platform}" if cell else "calibrating"
            progress.update(task, advance=1, description=where)

        cells = calibrate_cells(pairs, output, workers=workers, on_cell=show)
    if page is not None:
        write_text(page, calibration_page(cells))
    contended = sum(cell.contended for cell in cells)
    make_console().print(f"{output}: {len(cells)} cells, {contended} of them contended")


def _plain_scenarios() -> list[str]:
    """Scenarios with phases are calibrated phase by phase, under the names of what they run."""
    return [name for name in resources.names("scenarios") if not load_scenario(name).phases]
