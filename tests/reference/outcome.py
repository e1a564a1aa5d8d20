"""What a run of the reference came to, computed from its complete record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.reference.world import Frame, Model

LOST = ("dropped", "displaced", "expired", "parent lost", "unfinished")


class Dispatch(NamedTuple):
    """One row of the timeline, in the columns of the engine's."""

    start_ns: int
    end_ns: int
    switch_ns: int
    model: int
    frame: int
    layer: int
    accelerator: int
    energy_pj: int


@dataclass
class Outcome:
    """All frames with their fates, and all dispatches."""

    models: list[Model]
    frames: list[Frame]
    firm: bool
    horizon_ns: int
    accelerator_count: int
    timeline: list[Dispatch] = field(default_factory=list)
    out_transfers: int = 0

    def frames_of(self, model: Model) -> list[Frame]:
        return [frame for frame in self.frames if frame.model is model]

    def violations(self, model: Model, now_ns: int) -> int:
        return sum(self._violated_ns(frame) <= now_ns for frame in self.frames_of(model))

    def _violated_ns(self, frame: Frame) -> float:
        """When it was decided that the frame misses: at its deadline, or when it was lost before.

        A frame that firm expiry lets end its layer is late from its deadline on, too.
        """
        if frame.fate == "completed":
            return frame.deadline_ns if frame.end_ns > frame.deadline_ns else float("inf")
        return min(frame.deadline_ns, frame.end_ns)

    def lost(self, model: Model, now_ns: int) -> int:
        return sum(frame.fate in LOST and frame.end_ns <= now_ns for frame in self.frames_of(model))

    def spent_pj(self, model: Model, now_ns: int) -> int:
        """Energy of all dispatches before a time; those at that very time are yet to come."""
        return sum(
            row.energy_pj
            for row in self.timeline
            if row.model == model.index and row.start_ns < now_ns
        )

    def charged_pj(self, model: Model, now_ns: int) -> int:
        completed = sum(
            frame.energy_pj
            for frame in self.frames_of(model)
            if frame.fate == "completed" and frame.end_ns <= now_ns
        )
        return completed + self.lost(model, now_ns) * model.worst_energy_pj

    def uxcost(self, now_ns: int, energy_norm: str = "charged") -> float:
        violation_rates, energies = 0.0, 0.0
        for model in self.models:
            count = len(self.frames_of(model))
            if count:
                violation_rates += max(self.violations(model, now_ns), 0.5) / count
                energy_pj = (
                    self.charged_pj(model, now_ns)
                    if energy_norm == "charged"
                    else self.spent_pj(model, now_ns)
                )
                energies += energy_pj / (model.worst_energy_pj * count)
        return violation_rates * energies

    def lower_bound(self) -> float:
        counts = [(model, len(self.frames_of(model))) for model in self.models]
        return sum(0.5 / count for _, count in counts if count) * sum(
            model.best_energy_pj / model.worst_energy_pj for model, count in counts if count
        )

    def busy_shares(self) -> list[float]:
        """Busy time within the horizon over the horizon, by accelerator."""
        busy_ns = [0] * self.accelerator_count
        for row in self.timeline:
            busy_ns[row.accelerator] += min(row.end_ns, self.horizon_ns) - row.start_ns
        return [time_ns / self.horizon_ns for time_ns in busy_ns]
