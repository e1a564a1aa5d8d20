"""The schedulers once more, as plain functions of what waits and what is idle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """A scheduler for tests only, whose every decision is a hash, so that everything occurs.

    It is asked where at least one frame waits and at least one accelerator is idle; elsewhere it
    passes, and that does not count. The n-th question of a run (n = 0, 1, ..., those that it
    answers by passing included) has the word ``draw(seed=999, stream=7, model=n, frame=0,
    index=0)``, whose digits decide. Each digit is what the word leaves when it is divided by the
    number of choices, and the word becomes the (whole) quotient, in this order:

    1. the waiting frame: by the number of waiting frames, in seniority order;
    2. the accelerator: by the number of idle accelerators, in order of their indices;
    3. the action: by 8; 0 drops the frame, 1 passes, all others dispatch the frame;
    4. layers: by 4, and 1 more than that;
    5. the variant: by 1 + the number of variants of the frame's model.
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


class Order(NamedTuple):
    """What is to become of a frame.

    Args:
        variant: What it runs.
        layers: How many layers run as one, where that is possible.
        drop: Whether to drop it when its turn comes.
    """

    variant: int = 0
    layers: int = 1
    drop: bool = False


def ordered(orders: Mapping[str, Order]) -> Choose:
    """First come, first served, with orders for frames, by model name and index (``a0``).

    Everything happens when first come, first served would dispatch the frame.
    """

    def choose(now_ns: int, waiting: list[Frame], idle: list[Accelerator]) -> Choice:
        frame = min(waiting, key=seniority)
        order = orders.get(f"{frame.model.name}{frame.index}", Order())
        if order.drop:
            return Choice(frame, None)
        return Choice(frame, fastest(frame, idle), order.variant, order.layers)

    return choose


def make_choose(scheduler: str | Choose, dram_pj_per_byte: int, **options: Any) -> Choose:
    if callable(scheduler):
        return scheduler
    if scheduler == "whim":
        return whim()
    if scheduler == "dream_mapscore":
        return dream_mapscore(dram_pj_per_byte, **options)
    return {"fcfs": fcfs, "edf": edf}[scheduler]
