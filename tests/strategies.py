"""Random workloads for Hypothesis, sized so that frames compete, run late and are lost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from dream_gym.hardware import Platform, cost_table
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

GRID_CYCLE_NS = 1000
RATES = (Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(24), Fraction(7, 3))
RATE_FACTORS = (Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3, 2))
PHASE_LOADS = (Fraction(1), Fraction(1, 2), Fraction(2), Fraction(3, 7))  # on a grid not the last
SLOW_RATES = (Fraction(7, 3), Fraction(7, 8), Fraction(7, 2))  # so that seconds pass
DEADLINE_FACTORS = (None, None, 0.5, 0.25, 1.0, 1.5, 3.0, 7.5)


SCHEDULERS = (
    "fcfs",
    "whim",
    "dream_plus",
    "edf",
    "whim",
    "dream_mapscore",
    "dream_online",
    "dream_full",
    "dream_smartdrop",
)


@dataclass(frozen=True)
class Case:
    """Arguments of one simulation, for the engine and for the reference alike."""

    scenario: Scenario
    platform: Platform
    scheduler: str
    options: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)  # of the scheduler


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
    lighter = draw(st.sampled_from((0, 1, 2)))
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
def phases(
    draw: st.DrawFn, models: Sequence[ModelSpec], seconds: float, load: float, grid: bool
) -> list[Phase]:
    """Two or three apps in turn, each with some of the models at rates and deadlines of its own."""
    found = []
    count = draw(st.sampled_from((2, 3)))
    for index in range(count):
        chosen = [model for model in models if draw(st.sampled_from((True, True, False)))]
        specs = draw(other_rates(chosen or models, grid))
        # Some call the first model by another name, which the phase takes back.
        rename = {"alias": specs[0].name} if draw(st.sampled_from((False, False, True))) else {}
        names = {name: alias for alias, name in rename.items()}
        last = index == count - 1
        share = draw(st.sampled_from((0.4, 0.1, 0.25)))
        factor = draw(st.sampled_from(PHASE_LOADS[: 3 if grid else None]))
        app = Scenario(
            schema=1,
            name=f"app{index}",
            expiry=draw(st.sampled_from(("soft", "firm"))),  # the whole's counts
            models=tuple(
                _jitter_below_period(_renamed(spec, names), Fraction(load) * factor)
                for spec in specs
            ),
        )
        found.append(
            Phase(
                scenario=app,
                seconds=None if last else _on_grid(seconds * share * 1e9, grid) / 1e9,
                load=factor,
                rename=rename,
            )
        )
    return found


@st.composite
def other_rates(draw: st.DrawFn, models: Sequence[ModelSpec], grid: bool) -> list[ModelSpec]:
    """Models of an app, sometimes with another rate, deadline, phase, jitter or parent."""
    specs: dict[str, ModelSpec] = {}
    for model in models:
        changes: dict[str, Any] = {}
        link = model.depends_on
        if draw(st.sampled_from((False, False, True))):
            # Whoever it depended on, now it is a root or depends on an earlier model.
            parent = draw(st.sampled_from((None, *specs)))
            chance = draw(st.sampled_from((1.0, 0.5)))
            link = None if parent is None else Dependency(model=parent, probability=chance)
        if link is not None and link.model not in specs:
            link = None
        if link is not None:
            every = draw(st.sampled_from((1, 2, 3)))
            changes |= {"rate": specs[link.model].rate / every, "phase_ms": 0.0, "jitter_ms": 0.0}
        elif draw(st.booleans()):
            changes["rate"] = model.rate * draw(st.sampled_from(RATE_FACTORS))
        if link is None and draw(st.sampled_from((True, True, False))):
            period_ns = math.floor(10**9 / changes.get("rate", model.rate))
            phase_ns = draw(st.sampled_from((0, 1, period_ns // 2, 2 * period_ns)))
            changes["phase_ms"] = (phase_ns and _on_grid(phase_ns, grid)) / 1e6
            changes["jitter_ms"] = draw(st.sampled_from((period_ns, 0, period_ns // 2))) / 1e6
        # On a grid deadlines are where lone frames end, and mostly stay there.
        if draw(st.sampled_from((False, False, True) if grid else (False, True))):
            rate = changes.get("rate", model.rate)
            share = draw(st.sampled_from(DEADLINE_FACTORS))
            changes["deadline_ms"] = share and math.floor(10**9 / rate * Fraction(share)) / 1e6
        specs[model.name] = model.model_copy(update={"depends_on": link, **changes})
    return list(specs.values())


def _on_grid(time_ns: float, grid: bool) -> int:
    unit_ns = GRID_CYCLE_NS if grid else 1
    return max(math.floor(time_ns / unit_ns), 1) * unit_ns


def _renamed(spec: ModelSpec, names: dict[str, str]) -> ModelSpec:
    link = spec.depends_on
    if link is not None:
        link = link.model_copy(update={"model": names.get(link.model, link.model)})
    name = names.get(spec.name, spec.name)
    return spec.model_copy(update={"name": name, "depends_on": link})


def _jitter_below_period(spec: ModelSpec, load: Fraction) -> ModelSpec:
    period_ns = 10**9 / (spec.rate * max(load, Fraction(1)))
    most_ms = math.floor(period_ns * Fraction(9, 10)) / 1e6
    return spec.model_copy(update={"jitter_ms": min(spec.jitter_ms, most_ms)})


@st.composite
def parameters(draw: st.DrawFn, scheduler: str) -> dict[str, Any]:
    """Options of a scheduler."""
    if not scheduler.startswith("dream_"):
        return {}
    found: dict[str, Any] = {"late_urgency": draw(st.sampled_from(("floor", "one", "last")))}
    if scheduler != "dream_online":
        found["alpha"] = draw(st.sampled_from((0.0, 0.3, 1.0, 2.0)))
        found["beta"] = draw(st.sampled_from((0.0, 0.7, 1.0, 2.0)))
    if scheduler == "dream_plus":
        found["patience"] = draw(st.sampled_from((1.0, 1.1, 1.0, 1.4, 8.0)))
        found["drop_cap"] = draw(st.sampled_from((2, 0, 1, 5, 10)))
        found["supernet_margin"] = draw(st.sampled_from((1.0, 0.0, 0.5, 1.7, 4.0)))
    return found


@st.composite
def cases(draw: st.DrawFn, *, grid: bool, schedulers: Sequence[str] = SCHEDULERS) -> Case:
    """Workloads; on a grid, all times are multiples of one cycle and instants are crowded.

    Args:
        draw: Hypothesis's.
        grid: Whether clock, rates and bandwidth are such that events often coincide.
        schedulers: Which of them there may be.
    """
    scheduler = draw(st.sampled_from(schedulers))
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
    in_phases = draw(st.sampled_from((False, False, True) if grid else (False, True)))
    least = Fraction(24 if in_phases else 8)  # a phase may have higher rates: 1 µs is the limit
    cycles = max(work * Fraction(load) / (accelerator_count * Fraction(usage)), least)
    if grid:
        clock = Fraction(1, GRID_CYCLE_NS)
        rate = Fraction(10**9, GRID_CYCLE_NS * math.ceil(cycles))
    else:
        # The windows of the online tuner last for a second.
        rate = draw(st.sampled_from(SLOW_RATES if scheduler == "dream_online" else RATES))
        clock = _three_digits(cycles * rate / 10**9)

    models = []
    for index, (network, link, factor) in enumerate(zip(chosen, parents, factors, strict=True)):
        period_ns = 10**9 / (rate * factor)
        deadline_ms = None
        if grid and draw(st.booleans()):
            # What one frame takes alone, so that ends and deadlines coincide.
            table = cost_table(network, nominal)
            moved = network.layers[0].input_elements / Fraction(hardware["bytes_per_cycle"])
            alone = int(table.latency_ns.min(axis=1).sum()) + math.ceil(moved)
            deadline_ms = alone * draw(st.sampled_from((1, 2, 3))) * GRID_CYCLE_NS / 1e6
        elif (share := draw(st.sampled_from(DEADLINE_FACTORS))) is not None:
            deadline_ms = math.floor(period_ns * Fraction(share)) / 1e6
        fields: dict[str, Any] = {}
        if link is None:
            latest = period_ns / Fraction(max(load, 1.0)) * Fraction(9, 10)
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
    if in_phases:
        whole = {"phases": draw(phases(models, seconds, load, grid))}
    scenario = Scenario(
        schema=1, name="random", expiry=draw(st.sampled_from(("soft", "firm"))), **whole
    )
    options: dict[str, Any] = {"seconds": seconds, "load": load}
    # Bandwidth is shared in units of 2^-20 bytes per ns; there must be some.
    enough = clock * hardware["bytes_per_cycle"] * 2**18 >= 1
    # What is slowed, or starts between two cycles, leaves the grid: there it is rarer.
    sharing = (False, False, True, None) if grid else (True, False, None)
    options["contention"] = draw(st.sampled_from(sharing if enough else (False,)))
    by_default = enough and draw(st.sampled_from((False, False, True) if grid else (False, True)))
    platform = _platform(clock, contention=by_default, **hardware)
    usual_ns = math.floor(10**9 / rate)
    slow = min(draw(st.sampled_from((usual_ns // 8, 3 * usual_ns))), 10**9)
    delays = (GRID_CYCLE_NS, 2 * GRID_CYCLE_NS, 137, 0) if grid else (1, 137, GRID_CYCLE_NS, slow)
    options["decision_ns"] = draw(st.sampled_from((0, 0, 0, 0, *delays)))
    options["seed"] = draw(st.integers(0, 2**63 - 1))
    options["energy_norm"] = draw(st.sampled_from(("charged", "literal")))
    return Case(scenario, platform, scheduler, options, draw(parameters(scheduler)))
