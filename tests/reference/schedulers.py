"""The schedulers once more, as plain functions of what waits and what is idle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.reference.world import Accelerator, Frame

Choice: TypeAlias = tuple[Frame, Accelerator]
Choose: TypeAlias = Callable[[int, list[Frame], list[Accelerator]], Choice]
"""From the time, the waiting frames and the idle accelerators (some of each) to the next pair."""


def seniority(frame: Frame) -> tuple[int, int, int]:
    """How ties are broken: the earlier release, then the lower model, then the lower frame."""
    assert frame.release_ns is not None
    return frame.release_ns, frame.model.index, frame.index


def fastest(frame: Frame, idle: list[Accelerator]) -> Accelerator:
    return min(idle, key=lambda item: (frame.latencies_ns[item.index], item.index))


def fcfs(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
    frame = min(waiting, key=seniority)
    return frame, fastest(frame, idle)


def edf(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
    frame = min(waiting, key=lambda item: (item.deadline_ns, *seniority(item)))
    return frame, fastest(frame, idle)


def dream_mapscore(
    dram_pj_per_byte: int, *, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor"
) -> Choose:
    def score(now_ns: int, frame: Frame, accelerator: Accelerator) -> float:
        latencies, energies = frame.latencies_ns, frame.energies_pj
        latency, energy = latencies[accelerator.index], energies[accelerator.index]
        remaining = sum(sum(row) for row in frame.model.latency_ns[frame.next_layer :])
        slack = frame.deadline_ns - now_ns
        urgency = remaining / len(latencies) / max(slack, 1000)
        if slack <= 0 and late_urgency == "one":
            urgency = 1.0
        preference = sum(latencies) / latency
        starvation = (now_ns - frame.ready_since_ns) / (sum(latencies) / len(latencies))
        switch = accelerator.switch_bytes(frame) * dram_pj_per_byte
        thrift = sum(energies) / energy - switch / energy
        return urgency * preference + alpha * starvation + beta * thrift

    def choose(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
        def rank(pair: Choice) -> tuple[bool, float, tuple[int, int, int], int]:
            frame, accelerator = pair
            last = late_urgency == "last" and frame.deadline_ns <= now_ns
            return last, -score(now_ns, *pair), seniority(frame), accelerator.index

        return min(((frame, item) for frame in waiting for item in idle), key=rank)

    return choose


def make_choose(scheduler: str, dram_pj_per_byte: int, **options: Any) -> Choose:
    if scheduler == "dream_mapscore":
        return dream_mapscore(dram_pj_per_byte, **options)
    return {"fcfs": fcfs, "edf": edf}[scheduler]
