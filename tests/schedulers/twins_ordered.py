"""The rivals that order frames by a key, once more in Python, written from their descriptions.

Costs come from the tables of the platform, not from the engine's arrays, wherever a rule looks
beyond the next layer.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import dream_gym
from dream_gym import Dispatch, View
from dream_gym.hardware import cost_table
from dream_gym.schedulers import ReadyFrame


def latencies(view: View, frame: ReadyFrame) -> list[list[int]]:
    """Latency of each layer of a frame's network on each accelerator."""
    network = view.network(frame).family[frame.variant]
    table: list[list[int]] = cost_table(network, view.platform).latency_ns.tolist()
    return table


def work(layers: list[list[int]]) -> int:
    """Latency of layers, over all accelerators."""
    return sum(map(sum, layers))


def share_behind(view: View, frame: ReadyFrame, last: int) -> float:
    """Share of the network's work that lies behind a layer."""
    layers = latencies(view, frame)
    return work(layers[last + 1 :]) / work(layers)


def virtual_deadline_ns(view: View, frame: ReadyFrame, last: int) -> float:
    """When a layer is due, if the window is shared out by mean latency."""
    window_ns = max(frame.deadline_ns - frame.release_ns, 0)
    return frame.deadline_ns - window_ns * share_behind(view, frame, last)


class Ordered(dream_gym.Scheduler):
    """The first frame by `key` that has a place."""

    def __init__(self, placement: str = "idle") -> None:
        self.placement = placement

    def key(self, view: View, frame: ReadyFrame) -> Any:
        raise NotImplementedError

    def select(self, view: View) -> Dispatch | None:
        for frame in sorted(view.ready, key=lambda frame: self.key(view, frame)):
            index = self.place(view, frame)
            if index is not None:
                return Dispatch(frame, index)
        return None

    def place(self, view: View, frame: ReadyFrame) -> int | None:
        if self.placement == "idle":
            return min(view.idle, key=lambda index: frame.latency_ns[index], default=None)
        ends = [item.free_ns + frame.latency_ns[item.index] for item in view.accelerators]
        best = ends.index(min(ends))
        return best if best in view.idle else None


class Fcfs(Ordered):
    def key(self, view: View, frame: ReadyFrame) -> Any:
        return frame.release_ns


class Edf(Ordered):
    def key(self, view: View, frame: ReadyFrame) -> Any:
        return frame.deadline_ns


class Llf(Ordered):
    def key(self, view: View, frame: ReadyFrame) -> Any:
        return frame.deadline_ns - view.now_ns - frame.least_remaining_ns


class Sjf(Ordered):
    def key(self, view: View, frame: ReadyFrame) -> Any:
        return work(latencies(view, frame)[frame.layer :])


class Evdf(Ordered):
    def __init__(self, placement: str = "eft") -> None:
        super().__init__(placement)

    def key(self, view: View, frame: ReadyFrame) -> Any:
        return virtual_deadline_ns(view, frame, frame.layer)


class Sgprs(Ordered):
    """Remembers, by frame, its stage and whether the stage before was late."""

    def __init__(self, placement: str = "eft", stages: int = 4) -> None:
        super().__init__(placement)
        self.stages = stages

    def reset(self, view: View) -> None:
        self.stage: dict[tuple[int, int], int] = {}
        self.late: dict[tuple[int, int], bool] = {}

    def select(self, view: View) -> Dispatch | None:
        for frame in view.ready:
            name = frame.model, frame.frame
            stage, before = self.stage_of(view, frame), self.stage.get(name)
            if before is not None and before != stage:
                self.late[name] = frame.ready_since_ns > self.due_ns(frame, before)
            self.stage[name] = stage
        return super().select(view)

    def stage_of(self, view: View, frame: ReadyFrame) -> int:
        layers = latencies(view, frame)
        done = work(layers[: frame.layer + 1])
        return math.ceil(Fraction(self.stages * done, work(layers)))

    def due_ns(self, frame: ReadyFrame, stage: int) -> int:
        window_ns = max(frame.deadline_ns - frame.release_ns, 0)
        return frame.deadline_ns - window_ns * (self.stages - stage) // self.stages

    def key(self, view: View, frame: ReadyFrame) -> Any:
        name = frame.model, frame.frame
        high = self.stage[name] == self.stages or self.late.get(name, False)
        return not high, self.due_ns(frame, self.stage[name])


class HeftRt(dream_gym.Scheduler):
    """A list schedule of the queue, of which the first layer that can start now does."""

    def select(self, view: View) -> Dispatch | None:
        free_ns = [item.free_ns for item in view.accelerators]
        ranked = sorted(view.ready, key=lambda frame: -work(latencies(view, frame)[frame.layer :]))
        for frame in ranked:
            ends = [free + own for free, own in zip(free_ns, frame.latency_ns, strict=True)]
            index = ends.index(min(ends))
            if index in view.idle:
                return Dispatch(frame, index)
            free_ns[index] = ends[index]
        return None
