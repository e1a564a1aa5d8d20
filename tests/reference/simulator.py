"""The run: SimPy keeps the clock, and each instant is handled in the design's order."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import simpy

from dream_gym.hardware import Platform
from dream_gym.workload import Scenario
from tests.reference.decision import Choice, Choose, Moment
from tests.reference.frames import NS_PER_S, make_models, make_roots
from tests.reference.memory import Memory
from tests.reference.outcome import Outcome
from tests.reference.schedulers import make_choose
from tests.reference.world import Accelerator, Execution, Frame


def simulate(
    scenario: Scenario,
    platform: Platform,
    scheduler: str | Choose,
    *,
    seconds: float,
    seed: int = 0,
    load: float = 1.0,
    expiry: str | None = None,
    contention: bool | None = None,
    decision_ns: int = 0,
    energy_norm: str = "charged",
    **options: Any,
) -> Outcome:
    firm = (expiry or scenario.expiry) == "firm"
    horizon_ns = round(seconds * NS_PER_S)
    models = make_models(scenario, platform)
    roots = make_roots(scenario, models, load, seed, horizon_ns)
    frames = [frame for _, root in roots for frame in root.family()]
    part_starts_ns = [part.start_ns for part in scenario.parts]
    outcome = Outcome(
        models, frames, firm, horizon_ns, len(platform.accelerators), part_starts_ns, energy_norm
    )
    choose = make_choose(scheduler, platform.dram_energy_pj_per_byte, **options)
    shared = platform.contention if contention is None else contention
    memory = Memory(platform.dram_bandwidth_gb_s) if shared else None
    _Run(outcome, platform, choose, roots, memory, decision_ns).to_the_end()
    return outcome


class _EndOfInstant(simpy.Event):
    """Happens when everything else of its instant has happened."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=2)  # type: ignore[arg-type]  # SimPy's own are 0 and 1


class _Run:
    """SimPy processes leave what happened at an instant in lists; its end handles them in order."""

    def __init__(
        self,
        outcome: Outcome,
        platform: Platform,
        choose: Choose,
        roots: list[tuple[int, Frame]],
        memory: Memory | None,
        decision_ns: int,
    ) -> None:
        self.outcome = outcome
        self.platform = platform
        self.choose = choose
        self.memory = memory
        self.decision_ns = decision_ns
        self.last_start_ns = 0
        self.env = simpy.Environment()
        self.accelerators = [
            Accelerator(index, item.name) for index, item in enumerate(platform.accelerators)
        ]
        self.released: list[Frame] = []  # and neither complete nor lost
        self.end_of_instant: simpy.Event | None = None
        self.starting: list[Execution] = []
        self.finished: list[Execution] = []
        self.arrived: list[Frame] = []
        self.alarmed = False
        for release_ns, frame in roots:
            self.env.process(self._source(release_ns, frame))
        if outcome.firm:
            for frame in outcome.frames:
                self.env.process(self._alarm(frame))

    def to_the_end(self) -> None:
        while self.env.peek() <= self.outcome.horizon_ns:
            self.env.step()
        for frame in self.outcome.frames:
            if frame.fate is None:
                self._lose(frame, "unfinished", self.outcome.horizon_ns)

    # Processes.

    def _source(self, release_ns: int, frame: Frame) -> Generator[simpy.Event]:
        yield self.env.timeout(release_ns)
        self.arrived.append(frame)
        self._note()

    def _alarm(self, frame: Frame) -> Generator[simpy.Event]:
        yield self.env.timeout(frame.deadline_ns)
        if frame.waiting:
            self.alarmed = True
            self._note()

    def _start(self, execution: Execution) -> Generator[simpy.Event]:
        yield self.env.timeout(execution.start_ns - self._now())
        self.starting.append(execution)
        self._note()

    def _end(self, execution: Execution) -> Generator[simpy.Event]:
        """Wait for the end as it is expected now; void if it is expected at another time then."""
        end_ns = execution.end_ns
        yield self.env.timeout(end_ns - self._now())
        if execution.end_ns == end_ns and execution.accelerator.running is execution:
            if execution not in self.finished:
                self.finished.append(execution)
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
        finished = sorted(self.finished, key=lambda item: item.accelerator.index)
        eventful = bool(finished or self.arrived or self.alarmed)
        born: list[Frame] = []
        for execution in finished:
            born += self._end_dispatch(execution)
        for execution in self.starting:
            self._use_link(execution)
        for frame in born:
            self._release(frame)
        for frame in sorted(self.arrived, key=lambda item: (item.model.index, item.index)):
            self._release(frame)
        if self.outcome.firm:
            for frame in self._waiting():
                if frame.deadline_ns <= self._now():
                    self._lose(frame, "expired", self._now())
        self.finished, self.arrived, self.starting = [], [], []
        self.alarmed, self.end_of_instant = False, None
        if eventful and self._now() < self.outcome.horizon_ns:
            self._decide()
        self._expect_ends()

    def _use_link(self, execution: Execution) -> None:
        assert self.memory is not None
        self.memory.start(execution, self._now())

    def _expect_ends(self) -> None:
        if self.memory is not None:
            for execution in self.memory.project(self._now()):
                self.env.process(self._end(execution))

    def _waiting(self) -> list[Frame]:
        return [frame for frame in self.released if frame.waiting]

    def _end_dispatch(self, execution: Execution) -> list[Frame]:
        """End what an accelerator runs; the dependents to release if that completes a frame."""
        frame = execution.frame
        if self.memory is not None:
            self.memory.end(execution, self._now())
        execution.accelerator.running = None
        frame.executing = False
        following = frame.layer_after(execution.layers[-1])
        frame.ready_since_ns = self._now()
        if self.outcome.firm and self._now() > frame.deadline_ns:
            self._lose(frame, "expired", self._now())
        elif following is None:
            self._settle(frame, "completed", self._now())
            return frame.children
        else:
            frame.next_layer = following
        return []

    def _release(self, frame: Frame) -> None:
        frame.release_ns = frame.ready_since_ns = self._now()
        self.released.append(frame)
        rivals = [item for item in self._waiting() if item.model is frame.model]
        if len(rivals) > frame.model.backlog:
            self._lose(min(rivals, key=lambda item: item.index), "displaced", self._now())

    def _lose(self, frame: Frame, fate: str, now_ns: int, *, by_decision: bool = False) -> None:
        self._settle(frame, fate, now_ns)
        frame.by_decision = by_decision
        for child in frame.children:
            self._lose(child, "parent lost", now_ns, by_decision=by_decision)

    def _settle(self, frame: Frame, fate: str, now_ns: int) -> None:
        frame.fate, frame.end_ns = fate, now_ns
        frame.model.losses.append(fate != "completed")
        if frame in self.released:
            self.released.remove(frame)

    def _decide(self) -> None:
        while True:
            self._expect_ends()
            moment = Moment(self._now(), self.released, self.accelerators, self.outcome)
            choice = self.choose(moment)
            if choice is None:
                return
            if choice.accelerator is None:
                self._lose(choice.frame, "dropped", self._now(), by_decision=True)
            else:
                self._dispatch(choice, choice.accelerator)

    def _dispatch(self, choice: Choice, accelerator: Accelerator) -> None:
        frame = choice.frame
        if frame.last_accelerator is None:
            frame.variant = choice.variant
        layers = frame.block(choice.layers)
        version = frame.version
        moved = accelerator.switch_bytes(frame)
        switch_ns = math.ceil(moved / self.platform.dram_bandwidth_gb_s)
        start_ns = self._now()
        if self.decision_ns:
            start_ns = max(self._now(), self.last_start_ns) + self.decision_ns
            self.last_start_ns = start_ns
        isolated_ns = switch_ns + sum(version.latency_ns[i][accelerator.index] for i in layers)
        energy_pj = moved * self.platform.dram_energy_pj_per_byte
        energy_pj += sum(version.energy_pj[i][accelerator.index] for i in layers)
        execution = Execution(
            frame=frame,
            accelerator=accelerator,
            variant=frame.variant,
            layers=layers,
            decided_ns=self._now(),
            start_ns=start_ns,
            switch_ns=switch_ns,
            isolated_ns=isolated_ns,
            moved_bytes=moved + sum(version.dram_bytes[i] for i in layers),
            energy_pj=energy_pj,
            end_ns=start_ns + isolated_ns,
        )
        self.outcome.executions.append(execution)
        if accelerator.last_frame is not frame and moved > frame.layer.input_elements:
            self.outcome.out_transfers += 1
        accelerator.running, accelerator.last_frame = execution, frame
        accelerator.last_layer = version.network.layers[layers[-1]]
        frame.executing = True
        frame.last_accelerator = accelerator
        frame.energy_pj += energy_pj
        if self.memory is None or start_ns > self._now():
            self.env.process(self._end(execution))
        if self.memory is not None:
            if start_ns > self._now():
                self.env.process(self._start(execution))
            else:
                self._use_link(execution)
                self.env.process(self._end(execution))
