"""The engine gives the timeline of the reference simulator, event for event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, seed, settings
from hypothesis import strategies as st

import dream_gym
from dream_gym.hardware import load_platform
from dream_gym.reading import resources
from dream_gym.schedulers import BUILTIN, BuiltinScheduler, get_scheduler
from dream_gym.simulator import Result, Simulation
from dream_gym.simulator.limits import first_due_ns
from dream_gym.workload import Layer, ModelSpec, Network, Scenario, load_scenario
from tests import reference
from tests.agreement import assert_same_figures, assert_same_record
from tests.reference import Outcome
from tests.reference.paths import path
from tests.strategies import SCHEDULERS, Case, cases
from tests.whim import WHIM

REPRODUCIBLY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
EXAMPLES = 60 if numba.config.DISABLE_JIT else 400
TRAITS = {
    "completed": 0.5,
    "late": 0.2,
    "displaced": 0.1,
    "expired": 0.1,
    "expired after its deadline": 0.1,
    "parent lost": 0.1,
    "unfinished": 0.2,
    "out-transfer": 0.15,
    "dropped": 0.1,
    "lighter variant": 0.1,
    "block of layers": 0.1,
    "skipped a block": 0.05,
    "left early": 0.05,
    "slowed by contention": 0.05,
    "waited for the decision": 0.1,
    "late in a sequence of apps": 0.03,
    "one model in two apps": 0.1,
    "in flight at a switch of apps": 0.08,
    "released after its app": 0.01,
    "dropped by DREAM": 0.1,
    "switched a Supernet": 0.07,
}
"""The share of the random workloads that must show each, or the test would prove little."""

TRAITS_OFF_GRID = {
    "waited out of patience": 0.01,
    "tuner moved": 0.05,
}
TRAITS_ON_GRID = {
    "just in time": 0.05,
    "two completions at once": 0.2,
    "release at a completion": 0.15,
}


def run_reference(case: Case) -> Outcome:
    return reference.simulate(
        case.scenario, case.platform, case.scheduler, **case.options, **case.parameters
    )


def run_engine(case: Case) -> Result:
    """The result of the engine; a world without frames is refused, and the case given up."""
    world = Simulation(case.scenario, case.platform, None, load=case.options["load"])
    if first_due_ns(world.problem) > case.options["seconds"] * 1e9:
        reject()
    return dream_gym.simulate(
        case.scenario,
        case.platform,
        scheduler_of(case),
        validate=True,
        record=True,
        **case.options,
        **case.parameters,
    )


def scheduler_of(case: Case) -> str | BuiltinScheduler:
    return WHIM if case.scheduler == "whim" else case.scheduler


def traits(outcome: Outcome) -> Iterator[str]:
    """What was seen in a run, each once."""
    yield from {str(frame.fate) for frame in outcome.frames}
    yield from outcome.remarks
    completed = [frame for frame in outcome.frames if frame.fate == "completed"]
    if any(frame.end_ns > frame.deadline_ns for frame in completed):
        yield "late"
    if any(frame.end_ns == frame.deadline_ns for frame in completed):
        yield "just in time"
    if any(f.fate == "expired" and f.end_ns > f.deadline_ns for f in outcome.frames):
        yield "expired after its deadline"
    if outcome.out_transfers:
        yield "out-transfer"
    runs = outcome.executions
    if any(run.variant > 0 for run in runs):
        yield "lighter variant"
    if any(len(run.layers) > 1 for run in runs):
        yield "block of layers"
    if any(run.end_ns > run.start_ns + run.isolated_ns for run in runs):
        yield "slowed by contention"
    if any(run.start_ns > run.decided_ns for run in runs):
        yield "waited for the decision"
    for frame in completed:
        way = path(frame.version.network, frame.luck)
        last = len(frame.version.network.layers) - 1
        if way[-1] < last and any(item.layer == way[-1] for item in frame.version.network.exits):
            yield "left early"
        if len(way) <= way[-1]:
            yield "skipped a block"
    if any(f.part < g.part and f.end_ns > f.deadline_ns for f in completed for g in completed):
        yield "late in a sequence of apps"
    yield from traits_of_phases(outcome)
    ends = Counter(row.end_ns for row in outcome.timeline)
    if any(times > 1 for times in ends.values()):
        yield "two completions at once"
    if any(f.parent is None and f.release_ns in ends for f in outcome.frames):
        yield "release at a completion"


def traits_of_phases(outcome: Outcome) -> Iterator[str]:
    left_ns = dict(enumerate(outcome.part_starts_ns[1:]))  # when a phase is left
    for frame in outcome.frames:
        if frame.release_ns is None or frame.part not in left_ns:
            continue
        if frame.release_ns < left_ns[frame.part] < frame.end_ns:
            yield "in flight at a switch of apps"
        if frame.release_ns >= left_ns[frame.part]:
            yield "released after its app" if frame.parent is None else "born after its app"
    parts = {(frame.model.index, frame.part) for frame in outcome.frames}
    if len(parts) > len({model for model, _ in parts}):
        yield "one model in two apps"


@pytest.mark.parametrize("grid", [False, True])
def test_random_workloads(grid: bool) -> None:
    seen: Counter[str] = Counter()
    for index, scheduler in enumerate(SCHEDULERS):

        @seed(index)
        @settings(REPRODUCIBLY, max_examples=EXAMPLES // len(SCHEDULERS))
        @given(cases(grid=grid, schedulers=(scheduler,)))
        def check(case: Case) -> None:
            outcome = run_reference(case)
            result = run_engine(case)
            assert_same_record(result, outcome)
            assert_same_figures(result, outcome)
            seen.update(set(traits(outcome)))

        check()
    if numba.config.DISABLE_JIT:
        return  # too few workloads to speak of shares
    required = {**TRAITS, **(TRAITS_ON_GRID if grid else TRAITS_OFF_GRID)}
    rare = {item: seen[item] for item, share in required.items() if seen[item] < share * EXAMPLES}
    assert not rare, f"too few workloads show these: {rare}"


def test_every_variant_of_dream_is_among_the_random_ones() -> None:
    # Rules and rivals are compared in tests/schedulers/test_rivals.py.
    variants = {name for name, each in BUILTIN.items() if each.family in ("DREAM", "ours")}
    assert variants
    assert variants <= set(SCHEDULERS)


SETTINGS = (
    (0.5, "soft", "dream_mapscore", {}),
    (0.5, "firm", "fcfs", {}),
    (1.0, "soft", "dream_full", {}),
    (1.0, "firm", "dream_smartdrop", {"late_urgency": "last"}),
    (2.0, "soft", "dream_plus", {"patience": 1.5, "drop_cap": 5, "supernet_margin": 1.3}),
    (2.0, "firm", "edf", {}),
)


SWINGS = [name for name in resources.names("scenarios") if name.endswith("_swings")]
"""Scenarios that are others at changing loads."""


@pytest.mark.compiled
@pytest.mark.parametrize("platform", resources.names("platforms"))
@pytest.mark.parametrize("scenario", sorted({*resources.names("scenarios")} - {*SWINGS}))
def test_shipped_cells(scenario: str, platform: str) -> None:
    assert_shipped_cell_agrees(scenario, platform, seconds=0.12)


@pytest.mark.compiled
@pytest.mark.parametrize("scenario", SWINGS)
def test_shipped_swings(scenario: str) -> None:
    assert_shipped_cell_agrees(scenario, "4k_1ws_2os", seconds=1.2)


def assert_shipped_cell_agrees(scenario: str, platform: str, *, seconds: float) -> None:
    for load, expiry, scheduler, parameters in SETTINGS:
        options = {"seconds": seconds, "seed": 7, "load": load, "expiry": expiry}
        cell = load_scenario(scenario), load_platform(platform)
        case = Case(*cell, scheduler, options, parameters)
        outcome = run_reference(case)
        result = run_engine(case)
        assert_same_record(result, outcome)
        assert_same_figures(result, outcome)


@pytest.mark.compiled
def test_a_long_run_does_not_drift() -> None:
    # Two models of rates without a whole period, on one accelerator, for ten minutes.
    network = Network("tiny", (Layer("only", K=64, C=64, Y=14, X=14),), source="made up")
    models = tuple(
        ModelSpec(name=str(rate), network=network, rate=rate)
        for rate in (Fraction(30000, 1001), Fraction(70, 3))
    )
    scenario = Scenario(schema=1, name="long", models=models)
    case = Case(scenario, load_platform("4k_2ws"), "edf", {"seconds": 600.0, "load": 0.7})
    assert_same_record(run_engine(case), run_reference(case))


@settings(REPRODUCIBLY, max_examples=150)
@given(st.booleans().flatmap(lambda grid: cases(grid=grid)), st.data())
def test_ticks_change_nothing(case: Case, data: st.DataObject) -> None:
    outcome = run_reference(case)
    end_ns = outcome.horizon_ns
    # Ticks anywhere, and at the very times when something happens.
    events = {row.end_ns for row in outcome.timeline} | {f.deadline_ns for f in outcome.frames}
    crowded = sorted({min(time_ns, end_ns) for time_ns in events | {end_ns}})
    times = st.integers(1, end_ns) | st.sampled_from(crowded)
    ticks = sorted({*data.draw(st.lists(times, max_size=12)), end_ns})

    simulation, figures = run_in_steps(case, ticks)

    assert_same_record(simulation.result(), outcome)
    expected = [outcome.uxcost(tick) for tick in ticks]
    assert figures == pytest.approx(expected, rel=1e-12)
    rises = np.diff([0.0, *figures])
    assert (rises >= 0).all()
    whole = run_engine(case)
    assert rises.sum() == pytest.approx(whole.uxcost, rel=1e-12)
    assert figures[-1] == whole.uxcost


def run_in_steps(case: Case, ticks: list[int]) -> tuple[Simulation, list[float]]:
    """The engine stopped at each tick, and UXCost there."""
    setting = dict(case.options)
    start = {name: setting.pop(name) for name in ("seconds", "seed")}
    scheduler = get_scheduler(scheduler_of(case))
    simulation = Simulation(case.scenario, case.platform, scheduler.engine, **setting)
    parameters = scheduler.configure(**case.parameters).parameters()
    simulation.parameters[: len(parameters)] = parameters
    simulation.reset(**start, record=True)
    figures = []
    for tick in ticks:
        simulation.advance(tick)
        figures.append(simulation.uxcost())
    return simulation, figures
