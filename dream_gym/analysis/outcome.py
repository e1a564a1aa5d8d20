"""The outcome of a suite as reports read it: the tidy table, and how it was made."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dream_gym.analysis.aggregates import Bootstrap, Scores
from dream_gym.analysis.cells import cell_title
from dream_gym.analysis.extra import polars
from dream_gym.errors import ConfigError
from dream_gym.inputs import read_text

if TYPE_CHECKING:
    import polars as pl

ABOUT, RUNS = "about.json", "runs.parquet"
DREAM = ("dream_mapscore", "dream_smartdrop", "dream_full", "dream_online")
"""Schedulers that are DREAM as published; `dream_plus` is ours."""
SIMPLE = ("fcfs", "edf", "llf", "sjf", "evdf")
"""Rules that order frames by one number, whatever the placement."""
OURS = "dream_plus"


@dataclass(frozen=True)
class Outcome:
    """What reports read.

    Args:
        about: The content of the file about.json, see `report.write_json`.
        rows: The tidy table.
    """

    about: dict[str, Any]
    rows: pl.DataFrame

    @property
    def name(self) -> str:
        """The name of the suite."""
        return str(self.about["suite"]["name"])

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

    @property
    def rivals(self) -> set[str]:
        """The schedulers that are neither DREAM, nor ours, nor simple rules; not agents."""
        return {name for name in self.schedulers.values() if name} - {*DREAM, *SIMPLE, OURS}

    def best(self, schedulers: Collection[str]) -> str | None:
        """The policy that ranks first of those with one of some schedulers."""
        ranked = (p for p in self.ranking if self.schedulers[p] in schedulers)
        return next(ranked, None)


def read_outcome(folder: Path) -> Outcome:
    """Read the folder that a benchmark has written.

    Raises:
        ConfigError: It is not such a folder, or a file in it is damaged.
    """
    try:
        about = json.loads(read_text(folder / ABOUT))
        rows = polars().read_parquet(folder / RUNS)
    except Exception as error:  # polars has errors of its own for every way to be damaged
        raise ConfigError(f"{folder}: not the outcome of a benchmark: {error}") from error
    outcome = Outcome(about, rows)
    expected = len(outcome.titles) * len(outcome.policies) * outcome.seeds
    if len(rows) != expected:
        raise ConfigError(
            f"{folder}: {RUNS} has {len(rows)} rows, but {ABOUT} tells of {expected} runs: run the "
            "benchmark again"
        )
    return outcome
