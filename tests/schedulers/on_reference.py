"""Schedulers in Python on the reference simulator, which shows them what the engine would."""

from __future__ import annotations

from typing import Any, cast

import dream_gym
from dream_gym import Dispatch, View
from dream_gym.hardware import Platform
from dream_gym.schedulers.view import AcceleratorView, ReadyFrame
from dream_gym.workload import Network, Scenario
from tests.reference.decision import Choice, Choose, Moment
from tests.reference.world import Frame

ALL = 10**9
"""More layers than a network has."""


class Picture:
    """What a scheduler sees of a moment, under the names of `View`."""

    def __init__(self, scenario: Scenario, platform: Platform, moment: Moment) -> None:
        self.scenario, self.platform, self.now_ns = scenario, platform, moment.now_ns
        self.ready = [_ready(slot, frame) for slot, frame in enumerate(moment.waiting)]
        self.idle = [item.index for item in moment.idle]
        self.accelerators = [
            AcceleratorView(
                item.index,
                item.running is None,
                moment.now_ns if item.running is None else item.running.end_ns,
            )
            for item in moment.accelerators
        ]

    def network(self, frame: ReadyFrame) -> Network:
        return self.scenario.networks[frame.model]


def _ready(slot: int, frame: Frame) -> ReadyFrame:
    assert frame.release_ns is not None
    version, latencies_ns = frame.version, frame.latencies_ns
    return ReadyFrame(
        model=frame.model.index,
        frame=frame.index,
        release_ns=frame.release_ns,
        deadline_ns=frame.deadline_ns,
        ready_since_ns=frame.ready_since_ns,
        started=frame.last_accelerator is not None,
        variant=frame.variant,
        layer=frame.next_layer,
        block_length=len(frame.block(ALL)),
        latency_ns=tuple(latencies_ns),
        energy_pj=tuple(frame.energies_pj),
        mean_remaining_ns=version.total_ns[frame.next_layer] / len(latencies_ns),
        least_remaining_ns=version.least_ns[frame.next_layer],
        isolated_ns=version.least_ns[0],
        slot=slot,
    )


def on_reference(scheduler: dream_gym.Scheduler, scenario: Scenario, platform: Platform) -> Choose:
    """A scheduler in Python as one of the reference, for one run."""
    begun = False

    def choose(moment: Moment) -> Choice | None:
        nonlocal begun
        picture: Any = Picture(scenario, platform, moment)
        if not begun:
            scheduler.reset(cast(View, picture))
            begun = True
        choice = scheduler.select(cast(View, picture))
        if choice is None:
            return None
        assert isinstance(choice, Dispatch)
        frame = moment.waiting[choice.frame.slot]
        accelerator = moment.accelerators[choice.accelerator]
        return Choice(frame, accelerator, choice.variant, choice.layers)

    return choose
