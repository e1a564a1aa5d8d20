"""The calibration of many cells in parallel, into the table that suites are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from dream_gym.analysis.calibration import Calibration, calibrate
from dream_gym.analysis.calibration_table import NAN, CalibratedCell, read_table, write_table
from dream_gym.errors import DreamGymError


def calibrate_cells(
    pairs: Sequence[tuple[str, str]],
    path: Path,
    *,
    workers: int,
    on_cell: Callable[[CalibratedCell | None], None] = lambda cell: None,
) -> list[CalibratedCell]:
    """Calibrate cells in parallel, into a table that is kept up to date.

    Cells that the table has already are not calibrated again, so that an interrupted run can be
    taken up.

    Args:
        pairs: Scenario and platform of each cell.
        path: The table.
        workers: Number of processes.
        on_cell: Called with each cell that is done, and with None for one that was there.
    """
    cells = read_table(path) if path.exists() else []
    done = {(cell.scenario, cell.platform) for cell in cells}
    todo = [pair for pair in pairs if pair not in done]
    for _ in range(len(pairs) - len(todo)):
        on_cell(None)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for cell in pool.map(_calibrate_cell, todo):
                cells.append(cell)
                write_table(path, cells)
                on_cell(cell)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return cells


def _calibrate_cell(pair: tuple[str, str]) -> CalibratedCell:
    try:
        return as_row(*pair, calibrate(*pair))
    except DreamGymError:  # nothing is missed at any load that was tried
        return CalibratedCell(*pair, NAN, NAN, NAN, NAN, NAN, "", NAN)


def as_row(scenario: str, platform: str, found: Calibration) -> CalibratedCell:
    """A calibration as a row of the table."""
    infeasible = min(found.infeasible_from.items(), key=lambda item: item[1], default=("", NAN))
    return CalibratedCell(
        scenario,
        platform,
        **found.begins_to_miss,
        utilisation_one=round(found.utilisation_one, 3),
        contended_load=found.contended_load,
        infeasible_model=infeasible[0],
        infeasible_load=infeasible[1],
    )
