"""Costs from a table of measured or simulated layers: CSV, or Parquet."""

from __future__ import annotations

import csv
import functools
import importlib
import io
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from pydantic import PrivateAttr

from dream_gym.errors import ConfigError, plain, shown
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostModel, CostTable, rounded
from dream_gym.reading.inputs import read_bytes, read_text
from dream_gym.reading.parquet_size import check_parquet_size
from dream_gym.reading.resources import FilePath
from dream_gym.reading.stamps import Stamp, stamp_of
from dream_gym.reading.yaml_core import NUMBER
from dream_gym.workload import Network

COLUMNS = ("network", "layer", "accelerator", "latency_ns", "energy_pj")
NUMBERS = COLUMNS[3:]
DIGEST = "digest"
"""The column that says which network a row was made for, see `Network.digest`."""
MAX_VALUE = 1e15  # ns: eleven days; pJ: a kilojoule
_MAX_NAME_BYTES = 1000
_MANY = 20

_Key: TypeAlias = tuple[str, str, str]
_Costs: TypeAlias = tuple[float, float]

_MADE_ANEW = "python -m dream_gym.hardware.export PLATFORM TABLE.csv SCENARIO"


@dataclass(frozen=True)
class CostRows:
    """A table of costs as it was read.

    Args:
        path: The file.
        costs: Latency in ns and energy in pJ by (network, layer, accelerator); the network is
            its digest, or its name in a table without digests.
        made_for: Digests of the networks by their names; none in a table without digests.
        taken_for: In a table without digests, the digest of the first network that was looked up
            under a name: a second one is an error.
    """

    path: Path
    costs: Mapping[_Key, _Costs]
    made_for: Mapping[str, set[str]]
    taken_for: dict[str, str] = field(default_factory=dict)

    def look_up(self, network: Network, accelerators: Iterable[str]) -> list[list[_Costs]]:
        """The costs of a network's layers, for each accelerator.

        Raises:
            ConfigError: It is not in the table, or the table is for another network of its name.
        """
        identity = network.digest if self.made_for else network.name
        if self.made_for:
            self._check_made_for(network)
        else:
            self._check_taken_for(network)
        return [
            [self._costs_of(network.name, (identity, layer.name, name)) for layer in network.layers]
            for name in accelerators
        ]

    def _check_made_for(self, network: Network) -> None:
        others = self.made_for.get(network.name, set())
        if others and not any(network.digest in known for known in self.made_for.values()):
            raise ConfigError(
                f"{self.path}: was made for another network called {network.name!r}, of digest "
                f"{' or '.join(sorted(others))}; this one has {network.digest}: make the table "
                f"again, with {_MADE_ANEW}"
            )

    def _check_taken_for(self, network: Network) -> None:
        if self.taken_for.setdefault(network.name, network.digest) != network.digest:
            raise ConfigError(
                f"{self.path}: does not say which network {network.name!r} is, and two have that "
                f"name: rename one of them ('name:' beside 'onnx:'), and make the table again, "
                f"with {_MADE_ANEW}"
            )

    def _costs_of(self, network: str, key: _Key) -> _Costs:
        if key in self.costs:
            return self.costs[key]
        length = next(n for n in (1, 2, 3) if not any(known[:n] == key[:n] for known in self.costs))
        names = zip(COLUMNS, (network, *key[1:])[:length], strict=False)
        raise ConfigError(
            f"{self.path}: {', '.join(f'{kind} {name!r}' for kind, name in names)} is missing"
        )


class TableCosts(CostModel):
    """Costs looked up in a file, by the names of network, layer and accelerator.

    The file has the columns network, layer, accelerator, latency_ns, energy_pj and digest, in any
    order; further columns are ignored. Latency and energy are positive and may be real numbers:
    latency is rounded up, energy to nearest. The digest is that of the network, which may be
    called something else; a table without that column goes by names, and a warning says so.

    Args:
        model: ``table``.
        path: The file, ``.csv`` or ``.parquet``; in YAML relative to the folder of the YAML file.
    """

    model: Literal["table"] = "table"
    path: FilePath
    # Two platforms that are otherwise equal differ if the file changed in between.
    _stamp: Stamp | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Note the state of the file, so that a changed one is not mistaken for a known one."""
        try:
            self._stamp = stamp_of(self.path)
        except OSError:
            self._stamp = None  # an error once costs are needed

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        rows = read_costs(self.path).look_up(network, chip.accelerator_names)
        costs = np.array(rows, dtype=np.float64).transpose(1, 0, 2)
        return rounded(costs[..., 0], costs[..., 1])


def read_costs(path: Path) -> CostRows:
    """Read a table of costs; again only if the file has changed.

    Raises:
        ConfigError: It cannot be read, is malformed or too large; names the file and the line.
    """
    try:
        return _read(path.absolute(), stamp_of(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error


@functools.lru_cache(maxsize=16)
def _read(path: Path, _: Stamp) -> CostRows:
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
    costs: dict[_Key, _Costs] = {}
    made_for: dict[str, set[str]] = {}
    for line, row in rows:
        where = f"{path}: line {line}"
        names = [row[column] for column in (*COLUMNS[:3], DIGEST) if column in row]
        for column, name in zip((*COLUMNS[:3], DIGEST), names, strict=False):
            if not isinstance(name, str) or not name:
                raise ConfigError(f"{where}: {column}: expected a name, got {shown(name)}")
            if len(name.encode()) > _MAX_NAME_BYTES:
                raise ConfigError(f"{where}: {column}: a name of more than {_MAX_NAME_BYTES} bytes")
        if DIGEST in row:
            made_for.setdefault(row["network"], set()).add(row[DIGEST])
        key = (row.get(DIGEST, row["network"]), row["layer"], row["accelerator"])
        if key in costs:
            raise ConfigError(f"{where}: {', '.join(map(plain, names))} is there twice")
        costs[key] = (
            _positive(row["latency_ns"], f"{where}: latency_ns"),
            _positive(row["energy_pj"], f"{where}: energy_pj"),
        )
    if not costs:
        raise ConfigError(f"{path}: has no rows")
    if not made_for:
        warnings.warn(
            f"{path}: has no column {DIGEST}, which says which networks it was made for: one of "
            f"the same name that has changed since would have the costs of the old one; "
            f"{_MADE_ANEW} writes the table with that column, for the platform that uses it now",
            UserWarning,
            stacklevel=2,
        )
    return CostRows(path, costs, made_for)


def _positive(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ConfigError(f"{where}: expected a number, got {shown(value)}")
    number = float(value)
    if not (math.isfinite(number) and 0 < number <= MAX_VALUE):
        raise ConfigError(
            f"{where}: expected a positive number up to {MAX_VALUE:g}, got {shown(value)}"
        )
    return number


def _check_columns(columns: Iterable[str], path: Path) -> None:
    present = list(columns)
    for column in (*COLUMNS, *(DIGEST for _ in range(DIGEST in present))):
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
            row: dict[str, Any] = dict(zip(header, values, strict=True))
            for column in NUMBERS:
                if NUMBER.fullmatch(row[column]):
                    row[column] = float(row[column])
            yield reader.line_num, row
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
        present = list(polars.read_parquet_schema(io.BytesIO(content)))
        _check_columns(present, path)
        columns = [*COLUMNS, *({DIGEST} & set(present))]
        check_parquet_size(content, columns)
        frame = polars.read_parquet(io.BytesIO(content), columns=columns)
    except ConfigError:
        raise
    except Exception as error:  # polars has errors of its own for every way to be damaged
        raise ConfigError(f"{path}: cannot be read as Parquet: {error}") from error
    for column in {*COLUMNS[:3], DIGEST} & set(columns):
        texts = polars.col(column).cast(polars.String)
        if (frame.select(texts.str.len_bytes().max()).item() or 0) > _MAX_NAME_BYTES:
            raise ConfigError(f"{path}: {column}: a name of more than {_MAX_NAME_BYTES} bytes")
    yield from enumerate(frame.iter_rows(named=True), start=1)
