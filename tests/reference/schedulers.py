"""The schedulers once more, as plain functions of what is to be decided; DREAM is in `dream`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.reference.chance import draw
from tests.reference.decision import Choice, Choose, Moment
from tests.reference.dream import Dream
from tests.reference.tuner import Online
from tests.reference.world import Accelerator, Frame


def fastest(frame: Frame, idle: list[Accelerator]) -> Accelerator:
    return min(idle, key=lambda item: (frame.latencies_ns[item.index], item.index))


def fcfs(moment: Moment) -> Choice | None:
    if not moment.waiting or not moment.idle:
        return None
    frame = moment.waiting[0]
    return Choice(frame, fastest(frame, moment.idle))


def edf(moment: Moment) -> Choice | None:
    if not moment.waiting or not moment.idle:
        return None
    frame = min(moment.waiting, key=lambda item: item.deadline_ns)  # the senior of equals
    return Choice(frame, fastest(frame, moment.idle))


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

    def choose(moment: Moment) -> Choice | None:
        nonlocal count
        waiting, idle = moment.waiting, moment.idle
        if not waiting or not idle:
            return None
        word = draw(999, 7, count, 0)
        count += 1
        word, which = divmod(word, len(waiting))
        word, where = divmod(word, len(idle))
        word, action = divmod(word, 8)
        word, layers = divmod(word, 4)
        frame = waiting[which]
        if action == 0:
            return Choice(frame, None)
        if action == 1:
            return None
        return Choice(frame, idle[where], word % len(frame.model.versions), layers + 1)

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

    def choose(moment: Moment) -> Choice | None:
        if not moment.waiting or not moment.idle:
            return None
        frame = moment.waiting[0]
        order = orders.get(f"{frame.model.name}{frame.index}", Order())
        if order.drop:
            return Choice(frame, None)
        return Choice(frame, fastest(frame, moment.idle), order.variant, order.layers)

    return choose


def make_choose(scheduler: str | Choose, dram_pj_per_byte: int, **options: Any) -> Choose:
    if callable(scheduler):
        return scheduler
    if scheduler == "whim":
        return whim()
    if scheduler.startswith("dream_"):
        lacks = {
            "dream_mapscore": {"drop_cap": 0, "switches": False},
            "dream_smartdrop": {"switches": False},
        }
        dream = Dream(dram_pj_per_byte, **lacks.get(scheduler, {}), **options)
        return Online(dream) if scheduler == "dream_online" else dream
    return {"fcfs": fcfs, "edf": edf}[scheduler]
