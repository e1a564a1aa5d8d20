"""The outcome of a suite as reports read it: the tidy table, and how it was made."""

from __future__ import annotations

import functools
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from dream_gym.analysis.extra import polars
from dream_gym.analysis.measures.aggregates import Bootstrap, Scores
from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.suites.suite import Seconds
from dream_gym.errors import ConfigError, shown
from dream_gym.players import OptionValue
from dream_gym.reading.fields import FileName, Prose
from dream_gym.reading.inputs import read_bytes, read_text
from dream_gym.reading.parquet_size import check_parquet_size
from dream_gym.reading.resources import Config, validate
from dream_gym.schedulers import BUILTIN, Family
from dream_gym.simulator import cell_title
from dream_gym.simulator.cell import Expiry, Load, Probability, Share

if TYPE_CHECKING:
    import polars as pl

ABOUT, RUNS = "about.json", "runs.parquet"
SCHEMA = 2
"""Version of the file about.json."""
FAMILIES: dict[Family, str] = {
    "DREAM": "DREAM",
    "rule": "simple rule",
    "rival": "rival",
    "ours": "our own scheduler",
    "learned": "trained agent",
    "yours": "player of your own",
}
"""What the families of players are called."""
DEFAULTS = "with its defaults"
MOST_RUNS = 4_000_000
MOST_BYTES = 512 * 2**20
"""Of the tidy table, packed and unpacked."""
_KEYS = ("cell", "policy", "seed")
_POSITIVE = ("uxcost", "multiple", "lower_bound")
_DEFINED = (
    *("violation_rate", "lost_rate", "useless_share", "energy_mj", "energy_charged_mj"),
    "accuracy_loss",
    *(f"missed.{cause}" for cause in CAUSES),
)
_UNDEFINED = ("accuracy", "lateness_p50_ms", "lateness_p99_ms")
"""Columns that a run may have nothing in."""


@dataclass(frozen=True)
class Outcome:
    """What reports read.

    Args:
        about: The content of the file about.json, see `report.write_json`.
        rows: The tidy table.
        folder: Where it was read from, if it was.
        given_name: What it is called; by default as the suite.
    """

    about: dict[str, Any]
    rows: pl.DataFrame
    folder: Path | None = None
    given_name: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.given_name or str(self.about["suite"]["name"])

    @functools.cached_property
    def titles(self) -> list[str]:
        """What the cells are called, by index."""
        return [cell_title(**cell) for cell in self.about["suite"]["cells"]]

    @functools.cached_property
    def schedulers(self) -> dict[str, str]:
        """The scheduler of each policy, in order; of an agent, none."""
        return {
            item["policy"]: item.get("scheduler", "")
            for item in self.about["policies"]
            if item["cell"] == 0
        }

    @property
    def policies(self) -> list[str]:
        """The policies in order."""
        return list(self.schedulers)

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.about["seeds"]["count"])

    @functools.cached_property
    def bootstrap(self) -> Bootstrap:
        """Resamples of all cells and seeds."""
        return Bootstrap(len(self.titles), self.seeds)

    @functools.cached_property
    def _by_policy(self) -> dict[str, pl.DataFrame]:
        ordered = self.rows.sort("cell", "seed")
        return {policy: ordered.filter(policy=policy) for policy in self.policies}

    def scores(self, policy: str, column: str = "multiple") -> Scores:
        """A column of the runs of a policy, shape (cells, seeds); NaN where it is not defined."""
        values = self._by_policy[policy][column].cast(polars().Float64).to_numpy()
        shaped: Scores = np.asarray(values, dtype=np.float64).reshape(-1, self.seeds)
        return shaped

    @functools.cached_property
    def ranking(self) -> list[str]:
        """The policies by UXCost as a multiple of the lower bound, geometric mean, best first."""
        means = {p: float(np.log(self.scores(p)).mean()) for p in self.policies}
        return sorted(self.policies, key=lambda policy: means[policy])

    @functools.cached_property
    def families(self) -> dict[str, Family]:
        """The family of each policy."""
        return {item["policy"]: item["family"] for item in self.about["policies"]}

    def best(self, family: Family) -> str | None:
        """The policy of a family that ranks first."""
        return next((p for p in self.ranking if self.families[p] == family), None)

    def setting(self, policy: str) -> str:
        """How the scheduler of a policy is set, in words: its options, or its defaults."""
        settings = next(item for item in self.about["policies"] if item["policy"] == policy)
        if "tuning" in settings:
            return "tuned cell by cell"
        scheduler = BUILTIN.get(self.schedulers[policy])
        fields = scheduler.options.model_fields if scheduler else {}
        given = [
            f"{name}={value}"
            for name, value in settings.get("options", {}).items()
            if name not in fields or value != fields[name].default
        ]
        return f"with {', '.join(given)}" if given else DEFAULTS


class _Part(Config):
    """What reports need of a part of about.json, which has more."""

    model_config = ConfigDict(extra="ignore")


class _Cell(Config):
    """The fields of a cell; all of them are there, see `cell_title`."""

    scenario: str
    platform: str
    load: Load
    expiry: Expiry | None
    cascade: Probability | None
    jitter: Share | None


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
    """What a policy was set to on a cell."""

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
