from __future__ import annotations

import tracemalloc

import pytest

from dream_gym.errors import ConfigError
from dream_gym.hardware import load_platform
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Simulation
from dream_gym.workload import load_scenario


def test_busy_share_counts_no_time_that_is_yet_to_come() -> None:
    simulation = Simulation(
        load_scenario("ar_social"),
        load_platform("4k_1ws_2os"),
        get_scheduler("fcfs").engine,
        load=2,
    )
    simulation.reset(seed=0, seconds=0.2, record=True)
    for tick_ns in (100_000, 20_000_000, simulation.horizon_ns):
        simulation.advance(tick_ns)
        result = simulation.result()
        assert result.timeline is not None
        for index, share in enumerate(result.busy_share.values()):
            rows = result.timeline[result.timeline["accelerator"] == index]
            busy_ns = sum(min(row["end_ns"], tick_ns) - row["start_ns"] for row in rows)
            assert share == pytest.approx(busy_ns / tick_ns, rel=1e-12)


def test_time_does_not_go_back() -> None:
    simulation = Simulation(
        load_scenario("ar_social"), load_platform("4k_1ws_2os"), get_scheduler("fcfs").engine
    )
    simulation.reset(seed=0, seconds=0.2)
    simulation.advance(50_000_000)
    with pytest.raises(ValueError, match="has passed"):
        simulation.advance(10_000_000)
    assert simulation.now_ns == 50_000_000


def test_the_state_does_not_grow_with_the_length_of_a_run() -> None:
    simulation = Simulation(
        load_scenario("ar_social"), load_platform("4k_1ws_2os"), get_scheduler("fcfs").engine
    )
    simulation.reset(seed=0, seconds=1)
    size = simulation.state_arena.nbytes
    simulation.reset(seed=0, seconds=1000)
    assert simulation.state_arena.nbytes == size < 20_000


def test_a_deadline_of_too_many_periods_is_an_error() -> None:
    scenario = load_scenario("ar_social")
    model = scenario.models[0].model_copy(update={"deadline_ms": 1e7})
    slow = scenario.model_copy(update={"models": (model,)})
    with pytest.raises(ConfigError, match=r"models\.0\.deadline_ms: 1e\+07 is more than 10000"):
        Simulation(slow, load_platform("4k_1ws_2os"), get_scheduler("fcfs").engine)


@pytest.mark.compiled
def test_memory_does_not_grow_with_simulated_time() -> None:
    def peak_kib(seconds: float) -> float:
        simulation.reset(seed=1, seconds=seconds)
        tracemalloc.start()
        simulation.advance(simulation.horizon_ns)
        result = simulation.result()
        peak = tracemalloc.get_traced_memory()[1] / 1024
        tracemalloc.stop()
        assert result.timeline is None
        return peak

    simulation = Simulation(
        load_scenario("ar_social"), load_platform("4k_1ws_2os"), get_scheduler("fcfs").engine
    )
    size = simulation.state_arena.nbytes
    peak_kib(1.0)
    assert peak_kib(600.0) < peak_kib(1.0) + 64
    assert simulation.state_arena.nbytes == size


def test_a_record_has_room_for_all_and_no_more() -> None:
    simulation = Simulation(
        load_scenario("ar_call"), load_platform("4k_2ws"), get_scheduler("fcfs").engine
    )
    simulation.reset(seed=1, seconds=2.0, record=True)
    timeline, frames = simulation.records
    simulation.advance(simulation.horizon_ns)
    assert simulation.records[0] is timeline
    counts = simulation.state.models["frames"]
    layers = [len(network.layers) for network in simulation.scenario.networks]
    assert len(timeline) == (counts * layers).sum()
    assert len(frames) == counts.sum()
