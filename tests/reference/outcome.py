"""The result of a run of the reference, computed from its complete record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.reference.world import Execution, Frame, Model

LOST = ("dropped", "displaced", "expired", "parent lost", "unfinished")


class Dispatch(NamedTuple):
    """One row of the timeline, in the columns of the engine's."""

    start_ns: int
    end_ns: int
    switch_ns: int
    model: int
    frame: int
    layer: int
    layers: int
    variant: int
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
    part_starts_ns: list[int]  # when the phases begin
    energy_norm: str
    executions: list[Execution] = field(default_factory=list)
    out_transfers: int = 0
    remarks: set[str] = field(default_factory=set)  # of the scheduler on itself

    @property
    def timeline(self) -> list[Dispatch]:
        return [
            Dispatch(
                item.start_ns,
                item.end_ns,
                item.switch_ns,
                item.frame.model.index,
                item.frame.index,
                item.layers[0],
                len(item.layers),
                item.variant,
                item.accelerator.index,
                item.energy_pj,
            )
            for item in self.executions
        ]

    def frames_of(self, model: Model) -> list[Frame]:
        return [frame for frame in self.frames if frame.model is model]

    def violations(self, model: Model, now_ns: int) -> int:
        return sum(self._is_violated(frame, now_ns) for frame in self.frames_of(model))

    def _is_violated(self, frame: Frame, now_ns: int) -> bool:
        """Whether it is decided that the frame misses: at its deadline, or when it is lost before.

        A frame that firm expiry lets end its layer is late from its deadline on, too.
        """
        if frame.fate == "completed":
            return frame.deadline_ns < frame.end_ns and frame.deadline_ns <= now_ns
        return frame.deadline_ns <= now_ns or self._is_lost(frame, now_ns)

    def _is_lost(self, frame: Frame, now_ns: int) -> bool:
        """Whether it is lost by a time; decisions of that very time are yet to come."""
        if frame.fate not in LOST:
            return False
        return frame.end_ns < now_ns if frame.by_decision else frame.end_ns <= now_ns

    def lost(self, model: Model, now_ns: int) -> int:
        return sum(self._is_lost(frame, now_ns) for frame in self.frames_of(model))

    def spent_pj(self, model: Model, now_ns: int) -> int:
        """Energy of all dispatches before a time; those at that very time are yet to come."""
        return sum(
            item.energy_pj
            for item in self.executions
            if item.frame.model is model and item.decided_ns < now_ns
        )

    def charged_pj(self, model: Model, now_ns: int) -> int:
        completed = sum(
            frame.energy_pj
            for frame in self.frames_of(model)
            if frame.fate == "completed" and frame.end_ns <= now_ns
        )
        return completed + self.lost(model, now_ns) * model.worst_energy_pj

    def energy_pj(self, model: Model, now_ns: int) -> int:
        """Energy that counts for UXCost."""
        literal = self.energy_norm == "literal"
        return self.spent_pj(model, now_ns) if literal else self.charged_pj(model, now_ns)

    def uxcost(self, now_ns: int) -> float:
        violation_rates, energies = 0.0, 0.0
        for model in self.models:
            count = len(self.frames_of(model))
            if count:
                violation_rates += max(self.violations(model, now_ns), 0.5) / count
                energies += self.energy_pj(model, now_ns) / (model.worst_energy_pj * count)
        return violation_rates * energies

    def window_uxcost(self, start_ns: int, now_ns: int) -> float | None:
        """UXCost of the frames that came due after a time, by what has come about since.

        None where there are no such frames.
        """
        violation_rates, energies, all_due = 0.0, 0.0, 0
        for model in self.models:
            due = sum(start_ns < f.deadline_ns <= now_ns for f in self.frames_of(model))
            if due:
                violations = self.violations(model, now_ns) - self.violations(model, start_ns)
                energy_pj = self.energy_pj(model, now_ns) - self.energy_pj(model, start_ns)
                violation_rates += max(violations, 0.5) / due
                energies += energy_pj / (model.worst_energy_pj * due)
                all_due += due
        return violation_rates * energies if all_due else None

    def lower_bound(self, *, lightest: bool = False) -> float:
        violations, energies = 0.0, 0.0
        for model in self.models:
            frames = self.frames_of(model)
            if frames:
                allowed = model.versions if lightest else model.versions[:1]
                energy_pj = sum(
                    min(version.path_energy_pj(frame.luck) for version in allowed)
                    for frame in frames
                )
                violations += 0.5 / len(frames)
                energies += energy_pj / (model.worst_energy_pj * len(frames))
        return violations * energies

    def accuracy(self, model: Model) -> float | None:
        """Mean top-1 of the completed frames, if the model's networks state it."""
        stated = [version.network.top1 for version in model.versions]
        done = [f.variant for f in self.frames_of(model) if f.fate == "completed"]
        if None in stated or not done:
            return None
        return sum(stated[variant] or 0.0 for variant in done) / len(done)

    def accuracy_loss(self, model: Model) -> float:
        """Share of the original's top-1 lost on completed frames, over all frames."""
        stated = [version.network.top1 for version in model.versions]
        frames = self.frames_of(model)
        if None in stated or not stated[0] or not frames:
            return 0.0
        lost = [max(1 - (top1 or 0.0) / stated[0], 0.0) for top1 in stated]
        return sum(lost[f.variant] for f in frames if f.fate == "completed") / len(frames)

    def busy_shares(self) -> list[float]:
        """Busy time within the horizon over the horizon, by accelerator."""
        busy_ns = [0] * self.accelerator_count
        for item in self.executions:
            end_ns = min(item.end_ns, self.horizon_ns)
            busy_ns[item.accelerator.index] += end_ns - item.decided_ns
        return [time_ns / self.horizon_ns for time_ns in busy_ns]
