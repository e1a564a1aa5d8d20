"""The calibration of many cells in parallel, into the table that suites are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dream_gym.analysis.calibration.scan import Calibration, calibrate
from dream_gym.analysis.runs.parts import NOTHING_KEPT, Parts
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.analysis.suites.calibrated import NAN, CalibratedCell, read_table, write_table
from dream_gym.compiling.sources import package_digest
from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.files import is_stream
from dream_gym.reading.resources import validate
from dream_gym.simulator import Cell


def calibrate_cells(
    pairs: Sequence[tuple[str, str]],
    path: Path,
    *,
    workers: int = 1,
    parts: Parts = NOTHING_KEPT,
    on_cell: Callable[[str], None] = lambda title: None,
) -> list[CalibratedCell]:
    """Calibrate cells in parallel, and add them to a table.

    Cells that the table has already are not calibrated again.

    Args:
        pairs: Scenario and platform of each cell.
        path: The table; it is written once, at the end.
        workers: Number of processes.
        parts: Where to keep finished work, see `parts.keep_parts`.
        on_cell: Called with the title of each cell once it is done, or if the table had it.

    Raises:
        ConfigError: There is no such scenario or platform, or an argument is out of range.
    """
    if workers < 1:
        raise ConfigError(f"workers: expected at least 1, got {workers}")
    cells = {pair: _cell(*pair) for pair in pairs}
    known = read_table(path) if path.exists() and not is_stream(path) else []
    done = {(cell.scenario, cell.platform) for cell in known}
    for pair in done & cells.keys():
        on_cell(" on ".join(pair))
    job, todo = _Job(cells), [pair for pair in cells if pair not in done]
    with processes(job, workers) as pool:
        rows = run_tasks(
            job, todo, pool, parts=parts, on_done=lambda pair: on_cell(" on ".join(pair))
        )
    found = known + [CalibratedCell(**row) for row in rows]
    write_table(path, found)
    return found


def _cell(scenario: str, platform: str) -> Cell:
    cell = validate({"scenario": scenario, "platform": platform}, Cell, origin="calibrate")
    if cell.workload.phases:
        raise ConfigError(f"calibrate: {scenario} has phases; calibrate them one by one")
    return cell


@dataclass
class _Job:
    """What the calibrations have in common."""

    cells: dict[tuple[str, str], Cell]

    def key(self, pair: tuple[str, str]) -> Any:
        """See `pool.Job`."""
        versions = [version(package) for package in ("numpy", "numba")]
        return ["calibrate", package_digest(), versions, self.cells[pair].digest()]

    def run(self, pair: tuple[str, str]) -> dict[str, Any]:
        """See `pool.Job`."""
        try:
            return asdict(as_row(*pair, calibrate(*pair)))
        except ConfigError:
            raise
        except DreamGymError:  # nothing is missed at any load that was tried
            return asdict(CalibratedCell(*pair, NAN, NAN, NAN, NAN, NAN, "", NAN))


def as_row(scenario: str, platform: str, found: Calibration) -> CalibratedCell:
    """A calibration as a row of the table."""
    infeasible = min(found.infeasible_from.items(), key=lambda item: item[1], default=("", NAN))
    return CalibratedCell(
        scenario,
        platform,
        **found.begins_to_miss,
        utilisation_one=round(found.utilisation_one, 3),
        edge_load=found.edge_load,
        infeasible_model=infeasible[0],
        infeasible_load=infeasible[1],
    )
