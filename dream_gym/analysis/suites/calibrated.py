"""The calibration of many cells, as a table that is shipped and that suites are made from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path

from dream_gym.errors import ConfigError, shown
from dream_gym.files import replacing
from dream_gym.reading.inputs import read_text
from dream_gym.reading.yaml_core import NUMBER


@dataclass(frozen=True)
class CalibratedCell:
    """A row of the table; loads are NaN where nothing is missed up to any load tried.

    Args:
        scenario: Name of the scenario.
        platform: Name of the platform.
        fcfs: Load at which FCFS begins to miss deadlines.
        edf: Load at which EDF does.
        dream_mapscore: Load at which DREAM with its default parameters does.
        utilisation_one: Load at which the utilisation of `Profile` is 1.
        edge_load: Halfway between FCFS and the best other.
        infeasible_model: The model that first cannot meet its deadline even alone; empty if none.
        infeasible_load: From which load on.
    """

    scenario: str
    platform: str
    fcfs: float
    edf: float
    dream_mapscore: float
    utilisation_one: float
    edge_load: float
    infeasible_model: str
    infeasible_load: float

    @property
    def has_edge(self) -> bool:
        """Whether scheduling decides at the edge load.

        There FCFS misses deadlines that another scheduler meets, or could: every model can meet
        its deadline alone.
        """
        best = max(self.edf, self.dream_mapscore)
        feasible = not self.infeasible_model or self.edge_load < self.infeasible_load
        return feasible and self.fcfs < best


NAN = float("nan")
NAMES = tuple(field.name for field in fields(CalibratedCell))


def calibrated_cells() -> list[CalibratedCell]:
    """The cells of the shipped table."""
    return read_table(Path(str(files("dream_gym.configs") / "calibration.csv")))


def edge_cells() -> list[CalibratedCell]:
    """The cells of the shipped table at whose edge load scheduling decides."""
    return [cell for cell in calibrated_cells() if cell.has_edge]


def read_table(path: Path) -> list[CalibratedCell]:
    """Read a table of calibrations.

    Raises:
        ConfigError: It cannot be read or is malformed; names the file and the line.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
        if tuple(reader.fieldnames or ()) != NAMES:
            raise ConfigError(f"{path}: line 1: expected the columns {', '.join(NAMES)}")
        found: dict[tuple[str, str], CalibratedCell] = {}
        for row in reader:
            where = f"{path}: line {reader.line_num}"
            cell = _row(row, where)
            if found.setdefault((cell.scenario, cell.platform), cell) is not cell:
                raise ConfigError(f"{where}: {cell.scenario} on {cell.platform} is there twice")
        return list(found.values())
    except csv.Error as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _row(row: dict[str, str], where: str) -> CalibratedCell:
    texts = ("scenario", "platform", "infeasible_model")
    if len(row) != len(NAMES) or None in row.values():
        raise ConfigError(f"{where}: expected {len(NAMES)} columns")
    numbers = {}
    for name in NAMES:
        if name not in texts:
            if row[name] != "nan" and not NUMBER.fullmatch(row[name]):
                raise ConfigError(f"{where}: {name}: expected a number, got {shown(row[name])}")
            numbers[name] = float(row[name])
    return CalibratedCell(**{name: row[name] for name in texts}, **numbers)  # type: ignore[arg-type]


def write_table(path: Path, cells: Iterable[CalibratedCell]) -> None:
    """Write a table that `read_table` reads, whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(NAMES)
        for cell in sorted(cells, key=lambda cell: (cell.scenario, cell.platform)):
            writer.writerow([getattr(cell, name) for name in NAMES])
