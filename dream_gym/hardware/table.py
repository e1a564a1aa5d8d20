"""Costs from a table of measured or simulated layers: CSV, or Parquet."""

from __future__ import annotations

import csv
import functools
import importlib
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import PrivateAttr

from dream_gym.errors import ConfigError, plain, shown
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostModel, CostTable, rounded
from dream_gym.hardware.parquet_size import check_parquet_size
from dream_gym.inputs import read_bytes, read_text
from dream_gym.resources import FilePath
from dream_gym.workload import Network
from dream_gym.yaml_core import NUMBER

COLUMNS = ("network", "layer", "accelerator", "latency_ns", "energy_pj")
_MAX_NAME_BYTES = 1000
_MANY = 20
MAX_VALUE = 1e15  # ns: eleven days; pJ: a kilojoule

_Key: TypeAlias = tuple[str, str, str]
_Costs: TypeAlias = tuple[float, float]


class _Stamp(NamedTuple):
    """What tells that a file has changed."""

    modified_ns: int
    size: int


class TableCosts(CostModel):
    """Costs looked up in a file, by the names of network, layer and accelerator.

    The file has the columns network, layer, accelerator, latency_ns and energy_pj, in any order;
    further columns are ignored. Latency and energy are positive and may be real numbers: latency
    is rounded up, energy to nearest.

    Args:
        model: ``table``.
        path: The file, ``.csv`` or ``.parquet``; in YAML relative to the folder of the YAML file.
    """

    model: Literal["table"] = "table"
    path: FilePath
    # Platforms that are otherwise equal are not if the file has changed between them.
    _stamp: _Stamp | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Note the state of the file, so that a changed one is not mistaken for a known one."""
        try:
            self._stamp = _stamp(self.path)
        except OSError:
            self._stamp = None  # an error once costs are asked for

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        table = read_costs(self.path)
        rows = [
            [
                _look_up(table, (network.name, layer.name, name), self.path)
                for layer in network.layers
            ]
            for name in chip.accelerator_names
        ]
        costs = np.array(rows, dtype=np.float64).transpose(1, 0, 2)
        return rounded(costs[..., 0], costs[..., 1])


def read_costs(path: Path) -> Mapping[_Key, _Costs]:
    """Read a table of costs; again only if the file has changed.

    Returns:
        Latency in ns and energy in pJ by (network, layer, accelerator).

    Raises:
        ConfigError: It cannot be read or is malformed; names the file and the line.
    """
    try:
        return _read(path.absolute(), _stamp(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return _Stamp(status.st_mtime_ns, status.st_size)


def _look_up(table: Mapping[_Key, _Costs], key: _Key, path: Path) -> _Costs:
    if key in table:
        return table[key]
    length = next(n for n in (1, 2, 3) if not any(known[:n] == key[:n] for known in table))
    names = (f"{kind} {name!r}" for kind, name in zip(COLUMNS, key[:length], strict=False))
    raise ConfigError(f"{path}: {', '.join(names)} is missing")


@functools.lru_cache(maxsize=16)
def _read(path: Path, _: _Stamp) -> Mapping[_Key, _Costs]:
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
    table: dict[_Key, _Costs] = {}
    for line, row in rows:
        where = f"{path}: line {line}"
        names = [row[column] for column in COLUMNS[:3]]
        for column, name in zip(COLUMNS, names, strict=False):
            if not isinstance(name, str) or not name:
                raise ConfigError(f"{where}: {column}: expected a name, got {shown(name)}")
        key = (names[0], names[1], names[2])
        if key in table:
            raise ConfigError(f"{where}: {', '.join(map(plain, key))} is there twice")
        table[key] = (
            _positive(row["latency_ns"], f"{where}: latency_ns"),
            _positive(row["energy_pj"], f"{where}: energy_pj"),
        )
    if not table:
        raise ConfigError(f"{path}: has no rows")
    return table


def _positive(value: Any, where: str) -> float:
    written = isinstance(value, str) and NUMBER.fullmatch(value)
    if isinstance(value, bool) or not (written or isinstance(value, int | float | Decimal)):
        raise ConfigError(f"{where}: expected a number, got {shown(value)}")
    number = float(value)
    if not (math.isfinite(number) and 0 < number <= MAX_VALUE):
        raise ConfigError(
            f"{where}: expected a positive number up to {MAX_VALUE:g}, got {shown(value)}"
        )
    return number


def _check_columns(columns: Iterable[str], path: Path) -> None:
    present = list(columns)
    for column in COLUMNS:
        if present.count(column) != 1:
            problem = "is there twice" if column in present else "is missing"
            found = ", ".join(map(plain, present[:_MANY]))
            raise ConfigError(f"{path}: column {column} {problem}; found: {found}")


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line number and content of the rows."""
    text = read_text(path)
    if not text:
        raise ConfigError(f"{path}: is empty")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_columns(header, path)
        for values in reader:
            if not values:
                continue
            if len(values) != len(header):
                raise ConfigError(
                    f"{path}: line {reader.line_num}: expected {len(header)} values, got "
                    f"{len(values)}; is the file cut off?"
                )
            yield reader.line_num, dict(zip(header, values, strict=True))
    except csv.Error as error:
        raise ConfigError(f"{path}: line {reader.line_num}: {error}") from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Row number, from 1, and content of the rows."""
    try:
        polars = importlib.import_module("polars")
    except ImportError:
        raise ConfigError(
            f'{path}: polars is missing; Parquet needs: pip install "dream_gym[bench]"'
        ) from None
    content = read_bytes(path)
    try:
        check_parquet_size(content, COLUMNS)
        _check_columns(polars.read_parquet_schema(io.BytesIO(content)), path)
        frame = polars.read_parquet(io.BytesIO(content), columns=list(COLUMNS))
    except ConfigError:
        raise
    except Exception as error:  # polars has errors of its own for every way to be damaged
        raise ConfigError(f"{path}: cannot be read as Parquet: {error}") from error
    for column in COLUMNS[:3]:
        texts = polars.col(column).cast(polars.String)
        if (frame.select(texts.str.len_bytes().max()).item() or 0) > _MAX_NAME_BYTES:
            raise ConfigError(f"{path}: {column}: a name of more than {_MAX_NAME_BYTES} bytes")
    yield from enumerate(frame.iter_rows(named=True), start=1)
