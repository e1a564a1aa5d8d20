"""The page on the calibration of the shipped cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from dream_gym.analysis.report.markdown import code, escape, row
from dream_gym.analysis.suites.calibrated import CalibratedCell

_INTRODUCTION = """# At which loads deadlines begin to be missed

At their nominal rates most cells (a scenario on a platform) are uncontended: every scheduler meets
every deadline, and they differ in energy only. This table says, for each cell, at which load (a
factor on every rate) that ends:

* **FCFS, EDF, DREAM**: the least load at which any frame is late in any of four training worlds of
  2 s, with soft deadlines; DREAM is `dream_mapscore` with its default parameters. Loads are scanned
  upward in steps of 0.01, or of a hundredth of the load where that is more, and then in steps of
  0.001, because violations are not monotone in load.
* **busy**: the load at which some accelerator is busy all the time, however layers are spread: no
  scheduler keeps up beyond.
* **alone**: the load from which on a model cannot meet its deadline even alone on the chip, if that
  is not above the loads to the left, and which.
* **edge load**: halfway between FCFS and the best of the others.
* A cell **has an edge** (in bold) where FCFS begins to miss before the best of the others does,
  and every model can meet its deadline alone at the edge load: there scheduling decides.

{edges} of {count} cells have one. `dream_gym.analysis.suites.calibrated.edge_cells()`
returns them. Made by `make calibration`, which takes an hour on two cores; one cell at a time, with
a sweep around it, by `dream-gym show SCENARIO --platform PLATFORM --calibrate`.
"""
_HEAD = """
| platform | FCFS | EDF | DREAM | busy | alone | edge load |
|---|---|---|---|---|---|---|"""


def calibration_page(cells: Sequence[CalibratedCell]) -> str:
    """The page, as Markdown."""
    edges = sum(cell.has_edge for cell in cells)
    lines = [_INTRODUCTION.format(edges=edges, count=len(cells))]
    ordered = sorted(cells, key=lambda cell: (cell.scenario, cell.platform))
    for scenario, group in itertools.groupby(ordered, key=lambda cell: cell.scenario):
        lines.append(f"## {escape(scenario)}\n{_HEAD}")
        lines += [_row(cell) for cell in group]
        lines.append("")
    return "\n".join(lines)


def _row(cell: CalibratedCell) -> str:
    alone = f"{_load(cell.infeasible_load)} ({escape(cell.infeasible_model)})"
    mark = "**" if cell.has_edge else ""
    columns = (
        code(cell.platform),
        _load(cell.fcfs),
        _load(cell.edf),
        _load(cell.dream_mapscore),
        _load(cell.utilisation_one),
        alone if cell.infeasible_model else "",
        f"{mark}{_load(cell.edge_load)}{mark}",
    )
    return row(columns)


def _load(load: float) -> str:
    return "" if math.isnan(load) else f"{load:.3f}"
