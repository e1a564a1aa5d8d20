"""Tiny workloads with given costs, for cases that are worked out by hand.

The off-chip link moves 1 byte per ns at 1 pJ per byte. Unless a test says otherwise, a layer has
10 bytes of input and 20 of output and needs 1000 pJ, so that a switch costs 10 ns and 10 pJ, and
30 of each where the frame that is left behind has to be written out. Model names are one letter;
a frame is written as its model and its index, such as ``a0``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import dream_gym
from dream_gym import Dispatch, Drop, View
from dream_gym.hardware import Accelerator, CostTable, Platform
from dream_gym.hardware.callable import PythonCosts
from dream_gym.simulator import Ints, Result, Simulation
from dream_gym.workload import (
    Dependency,
    EarlyExit,
    Layer,
    ModelSpec,
    Network,
    Phase,
    Scenario,
    SkippableBlock,
)
from tests import reference
from tests.agreement import assert_same_figures, assert_same_record
from tests.reference.schedulers import Order, ordered


class Step(NamedTuple):
    """A layer with its costs, by accelerator; an integer holds for all of them."""

    latency_ns: int | Sequence[int]
    energy_pj: int | Sequence[int] = 1000
    bytes_in: int = 10
    bytes_out: int = 20


@dataclass(frozen=True)
class Given:
    """A model; times in ns, the deadline by default the period."""

    name: str
    steps: Sequence[int | Step]
    every_ns: int | Fraction = 10_000
    deadline_ns: int | None = None
    phase_ns: int = 0
    jitter_ns: int = 0
    backlog: int = 8
    parent: str | None = None
    probability: float = 1.0
    blocks: Sequence[tuple[int, int, float]] = ()
    exits: Sequence[tuple[int, float]] = ()
    top1: float | None = None
    lighter: Sequence[Given] = ()
    """Its variants; their names, steps, forks and top1 count."""

    def network(self) -> Network:
        layers = []
        for index, step in enumerate(self.steps):
            cost = step if isinstance(step, Step) else Step(step)
            layers.append(Layer(f"{index}", K=cost.bytes_out, C=cost.bytes_in, Y=1, X=1))
        return Network(
            self.name,
            tuple(layers),
            source="by hand",
            blocks=tuple(SkippableBlock(*block) for block in self.blocks),
            exits=tuple(EarlyExit(*leaving) for leaving in self.exits),
            variants=tuple(variant.network() for variant in self.lighter),
            top1=self.top1,
        )

    def spec(self) -> ModelSpec:
        return ModelSpec(
            name=self.name,
            network=self.network(),
            rate=10**9 / Fraction(self.every_ns),
            deadline_ms=None if self.deadline_ns is None else self.deadline_ns / 1e6,
            phase_ms=self.phase_ns / 1e6,
            jitter_ms=self.jitter_ns / 1e6,
            backlog=self.backlog,
            depends_on=(
                Dependency(model=self.parent, probability=self.probability) if self.parent else None
            ),
        )

    def costs(self, accelerators: int) -> CostTable:
        steps = [step if isinstance(step, Step) else Step(step) for step in self.steps]
        shape = (len(steps), accelerators)
        latency, energy = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
        for row, step in enumerate(steps):
            latency[row], energy[row] = step.latency_ns, step.energy_pj
        return CostTable(latency, energy)


Row: TypeAlias = tuple[str, int, int, int, int, int]


@dataclass(frozen=True)
class Seen:
    """What engine and reference both say.

    Args:
        rows: Frame, layer, accelerator, start, switch and end of each dispatch.
        fates: Fate and end of each frame.
        releases: Release of each frame, -1 for one that never was.
        layers: How many layers ran as one, of each dispatch.
        variants: Variant of each frame.
        result: All figures.
        world: A simulation in which the same world has begun.
    """

    rows: list[Row]
    fates: dict[str, tuple[str, int]]
    releases: dict[str, int]
    layers: list[int]
    variants: dict[str, int]
    result: Result
    world: Simulation

    @property
    def alone(self) -> Ints:
        """What the frames of the run would need alone, see `Simulation.alone`."""
        assert self.result.frames is not None
        return self.world.alone(self.result.frames)


class Ordered(dream_gym.Scheduler):
    """The reference's scheduler of this name, for the engine."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        self.orders = orders

    def select(self, view: View) -> Dispatch | Drop | None:
        if not view.ready or not view.idle:
            return None
        frame = view.ready[0]
        name = view.scenario.model_names[frame.model]
        order = self.orders.get(f"{name}{frame.frame}", Order())
        if order.drop:
            return Drop(frame)
        fastest = min(view.idle, key=lambda index: frame.latency_ns[index])
        return Dispatch(frame, fastest, order.variant, order.layers)


RunByHand: TypeAlias = Callable[..., Seen]


def run_by_hand(
    *models: Given,
    horizon_ns: int = 10_000,
    scheduler: str = "fcfs",
    accelerators: int = 1,
    apps: Sequence[tuple[str, int | None]] = (),
    orders: Mapping[str, Order] | None = None,
    **options: Any,
) -> Seen:
    """Run models, under a scheduler or under orders to what would be first come, first served.

    Or run apps in turn, each the letters of its models and its length in ns.
    """
    scenario, platform = make_scenario(models, apps), make_platform(accelerators, models)
    options = {"seconds": horizon_ns / 1e9, **options}
    chosen = scheduler if orders is None else ordered(orders)
    outcome = reference.simulate(scenario, platform, chosen, **options)
    result = dream_gym.simulate(
        scenario,
        platform,
        scheduler if orders is None else Ordered(orders),
        record=True,
        **options,
    )
    assert_same_record(result, outcome)
    assert_same_figures(result, outcome)
    assert result.frames is not None
    world = Simulation(scenario, platform, None, load=options.get("load", 1))
    world.reset(seed=result.seed, seconds=result.seconds)
    name = [model.name for model in models]
    frames = {f"{frame.model.name}{frame.index}": frame for frame in outcome.frames}
    return Seen(
        rows=[
            (f"{name[m]}{frame}", layer, accelerator, start, switch, end)
            for start, end, switch, m, frame, layer, _, _, accelerator, _ in outcome.timeline
        ],
        fates={key: (str(frame.fate), frame.end_ns) for key, frame in frames.items()},
        releases={
            key: -1 if frame.release_ns is None else frame.release_ns
            for key, frame in frames.items()
        },
        layers=[row.layers for row in outcome.timeline],
        variants={key: frame.variant for key, frame in frames.items()},
        result=result,
        world=world,
    )


def make_scenario(models: Sequence[Given], apps: Sequence[tuple[str, int | None]] = ()) -> Scenario:
    specs = {item.name: item.spec() for item in models}
    if not apps:
        return Scenario(schema=1, name="hand", models=tuple(specs.values()))
    phases = [
        Phase(
            scenario=Scenario(
                schema=1, name="app", models=tuple(specs[letter] for letter in letters)
            ),
            seconds=None if length_ns is None else length_ns / 1e9,
        )
        for letters, length_ns in apps
    ]
    return Scenario(schema=1, name="hand", phases=tuple(phases))


def make_platform(accelerators: int, models: Sequence[Given]) -> Platform:
    """A platform on which layers cost what the models say."""
    networks = [network for model in models for network in (model, *model.lighter)]
    tables = {network.name: network.costs(accelerators) for network in networks}
    return Platform(
        schema=1,
        name="hand",
        clock_ghz=Fraction(1),
        dram_bandwidth_gb_s=Fraction(1),
        dram_energy_pj_per_byte=1,
        shared_memory_kib=0,
        accelerators=tuple(
            Accelerator(name=f"acc{index}", dataflow="WS", num_pes=256, noc_bandwidth=1)
            for index in range(accelerators)
        ),
        costs=PythonCosts(function=lambda network, chip: tables[network.name]),
    )
