"""Numbers of many digits and of extreme size: exact, or refused with the field at fault."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dream_gym
from dream_gym import simulate
from dream_gym.arguments import exact_number
from dream_gym.errors import ConfigError
from dream_gym.hardware import CostTable, Platform, load_platform
from dream_gym.hardware.callable import PythonCosts
from dream_gym.hardware.chip import Chip
from dream_gym.simulator import Simulation, switch_cost
from dream_gym.simulator.exact import greatest_fraction, least_fraction
from dream_gym.units import NS_PER_S
from dream_gym.workload import Layer, ModelSpec, Network, Scenario, load_scenario
from tests import reference
from tests.agreement import assert_same_figures, assert_same_record

CELL = "ar_social", "4k_1ws_2os"
quick = settings(deadline=None, derandomize=True, database=None)


@quick
@given(
    st.fractions(0, 1000, max_denominator=10**18),
    st.integers(1, 10**6),
    st.lists(st.integers(0, 10**6), min_size=1),
)
def test_a_short_fraction_rounds_as_a_long_one(
    number: Fraction, largest: int, numbers: list[int]
) -> None:
    least, greatest = least_fraction(number, largest), greatest_fraction(number, largest)
    assert greatest <= number <= least
    assert max(least.denominator, greatest.denominator) <= largest
    for n in (*(n % (largest + 1) for n in numbers), largest):
        assert math.ceil(n * least) == math.ceil(n * number)
        assert math.floor(n * greatest) == math.floor(n * number)


@pytest.mark.parametrize("bandwidth", [90, 100 / 3, 0.00123456789012345, 1 / 7, 999_999.999999999])
def test_a_context_switch_takes_its_time_whatever_the_digits(bandwidth: float) -> None:
    exact = Fraction(str(bandwidth))
    platform = load_platform(CELL[1]).model_copy(update={"dram_bandwidth_gb_s": exact})
    simulation = Simulation(load_scenario(CELL[0]), platform, None)
    simulation.reset(seed=0, seconds=0.1)
    state = simulation.state
    state.slots["serial"][0] = 1
    state.accelerators["serial"][0] = 2
    # No other slot is alive: what is moved is the input of the layer.
    for layer, moved_bytes in enumerate(simulation.problem.layers["input_bytes"].tolist()):
        state.slots["layer"][0] = layer
        time_ns, energy_pj = switch_cost(simulation.problem_arena, simulation.state_arena, 0, 0)
        assert time_ns == math.ceil(moved_bytes / exact)
        assert energy_pj == moved_bytes * platform.dram_energy_pj_per_byte


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_ghz": 0.6666666666666666},
        {"dram_bandwidth_gb_s": 33.333333333333336},
        {"clock_ghz": 0.6666666666666666, "dram_bandwidth_gb_s": 33.333333333333336},
    ],
)
def test_a_platform_of_many_digits_runs_as_the_reference_does(changes: dict[str, float]) -> None:
    fields = {name: Fraction(str(value)) for name, value in changes.items()}
    platform = load_platform(CELL[1]).model_copy(update=fields)
    arguments: dict[str, Any] = {"seconds": 0.1, "load": 2.0, "seed": 3}
    result = simulate(CELL[0], platform, "edf", record=True, validate=True, **arguments)
    outcome = reference.simulate(load_scenario(CELL[0]), platform, "edf", **arguments)
    assert_same_record(result, outcome)
    assert_same_figures(result, outcome)
    # As fast as the platform whose numbers these are the decimals of, but for single ns.
    near = {name: value.limit_denominator(100) for name, value in fields.items()}
    neighbour = simulate(CELL[0], platform.model_copy(update=near), "edf", record=True, **arguments)
    assert result.uxcost == pytest.approx(neighbour.uxcost, rel=1e-3)


def scenario_of(**model: Any) -> Scenario:
    spec = ModelSpec.model_validate({"name": "eyes", "network": "sosnet", "rate": 60, **model})
    return Scenario(schema=1, name="s", models=(spec,))


@pytest.mark.parametrize(
    ("rate", "load"),
    [
        ("60", 1.0004),
        ("60", 1 / 3),
        ("29.97002997002997", 1.0),
        ("29.97002997002997", 0.0123456789012345),
        ("10000.000000001", 0.9999999999),
    ],
)
def test_frames_come_at_the_rate_and_load_that_are_written(rate: str, load: float) -> None:
    simulation = Simulation(scenario_of(rate=rate), load_platform("4k_2ws"), None, load=load)
    period_ns = NS_PER_S / (Fraction(rate) * Fraction(str(load)))
    seconds = float(math.ceil(3000 * period_ns / NS_PER_S))
    simulation.reset(seed=0, seconds=seconds)
    (nominal_ns,) = (frames.nominal_ns for frames in simulation.recording().values())
    assert nominal_ns.tolist() == [math.floor(i * period_ns) for i in range(len(nominal_ns))]
    assert len(nominal_ns) >= 2999
    # The last frame of the longest run, where the error of a short fraction would be largest.
    stream = simulation.problem.streams[0]
    last = int(10**5 * NS_PER_S / period_ns)
    fraction_ns = last * int(stream.period_remainder) // int(stream.period_divisor)
    assert last * int(stream.period_quotient_ns) + fraction_ns == math.floor(last * period_ns)
    assert last * int(stream.period_remainder) < 2**63


def test_loads_on_the_grid_of_thousandths_are_fractions_of_it() -> None:
    for step in range(1, 5000, 7):
        assert exact_number("load", step / 1000) == Fraction(step, 1000)


@pytest.mark.parametrize("field", ["deadline_ms", "phase_ms", "jitter_ms"])
@pytest.mark.parametrize("value", [3.00000049, 1.23456789])
def test_no_time_is_rounded_without_a_word(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"models\.0\.{field}: .* no whole number of nanosec"):
        Simulation(scenario_of(**{field: value}), load_platform("4k_2ws"), None)


def test_times_of_whole_nanoseconds_are_taken_as_they_are() -> None:
    scenario = scenario_of(deadline_ms=7.000001, phase_ms=0.1 + 0.2, jitter_ms=1e-6)
    stream = Simulation(scenario, load_platform("4k_2ws"), None).problem.streams[0]
    assert (stream.deadline_ns, stream.first_ns, stream.jitter_ns) == (7_000_001, 300_000, 1)


@pytest.mark.parametrize("seconds", [1e-10, 0.1000000001, 1 / 3])
def test_seconds_are_not_rounded_either(seconds: float) -> None:
    with pytest.raises(ConfigError, match=r"seconds: .* no whole number of nanoseconds"):
        simulate(*CELL, "fcfs", seconds=seconds)


def test_phases_begin_at_whole_nanoseconds() -> None:
    phases = [{"scenario": "ar_social", "seconds": 0.1000000001}, {"scenario": "ar_social"}]
    scenario = Scenario.model_validate({"schema": 1, "name": "s", "phases": phases})
    with pytest.raises(ConfigError, match=r"phases\.0\.seconds: .* no whole number of nanosec"):
        Simulation(scenario, load_platform("4k_2ws"), None)


NETWORK = Network("one", (Layer("a", K=1, C=1, Y=1, X=1),), source="this test")


def priced(
    energy_pj: int, latency_ns: int = 100, layers: int = 1, **model: Any
) -> tuple[Scenario, Platform]:
    """A model of 10,000 frames per second, and a platform where each layer costs so much."""

    def costs(network: Network, chip: Chip) -> CostTable:
        shape = len(network.layers), len(chip.accelerators)
        return CostTable(np.full(shape, latency_ns), np.full(shape, energy_pj))

    chain = tuple(Layer(f"l{index}", K=1, C=1, Y=1, X=1) for index in range(layers))
    network = Network("one", chain, source="this test")
    platform = load_platform("4k_2ws").model_copy(update={"costs": PythonCosts(function=costs)})
    return scenario_of(**{"network": network, "rate": 10_000, "backlog": 1, **model}), platform


@pytest.mark.parametrize("latency_ns", [100, 10**10])  # all frames complete, or nearly all lost
def test_energies_add_up_as_pythons_integers_do(latency_ns: int) -> None:
    energy_pj = 10**15 - 1
    scenario, platform = priced(energy_pj, latency_ns)
    result = simulate(scenario, platform, "fcfs", seconds=0.2, validate=True)
    (charged_pj,), (frames,) = result.energy_charged.values(), result.frame_count.values()
    moved_pj = 216 * result.dispatches
    assert frames == 2000
    if latency_ns == 100:
        assert charged_pj == frames * energy_pj + moved_pj
    else:
        assert charged_pj == frames * energy_pj
    assert result.uxcost > 0


def test_energies_that_would_wrap_are_refused_before_the_run() -> None:
    scenario, platform = priced(10**15)
    with pytest.raises(ConfigError, match=r"seconds: in 1 s the frames of eyes may need more than"):
        simulate(scenario, platform, "fcfs", seconds=1.0)


def test_a_frame_that_needs_too_much_is_refused() -> None:
    scenario, platform = priced(10**15, layers=10)
    with pytest.raises(ConfigError, match=r"4k_2ws: costs: a frame of one, .* 1\.0e\+16 pJ"):
        simulate(scenario, platform, "fcfs", seconds=0.01)


def test_a_layer_of_too_many_bytes_is_refused() -> None:
    layer = Layer("wide", K=2**30, C=2**30, Y=1, X=1)
    table = {"costs": PythonCosts(function=lambda n, c: CostTable(*np.ones((2, 1, 2), np.int64)))}
    platform = load_platform("4k_2ws").model_copy(update=table)
    scenario = scenario_of(network=Network("big", (layer,), source="this test"))
    with pytest.raises(ConfigError, match=r"layer 'wide': .* bytes are more than 2"):
        Simulation(scenario, platform, None)


def test_a_bandwidth_that_makes_a_switch_take_for_ever_is_refused() -> None:
    update = {"dram_bandwidth_gb_s": Fraction(1, 10**15)}
    platform = priced(1)[1].model_copy(update=update)
    with pytest.raises(ConfigError, match="4k_2ws: dram_bandwidth_gb_s: 1e-15 is too small"):
        Simulation(load_scenario("ar_call"), platform, None)


def test_all_frames_of_the_longest_run_at_the_highest_rate_are_counted_at_once() -> None:
    simulation = Simulation(*priced(1, rate=1_000_000, deadline_ms=0.003), None)
    simulation.reset(seed=0, seconds=100_000)
    assert simulation.state.models["frames"].tolist() == [10**11 - 3 + 1]


def test_a_record_without_memory_is_refused() -> None:
    scenario, platform = priced(1, rate=1_000_000)
    with pytest.raises(ConfigError, match=r"record: there is no memory for .* dispatches"):
        simulate(scenario, platform, "fcfs", seconds=100_000, record=True)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("seconds", "5"),
        ("seconds", None),
        ("seconds", True),
        ("seconds", float("nan")),
        ("seconds", 10**400),
        ("seed", "3"),
        ("seed", 1.5),
        ("seed", True),
        ("seed", -1),
        ("load", "2"),
        ("load", [1.0]),
        ("load", False),
        ("load", float("inf")),
        ("expiry", 1),
        ("expiry", ["soft"]),
        ("energy_norm", None),
        ("contention", "yes"),
        ("contention", 1),
        ("decision_ns", 0.5),
        ("decision_ns", "1"),
        ("decision_ns", 10**30),
        ("record", 1),
        ("validate", "no"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(argument: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"^{argument}: "):
        simulate(*CELL, "fcfs", **{"seconds": 0.1, argument: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("scheduler", [None, 3, dream_gym.Scheduler])
def test_a_scheduler_that_is_none_is_named(scheduler: Any) -> None:
    with pytest.raises(ConfigError, match=r"^scheduler: "):
        simulate(*CELL, scheduler, seconds=0.1)


def test_numpys_numbers_are_numbers() -> None:
    options = {"seconds": np.float64(0.1), "seed": np.int32(2), "load": np.float32(1.5)}
    assert simulate(*CELL, "fcfs", **options) == simulate(  # type: ignore[arg-type]
        *CELL, "fcfs", seconds=0.1, seed=2, load=Fraction(3, 2)
    )
