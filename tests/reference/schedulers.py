"""The schedulers once more, as plain functions of what waits and what is idle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from tests.reference.chance import draw
from tests.reference.world import Accelerator, Frame


class Choice(NamedTuple):
    """To dispatch a frame, or to drop it where there is no accelerator."""

    frame: Frame
    accelerator: Accelerator | None
    variant: int = 0
    layers: int = 1


Choose: TypeAlias = Callable[[int, list[Frame], list[Accelerator]], Choice | None]
"""From the time, the waiting frames and the idle accelerators (some of each) to what is next."""


def seniority(frame: Frame) -> tuple[int, int, int]:
    """How ties are broken: the earlier release, then the lower model, then the lower frame."""
    assert frame.release_ns is not None
    return frame.release_ns, frame.model.index, frame.index


def fastest(frame: Frame, idle: list[Accelerator]) -> Accelerator:
    return min(idle, key=lambda item: (frame.latencies_ns[item.index], item.index))


def fcfs(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
    frame = min(waiting, key=seniority)
    return Choice(frame, fastest(frame, idle))


def edf(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
    frame = min(waiting, key=lambda item: (item.deadline_ns, *seniority(item)))
    return Choice(frame, fastest(frame, idle))


def dream_mapscore(
    dram_pj_per_byte: int, *, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor"
) -> Choose:
    def score(now_ns: int, frame: Frame, accelerator: Accelerator) -> float:
        latencies, energies = frame.latencies_ns, frame.energies_pj
        latency, energy = latencies[accelerator.index], energies[accelerator.index]
        remaining = sum(sum(row) for row in frame.version.latency_ns[frame.next_layer :])
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
        def rank(pair: tuple[Frame, Accelerator]) -> tuple[Any, ...]:
            frame, accelerator = pair
            last = late_urgency == "last" and frame.deadline_ns <= now_ns
            return last, -score(now_ns, *pair), seniority(frame), accelerator.index

        return Choice(*min(((frame, item) for frame in waiting for item in idle), key=rank))

    return choose


def whim() -> Choose:
    """Every decision is drawn: frame, accelerator, what to do (1 in 8 drop, 1 in 8 pass), layers.

    The word of the n-th decision is ``draw(999, 7, n, 0, 0)``, and each part of it is a remainder.
    """
    count = 0

    def choose(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice | None:
        nonlocal count
        word = draw(999, 7, count, 0)
        count += 1
        word, which = divmod(word, len(waiting))
        word, where = divmod(word, len(idle))
        word, action = divmod(word, 8)
        word, layers = divmod(word, 4)
        frame = sorted(waiting, key=seniority)[which]
        if action == 0:
            return Choice(frame, None)
        if action == 1:
            return None
        accelerator = sorted(idle, key=lambda item: item.index)[where]
        return Choice(frame, accelerator, word % len(frame.model.versions), layers + 1)

    return choose


def make_choose(scheduler: str, dram_pj_per_byte: int, **options: Any) -> Choose:
    if scheduler == "whim":
        return whim()
    if scheduler == "dream_mapscore":
        return dream_mapscore(dram_pj_per_byte, **options)
    return {"fcfs": fcfs, "edf": edf}[scheduler]
