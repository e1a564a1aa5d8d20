"""Cost of a decision against the number of ready frames and of accelerators."""

from __future__ import annotations

import time
from fractions import Fraction

import dream_gym
from dream_gym.hardware import Platform
from dream_gym.workload import Layer, ModelSpec, Network, Scenario

FRAMES = (10, 100, 1000)
ACCELERATORS = (2, 8, 64)
MODELS = 10


def decision_us(frames: int, accelerators: int) -> float:
    """Microseconds per dispatch of `dream_mapscore` where so many frames always wait."""
    network = Network("one", (Layer("only", K=512, C=512, Y=56, X=56),), source="made up")
    models = tuple(
        ModelSpec(
            name=f"m{index}", network=network, rate=500 * accelerators, backlog=frames // MODELS
        )
        for index in range(MODELS)
    )
    scenario = Scenario(schema=1, name="crowd", models=models)
    platform = Platform.model_validate(
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
    run = {"load": 1.0, "expiry": "soft", "seconds": 0.1 + 2 / accelerators}
    dream_gym.simulate(scenario, platform, "dream_mapscore", **{**run, "seconds": 0.05})
    start = time.perf_counter()
    result = dream_gym.simulate(scenario, platform, "dream_mapscore", **run)
    elapsed_us = (time.perf_counter() - start) * 1e6
    assert sum(result.lost_rate.values()) > 1, "frames must wait, or nothing is measured"
    return elapsed_us / result.dispatches


def decision_rows() -> list[tuple[str, ...]]:
    """A row for each number of accelerators: microseconds for each number of frames."""
    return [
        (str(accelerators), *(f"{decision_us(frames, accelerators):.2f}" for frames in FRAMES))
        for accelerators in ACCELERATORS
    ]
