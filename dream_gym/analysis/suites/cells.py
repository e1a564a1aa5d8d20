"""The cells of a suite, listed one by one, as the product of what varies, or drawn."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo

from dream_gym.analysis.suites.calibrated import CalibratedCell, calibrated_cells
from dream_gym.analysis.suites.profile import full_load
from dream_gym.hardware import AnyCosts
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.simulator import Cell
from dream_gym.simulator.cell import Expiry, Load, Probability, Share
from dream_gym.workload import EVALUATION, SEEDS_PER_PURPOSE, SELECTION, TRAINING

MAX_CELLS = 10_000
Purpose: TypeAlias = Literal["training", "selection", "test"]
PURPOSES: dict[Purpose, range] = {
    "training": TRAINING,
    "selection": SELECTION,
    "test": EVALUATION,
}
"""What drawn workloads are for, and their seeds."""
STRESS = (0.8, 0.9, 0.95)
"""Of the load beyond which a cell cannot be served."""
LOAD_DIGITS = 3
SWEEP_FROM = 0.25
CALM_STEPS, BUSY_STEPS = 5, 15
"""Steps of a sweep below and above the load at which deadlines begin to be missed."""


def _not_renamed(loads: Any) -> Any:
    if loads == "contended":
        raise ValueError("'contended' is called 'edge' now")
    return loads


class Grid(Config):
    """Cells as the product of what varies, the last varying fastest.

    Args:
        scenarios: Names or paths, see `Cell`.
        platforms: Names or paths, see `Cell`.
        expiry: See `Cell`.
        cascade: See `Cell`.
        jitter: See `Cell`.
        loads: Factors on every rate, the same for all; or ``stress``: 80, 90 and 95 % of
            `full_load`. Or from the table of calibrations, which has the shipped cells only:
            ``edge`` keeps those that have an edge, each at its edge load; ``sweep`` goes from 0.25
            in five equal steps to where the first of the calibrated schedulers begins to miss
            deadlines, and on, in fifteen equal ratios, to the load beyond which no scheduler keeps
            up.
        contention: See `Cell`; the same for all.
        costs: See `Cell`; the same for all.
    """

    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    platforms: Annotated[tuple[str, ...], Field(min_length=1)]
    expiry: Annotated[tuple[Expiry, ...], Field(min_length=1)] | None = None
    cascade: Annotated[tuple[Probability, ...], Field(min_length=1)] | None = None
    jitter: Annotated[tuple[Share, ...], Field(min_length=1)] | None = None
    loads: Annotated[
        Annotated[tuple[Load, ...], Field(min_length=1)] | Literal["edge", "stress", "sweep"],
        BeforeValidator(_not_renamed),
    ] = (1.0,)
    contention: bool | None = None
    costs: AnyCosts | None = None

    def cells(self, info: ValidationInfo) -> list[dict[str, Any]]:
        """The fields of all its cells.

        Args:
            info: What the cells are validated with later.

        Raises:
            ValueError: None of them is in the table of calibrations.
        """
        axes = (self.scenarios, self.platforms)
        options = (self.expiry or (None,), self.cascade or (None,), self.jitter or (None,))
        loads = self.loads if not isinstance(self.loads, str) else ()
        if math.prod(map(len, (*axes, *options, loads or (None,)))) > MAX_CELLS:
            raise ValueError(f"more than {MAX_CELLS} cells")
        same = self.contention, self.costs
        found = []
        for scenario, platform, *rest in itertools.product(*axes, *options):
            values = (scenario, platform, 1.0, *rest, *same)
            cell = dict(zip(Cell.model_fields, values, strict=True))
            cell = {name: value for name, value in cell.items() if value is not None}
            found += [{**cell, "load": load} for load in self._loads(cell, info)]
        if not found:
            raise ValueError(f"loads: no cell of the calibration is {self.loads}")
        return found

    def _loads(self, cell: dict[str, Any], info: ValidationInfo) -> tuple[float, ...]:
        if not isinstance(self.loads, str):
            return self.loads
        if self.loads == "stress":
            return _stress_loads(cell, info)
        others = [name for name in ("contention", "costs") if name in cell]
        if others:
            raise ValueError(
                f"loads: {self.loads} is from a calibration without {others[0]}: list the loads"
            )
        known = _calibration().get((cell["scenario"], cell["platform"]))
        if known is None:
            return ()
        if self.loads == "sweep":
            return sweep_loads(known)
        return (known.edge_load,) if known.has_edge else ()


@functools.cache
def _calibration() -> dict[tuple[str, str], CalibratedCell]:
    return {(cell.scenario, cell.platform): cell for cell in calibrated_cells()}


def _stress_loads(fields: dict[str, Any], info: ValidationInfo) -> tuple[float, ...]:
    try:
        cell = Cell.model_validate(fields, context=info.context)
    except ValidationError:
        return (1.0,)  # it is validated again, and then the error has the place of the cell
    full = full_load(cell)
    return tuple(round(share * full, LOAD_DIGITS) for share in STRESS)


class Seeds(Config):
    """Seeds of the generator of workloads.

    Args:
        purpose: ``training``, ``selection`` or ``test``: what the workloads are for; the three
            ranges have none in common.
        count: How many.
        first: Position of the first of them in its range.
    """

    purpose: Purpose
    count: Annotated[int, Field(ge=1, le=MAX_CELLS)]
    first: Annotated[int, Field(ge=0, le=SEEDS_PER_PURPOSE - MAX_CELLS)] = 0


class Generate(Config):
    """Cells that the generator of workloads draws, see `generate_workload`.

    Args:
        generate: Which.
    """

    generate: Seeds

    def cells(self) -> list[Cell]:
        """All its cells."""
        seeds = PURPOSES[self.generate.purpose][self.generate.first :][: self.generate.count]
        return [Cell.generated(seed) for seed in seeds]


def sweep_loads(cell: CalibratedCell) -> tuple[float, ...]:
    """The loads of a sweep, see `Grid`; none where the calibration found nothing missed."""
    if np.isnan(cell.utilisation_one):
        return ()
    first = max(min(cell.fcfs, cell.edf, cell.dream_mapscore), SWEEP_FROM)
    calm = np.linspace(SWEEP_FROM, first, CALM_STEPS + 1)
    busy = np.geomspace(first, max(cell.utilisation_one, first), BUSY_STEPS + 1)
    return tuple(sorted({round(load, LOAD_DIGITS) for load in (*calm.tolist(), *busy.tolist())}))


def _expand(items: Any, info: ValidationInfo) -> Any:
    """Replace grids by their cells."""
    if not isinstance(items, list | tuple):
        return items
    expanded: list[Any] = []
    for index, item in enumerate(items):
        if isinstance(item, dict) and "scenarios" in item:
            expanded += resources.validate(item, Grid, origin=str(index)).cells(info)
        elif isinstance(item, dict) and "generate" in item:
            expanded += resources.validate(item, Generate, origin=str(index)).cells()
        else:
            expanded.append(item)
        if len(expanded) > MAX_CELLS:
            raise ValueError(f"more than {MAX_CELLS} cells")
    return expanded


Cells: TypeAlias = Annotated[
    tuple[Cell, ...],
    Field(min_length=1),
    BeforeValidator(_expand, json_schema_input_type=list[Cell | Grid | Generate]),
]
"""Cells, in YAML listed, as grids, or drawn."""
