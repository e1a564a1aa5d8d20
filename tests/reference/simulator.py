"""The run: SimPy keeps the clock, and each instant is handled in the design's order."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from dream_gym.hardware import Platform
from dream_gym.workload import Scenario
from tests.reference.outcome import Dispatch, Outcome
from tests.reference.schedulers import Choose, make_choose
from tests.reference.world import NS_PER_S, Accelerator, Frame, make_models, make_roots


def simulate(
    scenario: Scenario,
    platform: Platform,
    scheduler: str,
    *,
    seconds: float,
    seed: int = 0,
    load: float = 1.0,
    expiry: str | None = None,
    **options: Any,
) -> Outcome:
    firm = (expiry or scenario.expiry) == "firm"
    horizon_ns = round(seconds * NS_PER_S)
    models = make_models(scenario, platform, load)
    outcome = Outcome(models, [], firm, horizon_ns, len(platform.accelerators))
    choose = make_choose(scheduler, platform.dram_energy_pj_per_byte, **options)
    _Run(outcome, platform, choose, seed).to_the_end()
    return outcome


class _EndOfInstant(simpy.Event):
    """Happens when everything else of its instant has happened."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=2)  # type: ignore[arg-type]  # SimPy's own are 0 and 1


class _Run:
    """SimPy processes leave what happened at an instant in lists; its end handles them in order."""

    def __init__(self, outcome: Outcome, platform: Platform, choose: Choose, seed: int) -> None:
        self.outcome = outcome
        self.platform = platform
        self.choose = choose
        self.env = simpy.Environment()
        self.accelerators = [
            Accelerator(index, item.name) for index, item in enumerate(platform.accelerators)
        ]
        self.released: list[Frame] = []  # and neither complete nor lost
        self.end_of_instant: simpy.Event | None = None
        self.finished: list[Accelerator] = []
        self.arrived: list[Frame] = []
        for model in outcome.models:
            if model.parent is None:
                roots = make_roots(model, seed, outcome.horizon_ns)
                self.env.process(self._source(roots))
                outcome.frames += [frame for _, root in roots for frame in root.family()]
        if outcome.firm:
            for frame in outcome.frames:
                self.env.process(self._alarm(frame.deadline_ns))

    def to_the_end(self) -> None:
        while self.env.peek() <= self.outcome.horizon_ns:
            self.env.step()
        for frame in self.outcome.frames:
            if frame.fate is None:
                self._lose(frame, "unfinished", self.outcome.horizon_ns)

    # Processes.

    def _source(self, roots: list[tuple[int, Frame]]) -> Generator[simpy.Event]:
        for release_ns, frame in roots:
            yield self.env.timeout(release_ns - self._now())
            self.arrived.append(frame)
            self._note()

    def _alarm(self, time_ns: int) -> Generator[simpy.Event]:
        yield self.env.timeout(time_ns)
        self._note()

    def _execution(self, accelerator: Accelerator, duration_ns: int) -> Generator[simpy.Event]:
        yield self.env.timeout(duration_ns)
        self.finished.append(accelerator)
        self._note()

    def _now(self) -> int:
        return int(self.env.now)

    def _note(self) -> None:
        if self.end_of_instant is None:
            self.end_of_instant = _EndOfInstant(self.env)
            assert self.end_of_instant.callbacks is not None
            self.end_of_instant.callbacks.append(lambda _: self._handle_instant())

    # What happens at one instant.

    def _handle_instant(self) -> None:
        born: list[Frame] = []
        for accelerator in sorted(self.finished, key=lambda item: item.index):
            born += self._end_layer(accelerator)
        for frame in born:
            self._release(frame)
        for frame in sorted(self.arrived, key=lambda item: (item.model.index, item.index)):
            self._release(frame)
        if self.outcome.firm:
            for frame in self._waiting():
                if frame.deadline_ns <= self._now():
                    self._lose(frame, "expired", self._now())
        self.finished, self.arrived, self.end_of_instant = [], [], None
        if self._now() < self.outcome.horizon_ns:
            self._decide()

    def _waiting(self) -> list[Frame]:
        return [frame for frame in self.released if frame.waiting]

    def _end_layer(self, accelerator: Accelerator) -> list[Frame]:
        """End what an accelerator runs; the dependents to release if that completes a frame."""
        frame = accelerator.running
        assert frame is not None
        accelerator.running = None
        frame.executing = False
        frame.next_layer += 1
        frame.ready_since_ns = self._now()
        if self.outcome.firm and self._now() > frame.deadline_ns:
            self._lose(frame, "expired", self._now())
        elif frame.next_layer == len(frame.model.layers):
            self._settle(frame, "completed", self._now())
            return frame.children
        return []

    def _release(self, frame: Frame) -> None:
        frame.release_ns = frame.ready_since_ns = self._now()
        self.released.append(frame)
        rivals = [item for item in self._waiting() if item.model is frame.model]
        if len(rivals) > frame.model.backlog:
            self._lose(min(rivals, key=lambda item: item.index), "displaced", self._now())

    def _lose(self, frame: Frame, fate: str, now_ns: int) -> None:
        self._settle(frame, fate, now_ns)
        for child in frame.children:
            self._lose(child, "parent lost", now_ns)

    def _settle(self, frame: Frame, fate: str, now_ns: int) -> None:
        frame.fate, frame.end_ns = fate, now_ns
        if frame in self.released:
            self.released.remove(frame)

    def _decide(self) -> None:
        while True:
            waiting = self._waiting()
            idle = [item for item in self.accelerators if item.running is None]
            if not waiting or not idle:
                return
            self._dispatch(*self.choose(self._now(), waiting, idle))

    def _dispatch(self, frame: Frame, accelerator: Accelerator) -> None:
        moved = accelerator.switch_bytes(frame)
        switch_ns = math.ceil(moved / self.platform.dram_bandwidth_gb_s)
        duration_ns = switch_ns + frame.latencies_ns[accelerator.index]
        energy_pj = frame.energies_pj[accelerator.index]
        energy_pj += moved * self.platform.dram_energy_pj_per_byte
        self.outcome.timeline.append(
            Dispatch(
                self._now(),
                self._now() + duration_ns,
                switch_ns,
                frame.model.index,
                frame.index,
                frame.next_layer,
                accelerator.index,
                energy_pj,
            )
        )
        if accelerator.last_frame is not frame and moved > frame.layer.input_elements:
            self.outcome.out_transfers += 1
        accelerator.running = accelerator.last_frame = frame
        accelerator.last_layer = frame.layer
        frame.executing = True
        frame.last_accelerator = accelerator
        frame.energy_pj += energy_pj
        self.env.process(self._execution(accelerator, duration_ns))
