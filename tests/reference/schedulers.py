"""The schedulers once more, as plain functions of what waits and what is idle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from tests.reference.chance import draw
from tests.reference.outcome import Outcome
from tests.reference.world import Accelerator, Frame


class Choice(NamedTuple):
    """To dispatch a frame, or to drop it where there is no accelerator."""

    frame: Frame
    accelerator: Accelerator | None
    variant: int = 0
    layers: int = 1


@dataclass
class Scene:
    """A decision point: some frames wait."""

    now_ns: int
    waiting: list[Frame]
    idle: list[Accelerator]
    accelerators: list[Accelerator]
    live: list[Frame]  # that wait or execute
    resolved: list[Frame]  # complete or lost, in this order
    parents: set[str]  # names of models that others depend on
    outcome: Outcome  # so far


Choose: TypeAlias = Callable[[Scene], Choice | None]
Rank: TypeAlias = Callable[[int, Frame, Accelerator], tuple[Any, ...]]


def seniority(frame: Frame) -> tuple[int, int, int]:
    """How ties are broken: the earlier release, then the lower model, then the lower frame."""
    assert frame.release_ns is not None
    return frame.release_ns, frame.model.index, frame.index


def fastest(frame: Frame, idle: list[Accelerator]) -> Accelerator:
    return min(idle, key=lambda item: (frame.latencies_ns[item.index], item.index))


def fcfs(scene: Scene) -> Choice | None:
    if not scene.idle:
        return None
    frame = min(scene.waiting, key=seniority)
    return Choice(frame, fastest(frame, scene.idle))


def edf(scene: Scene) -> Choice | None:
    if not scene.idle:
        return None
    frame = min(scene.waiting, key=lambda item: (item.deadline_ns, *seniority(item)))
    return Choice(frame, fastest(frame, scene.idle))


def mapscore(dram_pj_per_byte: int, alpha: float, beta: float, late_urgency: str) -> Rank:
    """How DREAM ranks a frame and an accelerator at a time: the least is the best."""

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

    def rank(now_ns: int, frame: Frame, accelerator: Accelerator) -> tuple[Any, ...]:
        last = late_urgency == "last" and frame.deadline_ns <= now_ns
        return last, -score(now_ns, frame, accelerator), seniority(frame), accelerator.index

    return rank


def dream_mapscore(
    dram_pj_per_byte: int, *, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor"
) -> Choose:
    rank = mapscore(dram_pj_per_byte, alpha, beta, late_urgency)

    def choose(scene: Scene) -> Choice | None:
        pairs = [(frame, item) for frame in scene.waiting for item in scene.idle]
        best = min(pairs, key=lambda pair: rank(scene.now_ns, *pair), default=None)
        return best and Choice(*best)

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

    def choose(scene: Scene) -> Choice | None:
        nonlocal count
        waiting, idle = scene.waiting, scene.idle
        if not idle:
            return None
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

    def choose(scene: Scene) -> Choice | None:
        if not scene.idle:
            return None
        frame = min(scene.waiting, key=seniority)
        order = orders.get(f"{frame.model.name}{frame.index}", Order())
        if order.drop:
            return Choice(frame, None)
        return Choice(frame, fastest(frame, scene.idle), order.variant, order.layers)

    return choose
