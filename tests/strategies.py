"""Random workloads for Hypothesis, sized so that frames compete, run late and are lost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from dream_gym.hardware import Platform, cost_table
from dream_gym.workload import (
    EarlyExit,
    Layer,
    ModelSpec,
    Network,
    Phase,
    Scenario,
    SkippableBlock,
)

GRID_CYCLE_NS = 1000
RATES = (Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(24), Fraction(7, 3))
RATE_FACTORS = (Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3, 2))
DEADLINE_FACTORS = (None, None, 0.5, 0.25, 1.0, 1.5, 3.0, 7.5)


@dataclass(frozen=True)
class Case:
    """Arguments of one simulation, for the engine and for the reference alike."""

    scenario: Scenario
    platform: Platform
    scheduler: str
    options: dict[str, Any]


@st.composite
def layers(draw: st.DrawFn, name: str, small: bool) -> Layer:
    channels = st.sampled_from((1, 2, 4) if small else (1, 3, 16, 48))
    filter_size = draw(st.sampled_from((1,) if small else (1, 3)))
    stride = draw(st.sampled_from((1, 2)))
    depthwise = draw(st.booleans())
    height, width = (
        (draw(st.sampled_from((1, 2) if small else (1, 4, 7))) - 1) * stride + filter_size
        for _ in range(2)
    )
    return Layer(
        name,
        K=1 if depthwise else draw(channels),
        C=draw(channels),
        Y=height,
        X=width,
        R=filter_size,
        S=filter_size,
        stride=stride,
        depthwise=depthwise,
    )


@st.composite
def chains(draw: st.DrawFn, name: str, small: bool, **fields: Any) -> Network:
    """A network without variants; every other one has forks."""
    count = draw(st.sampled_from((3, 4, 5, 2, 1)))
    chain = tuple(draw(layers(f"layer{index}", small)) for index in range(count))
    chances = st.sampled_from((0.5, 0.2, 0.9, 0.0, 1.0))
    blocks: list[SkippableBlock] = []
    exits: list[EarlyExit] = []
    if draw(st.booleans()):
        ends = draw(
            st.lists(st.integers(1, count), unique=True, min_size=2 if count > 1 else 0).map(sorted)
        )
        for first, stop in itertools.pairwise(ends):
            if draw(st.sampled_from((True, True, False))):
                blocks.append(SkippableBlock(first, stop, draw(chances)))
        leaving = draw(st.lists(st.integers(0, count - 1), unique=True, max_size=2).map(sorted))
        exits = [EarlyExit(layer, draw(chances)) for layer in leaving]
    return Network(name, chain, source="random", blocks=tuple(blocks), exits=tuple(exits), **fields)


@st.composite
def networks(draw: st.DrawFn, small: bool) -> Network:
    name = f"net{draw(st.integers(0, 9))}"
    lighter = draw(st.sampled_from((0, 0, 1, 2)))
    top1 = draw(st.sampled_from((None, 70.5)))
    variants = tuple(draw(chains(f"{name}.{index}", small, top1=top1)) for index in range(lighter))
    return draw(chains(name, small, variants=variants, top1=top1 and 80.0))


@st.composite
def accelerators(draw: st.DrawFn, count: int, alike: bool) -> list[dict[str, Any]]:
    one = st.fixed_dictionaries(
        {
            "dataflow": st.sampled_from(("WS", "OS", "RS")),
            "num_pes": st.sampled_from((256, 512, 1024)),
            "noc_bandwidth": st.sampled_from((1, 4, 64)),
        }
    )
    kinds = [draw(one)] * count if alike else [draw(one) for _ in range(count)]
    return [{"name": f"acc{index}", **kind} for index, kind in enumerate(kinds)]


def _platform(clock: Fraction, **fields: Any) -> Platform:
    """A platform whose off-chip link moves a given number of bytes per cycle."""
    bytes_per_cycle = fields.pop("bytes_per_cycle")
    return Platform(
        schema=1,
        name="random",
        clock_ghz=clock,
        dram_bandwidth_gb_s=clock * bytes_per_cycle,
        **fields,
    )


def _three_digits(value: Fraction) -> Fraction:
    unit = Fraction(10) ** (math.floor(math.log10(value)) - 2)
    return max(round(value / unit), 1) * unit


@st.composite
def dependencies(draw: st.DrawFn, count: int) -> list[tuple[int, int] | None]:
    """For each model its parent and how many of the parent's frames come to one of its own."""
    found: list[tuple[int, int] | None] = [None]
    for index in range(1, count):
        parent = draw(st.sampled_from((None, index - 1, None, 0)))
        found.append(None if parent is None else (parent, draw(st.sampled_from((1, 1, 2, 3)))))
    return found


@st.composite
def phases(draw: st.DrawFn, models: Sequence[ModelSpec], seconds: float) -> list[Phase]:
    """Two or three apps in turn, each with some of the models, under other rates and deadlines."""
    found = []
    count = draw(st.sampled_from((2, 3)))
    for index in range(count):
        specs: list[ModelSpec] = []
        for model in models:
            link = model.depends_on
            if draw(st.sampled_from((False, False, True))) and len(models) > 1:
                continue
            changes: dict[str, Any] = {}
            if link is not None and link.model not in [spec.name for spec in specs]:
                changes["depends_on"] = None
            if draw(st.booleans()):
                changes["deadline_ms"] = None
            specs.append(model.model_copy(update=changes))
        last = index == count - 1
        share = draw(st.sampled_from((0.4, 0.1, 0.25)))
        found.append(
            Phase(
                scenario=Scenario(schema=1, name=f"app{index}", models=specs or models),
                seconds=None if last else max(round(seconds * share, 9), 1e-9),
                load=draw(st.sampled_from((1, Fraction(1, 2), 2))),
            )
        )
    return found


@st.composite
def cases(draw: st.DrawFn, *, grid: bool) -> Case:
    """Workloads; on a grid, all times are multiples of one cycle and instants are crowded.

    Args:
        draw: Hypothesis's.
        grid: Whether clock, rates and bandwidth are such that events often coincide.
    """
    count = draw(st.sampled_from((3, 4, 5, 2, 1)))
    pool = draw(st.lists(networks(small=grid), min_size=1, max_size=2 if grid else 3))
    chosen = [draw(st.sampled_from(pool)) for _ in range(count)]
    parents = draw(dependencies(count))
    factors: list[Fraction] = []
    for link in parents:
        factors.append(draw(st.sampled_from(RATE_FACTORS)) if link is None else factors[link[0]])
        if link is not None:
            factors[-1] /= link[1]
    accelerator_count = draw(st.sampled_from((2, 1, 3, 4)))
    hardware: dict[str, Any] = {
        "accelerators": draw(
            accelerators(
                accelerator_count, alike=grid and draw(st.sampled_from((True, True, False)))
            )
        ),
        "bytes_per_cycle": draw(st.sampled_from((1, 4, Fraction(16, 3)))),
        "shared_memory_kib": draw(st.sampled_from((0, 0, 1, 4))),
        "costs": {"model": "maestro", "dram": draw(st.booleans())},
        "dram_energy_pj_per_byte": draw(st.sampled_from((0, 1, 216))),
    }
    load = draw(st.sampled_from((1.0, 1.0, 0.5, 2.0) if grid else (1.0, 0.75, 1.3, 0.333, 2.5)))
    usage = draw(st.sampled_from((1.0, 1.5, 0.7, 3.0, 0.3)))

    # The period of a model of factor 1, in cycles, that makes the platform about that busy.
    nominal = _platform(Fraction(1), **hardware)
    work = sum(
        factor * int(cost_table(network, nominal).latency_ns.sum()) / accelerator_count
        for factor, network in zip(factors, chosen, strict=True)
    )
    cycles = max(work * Fraction(load) / (accelerator_count * Fraction(usage)), Fraction(8))
    if grid:
        clock = Fraction(1, GRID_CYCLE_NS)
        rate = Fraction(10**9, GRID_CYCLE_NS * math.ceil(cycles))
    else:
        rate = draw(st.sampled_from(RATES))
        clock = _three_digits(cycles * rate / 10**9)

    models = []
    for index, (network, link, factor) in enumerate(zip(chosen, parents, factors, strict=True)):
        period_ns = 10**9 / (rate * factor)
        deadline_ms = None
        if grid and draw(st.booleans()):
            # What one frame takes alone, so that ends and deadlines coincide.
            table = cost_table(network, nominal)
            moved = network.layers[0].input_elements / Fraction(hardware["bytes_per_cycle"])
            least = int(table.latency_ns.min(axis=1).sum()) + math.ceil(moved)
            deadline_ms = least * draw(st.sampled_from((1, 2, 3))) * GRID_CYCLE_NS / 1e6
        elif (share := draw(st.sampled_from(DEADLINE_FACTORS))) is not None:
            deadline_ms = math.floor(period_ns * Fraction(share)) / 1e6
        fields: dict[str, Any] = {}
        if link is None:
            latest = period_ns / (2 * Fraction(max(load, 1.0))) * Fraction(9, 10)
            fields["phase_ms"] = (
                draw(st.sampled_from((0, GRID_CYCLE_NS, math.floor(period_ns) // 2))) / 1e6
            )
            fields["jitter_ms"] = draw(st.sampled_from((0, 0, 1, math.floor(latest)))) / 1e6
        else:
            fields["depends_on"] = {
                "model": f"model{link[0]}",
                "probability": draw(st.sampled_from((1.0, 0.3, 0.0))),
            }
        models.append(
            ModelSpec(
                name=f"model{index}",
                network=network,
                rate=rate * factor,
                deadline_ms=deadline_ms,
                backlog=draw(st.sampled_from((1, 2, 3, 4))),
                **fields,
            )
        )
    periods = draw(st.sampled_from((12, 20, 30, 6, 3)))
    seconds = math.floor(periods * 10**9 / (rate * Fraction(load))) / 1e9
    whole: dict[str, Any] = {"models": models}
    if draw(st.sampled_from((False, False, True))):
        whole = {"phases": draw(phases(models, seconds))}
    scenario = Scenario(
        schema=1, name="random", expiry=draw(st.sampled_from(("soft", "firm"))), **whole
    )
    scheduler = draw(st.sampled_from(("fcfs", "whim", "edf", "dream_mapscore", "whim")))
    options: dict[str, Any] = {"seconds": seconds, "load": load}
    platform = _platform(clock, **hardware)
    # Bandwidth is shared in units of 2^-20 bytes per ns; there must be some.
    options["contention"] = platform.dram_bandwidth_gb_s * 2**18 >= 1 and draw(st.booleans())
    options["decision_ns"] = draw(st.sampled_from((0, 0, 0, 1, 137, GRID_CYCLE_NS)))
    options["seed"] = draw(st.integers(0, 2**63 - 1))
    if scheduler == "dream_mapscore":
        options["alpha"] = draw(st.sampled_from((0.0, 0.3, 1.0, 2.0)))
        options["beta"] = draw(st.sampled_from((0.0, 0.7, 1.0, 2.0)))
        options["late_urgency"] = draw(st.sampled_from(("floor", "one", "last")))
    return Case(scenario, platform, scheduler, options)
