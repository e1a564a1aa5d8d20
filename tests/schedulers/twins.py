"""The built-in schedulers once more, as a user would write them in Python; MapScore is here."""

from __future__ import annotations

import re
from typing import Any

import dream_gym
from dream_gym import Dispatch, View
from dream_gym.schedulers import BUILTIN, ReadyFrame
from tests.schedulers import twins_ordered, twins_scored


class MapScore(dream_gym.Scheduler):
    """The pair of the highest MapScore."""

    def __init__(self, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor") -> None:
        self.alpha, self.beta, self.late_urgency = alpha, beta, late_urgency

    def select(self, view: View) -> Dispatch | None:
        idle = view.idle
        pairs = [(frame, index) for frame in view.ready for index in idle]
        if not pairs:
            return None
        # The first of equals wins: ready frames and idle accelerators come in order of ties.
        return Dispatch(*max(pairs, key=lambda pair: self.rank(view, *pair)))

    def rank(self, view: View, frame: ReadyFrame, index: int) -> tuple[bool, float]:
        slack_ns = frame.deadline_ns - view.now_ns
        urgency = frame.mean_remaining_ns / max(slack_ns, 1000)
        if slack_ns <= 0 and self.late_urgency == "one":
            urgency = 1.0
        latencies_ns, energies_pj = frame.latency_ns, frame.energy_pj
        preference = sum(latencies_ns) / latencies_ns[index]
        mean_ns = sum(latencies_ns) / len(latencies_ns)
        starvation = (view.now_ns - frame.ready_since_ns) / mean_ns
        switch_pj = view.switch(frame, index).energy_pj
        thrift = sum(energies_pj) / energies_pj[index] - switch_pj / energies_pj[index]
        score = urgency * preference + self.alpha * starvation + self.beta * thrift
        return slack_ns > 0 or self.late_urgency != "last", score


def _id_of(twin_class: type) -> str:
    """``heft_rt`` for ``HeftRt``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", twin_class.__name__).lower()


RIVALS: dict[str, type[dream_gym.Scheduler]] = {
    found: value
    for module in (twins_ordered, twins_scored)
    for value in vars(module).values()
    if isinstance(value, type) and (found := _id_of(value)) in BUILTIN
}
"""The twins by the id of their scheduler, which is their name."""


def twin(scheduler: str, options: dict[str, Any]) -> dream_gym.Scheduler:
    """The twin of a built-in scheduler."""
    if scheduler == "dream_mapscore":
        return MapScore(**options)
    return RIVALS[scheduler](**options)


def assert_twin_agrees(
    cell: tuple[Any, Any], scheduler: str, options: dict[str, Any], **run: Any
) -> None:
    """The compiled scheduler and its twin give the same run, both on the engine."""
    compiled = dream_gym.simulate(*cell, scheduler, record=True, **run, **options)
    python = dream_gym.simulate(*cell, twin(scheduler, options), record=True, **run)
    assert python.timeline is not None
    assert compiled.timeline is not None
    assert python.frames is not None
    assert compiled.frames is not None
    assert python.timeline.tolist() == compiled.timeline.tolist()
    assert python.frames.tolist() == compiled.frames.tolist()
    assert python.summary() == compiled.summary()
