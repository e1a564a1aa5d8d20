"""The outcome of a suite as reports read it: the tidy table, and how it was made."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dream_gym.analysis.extra import polars
from dream_gym.analysis.measures.aggregates import Bootstrap, Scores
from dream_gym.analysis.measures.statistics import LEAST_UNITS
from dream_gym.generator import PREFIX
from dream_gym.schedulers import BUILTIN, Family
from dream_gym.simulator import Cell, cell_title

if TYPE_CHECKING:
    import polars as pl

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


@dataclass(frozen=True)
class Outcome:
    """What reports read.

    Args:
        about: The content of the file about.json, see `report.write_json`.
        rows: The tidy table.
        folder: The folder that it was read from, if any.
        given_name: Its name; by default that of the suite.
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

    @property
    def seconds(self) -> str:
        """The length of every run, in words."""
        return f"{self.about['suite']['seconds']:g} s"

    @functools.cached_property
    def drawn(self) -> bool:
        """Whether the cells are a sample of random workloads, and claims about such in general.

        Each is then as the generator draws it for a seed, and no two have the same.
        """
        cells = self.about["suite"]["cells"]
        names = {cell["scenario"] for cell in cells}
        return len(cells) >= LEAST_UNITS and len(names) == len(cells) and all(map(_is_drawn, cells))

    @property
    def has_intervals(self) -> bool:
        """Whether there is anything to resample: seeds, or drawn cells."""
        return self.seeds > 1 or self.drawn

    @functools.cached_property
    def bootstrap(self) -> Bootstrap:
        """Resamples of seeds within each cell; of cells with all their seeds, if they are drawn."""
        return Bootstrap(len(self.titles), self.seeds, drawn=self.drawn)

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
    def firsts(self) -> list[str]:
        """The policy of least UXCost on each cell, geometric mean; of equals, the best ranked."""
        means = np.stack([np.log(self.scores(policy)).mean(axis=1) for policy in self.ranking])
        return [self.ranking[index] for index in means.argmin(axis=0).tolist()]

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


def _is_drawn(cell: dict[str, Any]) -> bool:
    """Whether the fields of a cell are those that the generator draws for a seed."""
    scenario = str(cell["scenario"])
    seed = scenario.removeprefix(PREFIX)
    if not scenario.startswith(PREFIX) or not seed.isdecimal() or cell["platform"] != scenario:
        return False  # without drawing it
    given = {name: value for name, value in cell.items() if value is not None}
    return Cell.generated(int(seed)).model_dump(mode="json", exclude_none=True) == given
