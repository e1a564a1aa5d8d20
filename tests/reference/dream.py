"""DREAM as reconstructed: MapScore, smart frame drop, Supernet switching, and our tunables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.reference.decision import Choice, Moment, seniority
from tests.reference.world import Accelerator, Frame

US = 1000
NO_LIMIT = 8
RECENT = 10


@dataclass(frozen=True)
class Dream:
    """All of it; what a lesser one lacks is switched off."""

    dram_pj_per_byte: int
    alpha: float = 1.0
    beta: float = 1.0
    late_urgency: str = "floor"
    drop_cap: int = 2  # 0 drops none
    switches: bool = True  # variants of Supernets
    supernet_margin: float = 1.0
    patience: float = NO_LIMIT

    def __call__(self, moment: Moment) -> Choice | None:
        return self.drop(moment) or self.dispatch(moment)

    # Smart frame drop.

    def drop(self, moment: Moment) -> Choice | None:
        hopeless = [frame for frame in moment.unfinished if will_miss(moment.now_ns, frame)]
        candidates = [
            frame
            for frame in hopeless
            if frame.waiting
            and len(hopeless) > 1
            and sum(frame.model.losses[-RECENT:]) < self.drop_cap
            and not frame.model.has_dependents
        ]
        if not candidates:
            return None

        def rank(frame: Frame) -> tuple[Any, ...]:
            least_ns = frame.version.least_ns[frame.next_layer]
            return -least_ns / max(frame.deadline_ns - moment.now_ns, US), seniority(frame)

        moment.remark("dropped by DREAM")
        return Choice(min(candidates, key=rank), None)

    # MapScore.

    def dispatch(self, moment: Moment) -> Choice | None:
        pairs = [(frame, item) for frame in moment.waiting for item in moment.idle]
        allowed = [pair for pair in pairs if self.has_patience_for(moment, *pair)]
        if not allowed:
            if pairs:
                moment.remark("waited out of patience")
            return None

        def rank(pair: tuple[Frame, Accelerator]) -> tuple[Any, ...]:
            frame, accelerator = pair
            last = self.late_urgency == "last" and frame.deadline_ns <= moment.now_ns
            score = self.score(moment.now_ns, frame, accelerator)
            return last, -score, seniority(frame), accelerator.index

        frame, accelerator = min(allowed, key=rank)
        variant = 0
        if self.switches and frame.last_accelerator is None:
            variant = self.variant(moment, frame)
        return Choice(frame, accelerator, variant)

    def score(self, now_ns: int, frame: Frame, accelerator: Accelerator) -> float:
        latencies, energies = frame.latencies_ns, frame.energies_pj
        latency, energy = latencies[accelerator.index], energies[accelerator.index]
        slack = frame.deadline_ns - now_ns
        urgency = mean_to_go_ns(frame) / max(slack, US)
        if slack <= 0 and self.late_urgency == "one":
            urgency = 1.0
        preference = sum(latencies) / latency
        starvation = (now_ns - frame.ready_since_ns) / (sum(latencies) / len(latencies))
        switch = accelerator.switch_bytes(frame) * self.dram_pj_per_byte
        thrift = sum(energies) / energy - switch / energy
        return urgency * preference + self.alpha * starvation + self.beta * thrift

    def has_patience_for(self, moment: Moment, frame: Frame, accelerator: Accelerator) -> bool:
        """Whether a layer ends soon enough there, measured by where it would end first."""
        if self.patience >= NO_LIMIT:
            return True
        earliest_ns = min(
            frame.latencies_ns[item.index]
            + (0 if item.running is None else item.running.end_ns - moment.now_ns)
            for item in moment.accelerators
        )
        return frame.latencies_ns[accelerator.index] <= self.patience * earliest_ns

    # Supernet switching.

    def variant(self, moment: Moment, frame: Frame) -> int:
        """The heaviest variant that is expected to be in time, else the lightest."""
        ahead_ns = 0.0
        for other in moment.waiting:
            if other.deadline_ns < frame.deadline_ns:
                ahead_ns += mean_to_go_ns(other)
        for execution in moment.running:
            ahead_ns += execution.end_ns - moment.now_ns
        count = len(moment.accelerators)
        slack_ns = frame.deadline_ns - moment.now_ns
        in_time = [
            index
            for index, version in enumerate(frame.model.versions)
            if (ahead_ns / count + version.total_ns[0] / count) * self.supernet_margin <= slack_ns
        ]
        chosen = in_time[0] if in_time else len(frame.model.versions) - 1
        if chosen > 0:
            moment.remark("switched a Supernet")
        return chosen


def mean_to_go_ns(frame: Frame) -> float:
    """ToGo: the mean latencies of all layers that are left of a waiting frame."""
    return frame.version.total_ns[frame.next_layer] / len(frame.latencies_ns)


def will_miss(now_ns: int, frame: Frame) -> bool:
    """Whether a frame is late even if all layers left run where they are fastest."""
    if frame.executing:
        assert frame.last_accelerator is not None
        execution = frame.last_accelerator.running
        assert execution is not None
        end_ns = execution.end_ns + frame.version.least_ns[execution.layers[-1] + 1]
    else:
        end_ns = now_ns + frame.version.least_ns[frame.next_layer]
    return end_ns > frame.deadline_ns
