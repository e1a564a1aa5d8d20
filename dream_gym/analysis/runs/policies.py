"""Policies: players, and those that are tuned first."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from dream_gym.analysis.suites.suite import PolicySpec, Tuning
from dream_gym.players import OptionValue, Player
from dream_gym.simulator import Cell
from dream_gym.workload import training_seeds


class TunedPolicy:
    """A scheduler with the options that are best on training seeds, cell by cell.

    Args:
        spec: What a suite says about it.
        tuning: What is searched, and on what.
    """

    def __init__(self, spec: PolicySpec, tuning: Tuning) -> None:
        self.name = spec.title
        self.tuning = tuning
        self._spec = spec

    @property
    def settings(self) -> dict[str, Any]:
        """Its scheduler, the options given, and what is searched."""
        first = self.player(self.tuning.combinations()[0]).settings
        return first | {
            "options": self._spec.options,
            "tuning": self.tuning.model_dump(mode="json"),
        }

    def search(self, cell: Cell) -> dict[str, OptionValue]:
        """The best point of the grid on a cell: least mean UXCost, the first of several."""
        points = self.tuning.combinations()
        costs = [self._mean_uxcost(self.player(point), cell) for point in points]
        return points[int(np.argmin(costs))]

    def player(self, point: dict[str, OptionValue]) -> Player:
        """The player at a point of the grid."""
        return self._spec.player(point)

    def _mean_uxcost(self, candidate: Player, cell: Cell) -> float:
        seeds = training_seeds(self.tuning.seeds)
        costs = [candidate.run(cell, seed, self.tuning.seconds).uxcost for seed in seeds]
        return float(np.mean(costs))


Policy: TypeAlias = Player | TunedPolicy
"""A player, or one that is first to be tuned on each cell."""


def make_policy(spec: PolicySpec) -> Policy:
    """Make the policy that a suite describes."""
    return spec.player() if spec.tune is None else TunedPolicy(spec, spec.tune)
