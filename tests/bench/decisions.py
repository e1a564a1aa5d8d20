"""Cost of a decision against the number of ready frames and of accelerators."""

from __future__ import annotations

import time
from fractions import Fraction

from dream_gym.hardware import Platform, cost_table
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Simulation
from dream_gym.workload import Layer, ModelSpec, Network, Scenario

FRAMES = (10, 100, 1000)
ACCELERATORS = (2, 8, 64)
MODELS = 10
LAYERS = 200
"""Of a frame: so many decisions for each release, whose cost does not count here."""
OVERLOAD = 3
DISPATCHES = 20_000


def crowd(frames: int, accelerators: int) -> Simulation:
    """A run in which so many frames wait, all the time from now on."""
    layers = tuple(Layer(f"l{index}", K=64, C=64, Y=14, X=14) for index in range(LAYERS))
    network = Network("one", layers, source="made up")
    platform = _platform(accelerators)
    frame_ns = int(cost_table(network, platform).latency_ns.sum()) // accelerators
    rate = Fraction(OVERLOAD * accelerators * 10**9, frame_ns * MODELS)
    models = tuple(
        ModelSpec(
            name=f"m{index}",
            network=network,
            rate=rate.limit_denominator(1000),
            backlog=frames // MODELS,
        )
        for index in range(MODELS)
    )
    scenario = Scenario(schema=1, name="crowd", models=models)
    scheduler = get_scheduler("dream_mapscore")
    simulation = Simulation(scenario, platform, scheduler.engine, expiry="soft")
    parameters = scheduler.configure().parameters()
    simulation.parameters[: len(parameters)] = parameters
    simulation.reset(seed=0, seconds=100.0)
    while simulation.state.models["waiting"].sum() < frames:
        simulation.advance(simulation.now_ns + frame_ns)
    return simulation


def decision_us(frames: int, accelerators: int) -> float:
    """Microseconds per dispatch where so many frames wait."""
    simulation = crowd(frames, accelerators)
    run = simulation.state.run[0]
    first, seconds = int(run.dispatches), 0.0
    while run.dispatches < first + DISPATCHES:
        start = time.perf_counter()
        simulation.advance(simulation.now_ns + 1_000_000)
        seconds += time.perf_counter() - start
    return 1e6 * seconds / (int(run.dispatches) - first)


def decision_rows() -> list[tuple[str, ...]]:
    """A row for each number of accelerators: microseconds for each number of frames."""
    return [
        (str(accelerators), *(f"{decision_us(frames, accelerators):.2f}" for frames in FRAMES))
        for accelerators in ACCELERATORS
    ]


def _platform(accelerators: int) -> Platform:
    return Platform.model_validate(
        {
            "schema": 1,
            "name": "wide",
            "clock_ghz": 1,
            "dram_bandwidth_gb_s": Fraction(64),
            "dram_energy_pj_per_byte": 100,
            "shared_memory_kib": 8192,
            "accelerators": [
                {
                    "name": f"a{index}",
                    "dataflow": ("WS", "OS")[index % 2],
                    "num_pes": 1024,
                    "noc_bandwidth": 64,
                }
                for index in range(accelerators)
            ],
        }
    )
