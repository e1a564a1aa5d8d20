"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dream_gym.simulator.arena import Ints

Table = NDArray[np.void]
"""A structured array: ``table["start_ns"]`` is a column; pandas and polars read it as it is."""


@dataclass(frozen=True)
class Result:
    """The outcome of one run. Dicts are by model name, energies in pJ.

    Args:
        uxcost: Sum of violation rates × sum of normalised energies, dimensionless.
        lower_bound: UXCost without violations and with every layer where it needs least energy.
        lower_bound_lightest: The same, with the variant of a Supernet that needs least energy.
        frame_count: Frames with a deadline within the horizon.
        violation_rate: Share of frames that were late or lost, in [0, 1]; 0 without frames.
        lost_rate: Share of frames that were lost.
        energy_spent: Energy of all dispatches.
        energy_charged: Energy of completed frames, and the worst case for each lost frame.
        dispatches: Number of dispatches.
        accuracy: Mean top-1 accuracy of completed frames in percent, of models that state it.
        accuracy_loss: What variants lose of the original's accuracy, as a fraction of a violation:
            the sum of 1 − top1 / top1 of the original over completed frames, over all frames; 0
            where networks do not state it.
        busy_share: Share of the time that each accelerator was busy, by accelerator name.
        seed: Seed of the world.
        seconds: Simulated time.
        frames: With ``record=True``, a row per frame: `frames.FRAME_COLUMNS`, int64; ``fate`` is
            an index into `frames.FATES`, ``model`` an index into the scenario's models.
        timeline: With ``record=True``, a row per dispatch: `dispatching.TIMELINE_COLUMNS`,
            int64, in order of dispatch.
    """

    uxcost: float
    lower_bound: float
    lower_bound_lightest: float
    frame_count: dict[str, int]
    violation_rate: dict[str, float]
    lost_rate: dict[str, float]
    energy_spent: dict[str, int]
    energy_charged: dict[str, int]
    dispatches: int
    accuracy: dict[str, float]
    accuracy_loss: dict[str, float]
    busy_share: dict[str, float]
    seed: int
    seconds: float
    frames: Table | None = None
    timeline: Table | None = None

    @property
    def mean_violation_rate(self) -> float:
        """Violations of all models over frames of all models."""
        return self._mean(self.violation_rate)

    @property
    def mean_lost_rate(self) -> float:
        """Lost frames of all models over frames of all models."""
        return self._mean(self.lost_rate)

    @property
    def mean_accuracy_loss(self) -> float:
        """Accuracy lost by all models over frames of all models."""
        return self._mean(self.accuracy_loss)

    def _mean(self, rate: dict[str, float]) -> float:
        total = sum(self.frame_count.values())
        hits = sum(rate[model] * count for model, count in self.frame_count.items())
        return hits / total if total else 0.0

    def summary(self) -> dict[str, Any]:
        """Everything but the tables, ready for JSON."""
        return {
            name: value for name, value in vars(self).items() if name not in ("frames", "timeline")
        }


def to_table(rows: Ints, columns: tuple[str, ...]) -> Table:
    """Name the columns of a record."""
    dtype = np.dtype([(column, np.int64) for column in columns])
    return np.ascontiguousarray(rows).view(dtype).reshape(len(rows))
