"""The folder that a benchmark writes, read and checked."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from dream_gym.analysis.extra import polars
from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.suites.suite import Seconds
from dream_gym.errors import ConfigError, shown
from dream_gym.players import OptionValue
from dream_gym.reading.fields import FileName, Prose
from dream_gym.reading.inputs import read_bytes, read_text
from dream_gym.reading.parquet_size import check_parquet_size
from dream_gym.reading.resources import Config, validate
from dream_gym.schedulers import Family
from dream_gym.simulator.cell import Expiry, Load, Probability, Share

if TYPE_CHECKING:
    import polars as pl

ABOUT, RUNS = "about.json", "runs.parquet"
SCHEMA = 2
"""Version of the file about.json."""
MOST_RUNS = 4_000_000
MOST_BYTES = 512 * 2**20
"""Largest size of the tidy table, packed and unpacked."""
_KEYS = ("cell", "policy", "seed")
_BOUNDS = ("", "_lightest")
_POSITIVE = (
    "uxcost",
    *(
        f"{name}{which}"
        for name in ("lower_bound", "multiple", "energy_multiple")
        for which in _BOUNDS
    ),
)
_DEFINED = (
    *("violation_rate", "lost_rate", "useless_share", "energy_mj", "energy_charged_mj"),
    *("power_mw", "accuracy_loss"),
    *(f"missed.{cause}" for cause in CAUSES),
)
_UNDEFINED = (
    *("accuracy", "lateness_p50_ms", "lateness_p99_ms"),
    *("response_p50", "response_p99", "response_max"),
)
"""Columns in which a run may have no value."""


class _Part(Config):
    """A part of about.json, with the keys that reports need; others are ignored."""

    model_config = ConfigDict(extra="ignore")


class _Cell(Config):
    """The fields of a cell; all of them are there, see `cell_title`."""

    scenario: str
    platform: str
    load: Load
    expiry: Expiry | None
    cascade: Probability | None
    jitter: Share | None
    contention: bool | None = None
    costs: dict[str, Any] | None = None


class _Suite(_Part):
    """A suite as it was run."""

    name: FileName
    description: Prose
    notes: Prose
    seconds: Seconds
    xrbench_score: bool
    cells: Annotated[tuple[_Cell, ...], Field(min_length=1)]


class _Seeds(_Part):
    """The seeds of all runs."""

    first: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(ge=1)]


class _Setting(_Part):
    """The settings of a policy on a cell."""

    cell: int
    policy: str
    family: Family
    scheduler: str = ""
    options: dict[str, OptionValue] = Field(default_factory=dict)
    tuning: dict[str, Any] = Field(default_factory=dict)


class _About(_Part):
    """The file about.json."""

    schema_version: Literal[2] = Field(alias="schema")
    command: str
    versions: dict[str, str]
    suite: _Suite
    seeds: _Seeds
    policies: Annotated[tuple[_Setting, ...], Field(min_length=1)]

    @property
    def names(self) -> list[str]:
        """The policies in order."""
        return [item.policy for item in self.policies if item.cell == 0]

    @property
    def runs(self) -> int:
        """Number of rows of the table."""
        return len(self.policies) * self.seeds.count

    @model_validator(mode="after")
    def _check_runs(self) -> _About:
        expected = [(cell, name) for cell in range(len(self.suite.cells)) for name in self.names]
        found = [(item.cell, item.policy) for item in self.policies]
        if found != expected or len(set(expected)) < len(expected):
            raise ValueError("policies: expected each policy once on every cell, in order")
        if self.runs > MOST_RUNS:
            raise ValueError(f"seeds.count: more than {MOST_RUNS:,} runs")
        return self


def read_outcome(folder: Path) -> Outcome:
    """Read the folder that a benchmark has written.

    Raises:
        ConfigError: It is not such a folder, or a file in it is damaged or too large.
    """
    try:
        content = _read_json(folder / ABOUT)
        about = _checked(content, folder / ABOUT)
        rows = _read_rows(folder / RUNS, about)
    except ConfigError as error:
        raise ConfigError(
            f"{folder}: not the outcome of a benchmark: {error}; name another folder, or run the "
            "benchmark again"
        ) from error
    return Outcome(content, rows, folder)


def suite_in(folder: Path) -> str | None:
    """The name of the suite whose outcome a folder holds, None if it holds none."""
    try:
        name = _read_json(folder / ABOUT)["suite"]["name"]
    except (ConfigError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not JSON: {error}") from error


def _checked(content: Any, path: Path) -> _About:
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, got {shown(content)}")
    if content.get("schema", SCHEMA) != SCHEMA:
        raise ConfigError(f"{path}: is of another version")
    return validate(content, _About, origin=str(path))


def _read_rows(path: Path, about: _About) -> pl.DataFrame:
    """The columns of the tidy table that reports need."""
    content = read_bytes(path, most=MOST_BYTES)
    needed = [*_KEYS, *_POSITIVE, *_DEFINED, *_UNDEFINED]
    needed += ["xrbench_score"] * about.suite.xrbench_score
    try:
        present = list(polars().read_parquet_schema(io.BytesIO(content)))
        if missing := [name for name in needed if name not in present]:
            raise ConfigError(f"{path}: column {missing[0]} is missing")
        check_parquet_size(content, needed, most_rows=about.runs, most_bytes=MOST_BYTES)
        rows: pl.DataFrame = polars().read_parquet(io.BytesIO(content), columns=needed)
    except ConfigError:
        raise
    except Exception as error:  # polars has errors of its own for every way to be damaged
        what = " ".join(str(error).split())
        raise ConfigError(f"{path}: cannot be read: {what}") from error
    _check_keys(rows, path, about)
    _check_figures(rows, path)
    return rows


def _check_keys(rows: pl.DataFrame, path: Path, about: _About) -> None:
    """Check that each policy has played each seed of each cell once."""
    if len(rows) != about.runs:
        raise ConfigError(f"{path}: has {len(rows)} rows, but {ABOUT} tells of {about.runs} runs")
    column, keys = polars().col, rows.select(_KEYS)
    for name in ("cell", "seed"):
        if not keys[name].dtype.is_integer():
            raise ConfigError(f"{path}: {name}: expected whole numbers, got {keys[name].dtype}")
    if keys["policy"].dtype != polars().String:
        raise ConfigError(f"{path}: policy: expected names, got {keys['policy'].dtype}")
    first, count = about.seeds.first, about.seeds.count
    known = keys.filter(
        column("cell").is_between(0, len(about.suite.cells) - 1),
        column("policy").is_in(about.names),
        column("seed").is_between(first, first + count - 1),
    )
    if known.n_unique() != about.runs:
        raise ConfigError(
            f"{path}: expected each policy of {ABOUT} once on every cell under every seed"
        )


def _check_figures(rows: pl.DataFrame, path: Path) -> None:
    """Check that there is a figure wherever reports need one."""
    for name in rows.columns[len(_KEYS) :]:
        if not (rows[name].dtype.is_numeric() or rows[name].dtype == polars().Null):
            raise ConfigError(f"{path}: {name}: expected numbers, got {rows[name].dtype}")
        figures = rows[name].cast(polars().Float64)
        defined = figures.drop_nulls()
        if not defined.is_finite().all():
            raise ConfigError(f"{path}: {name}: expected finite numbers")
        if name not in _UNDEFINED and len(defined) < len(figures):
            raise ConfigError(f"{path}: {name}: a run has no figure")
        if name in _POSITIVE and not (defined > 0).all():
            raise ConfigError(f"{path}: {name}: expected positive numbers")
