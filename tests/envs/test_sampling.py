"""The worlds that episodes are drawn from."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.simulator import Cell, Simulation
from dream_gym.units import NS_PER_S
from dream_gym.workload import RecordedFrames

IDS = ("DreamRTMM-v0", "DreamRTMM-Dispatch-v0")


def make(env_id: str, **arguments: Any) -> Any:
    return gym.make(f"dream_gym:{env_id}", **{"episode_seconds": 0.2, **arguments}).unwrapped


def world(env: Any, seed: int) -> dict[str, Any]:
    """Releases and triggers of a seed's world, by model."""
    env.reset(seed=seed)
    return told(env.simulation.recording())


def told(recording: dict[str, RecordedFrames]) -> dict[str, Any]:
    return {
        name: [column.tolist() for column in (frames.release_ns, frames.triggered)]
        for name, frames in recording.items()
    }


@pytest.mark.parametrize("env_id", IDS)
def test_jitter_makes_many_worlds_of_one(env_id: str) -> None:
    one = make(env_id, scenario="drone_indoor")
    assert world(one, 0) == world(one, 1), "it draws nothing"
    many = make(env_id, scenario="drone_indoor", jitter=0.1)
    worlds = [world(many, seed) for seed in range(4)]
    assert all(worlds[0] != other for other in worlds[1:])


@pytest.mark.parametrize("env_id", IDS)
def test_they_are_the_worlds_of_a_suites_cell(env_id: str) -> None:
    given = {"scenario": "vr_gaming", "platform": "4k_2ws", "load": 1.7}
    chances = {"jitter": 0.3, "cascade": 0.95}
    cell = Cell(**given, **chances)
    simulation = Simulation(cell.workload, cell.hardware, None, load=cell.load)
    simulation.reset(seed=5, seconds=0.2)
    assert world(make(env_id, **given, **chances), 5) == told(simulation.recording())
    for left_out in chances:
        fewer = {name: value for name, value in chances.items() if name != left_out}
        assert world(make(env_id, **given, **fewer), 5) != told(simulation.recording())


def test_jitter_is_a_share_of_the_period_at_the_load_that_is_drawn() -> None:
    env = make(IDS[1], scenario="drone_indoor", load=(1.0, 4.0), jitter=0.25)
    loads = set()
    for seed in range(3):
        _, info = env.reset(seed=seed)
        loads.add(info["load"])
        for name, frames in env.simulation.recording().items():
            rate = next(m.rate for m in env.simulation.scenario.models if m.name == name)
            most_ns = 0.25 * NS_PER_S / (float(rate) * info["load"])
            late_ns = frames.release_ns - frames.nominal_ns
            assert late_ns.min() >= 0
            assert 0.2 * most_ns < late_ns.max() <= most_ns + 1
    assert len(loads) == 3


@pytest.mark.parametrize("env_id", IDS)
def test_high_rates_are_told_apart(env_id: str) -> None:
    seen = []
    for load in (100.0, 1000.0):
        env = make(env_id, scenario="drone_indoor", load=load)
        observation, _ = env.reset(seed=0)
        at = list(env.observation.names).index("models[0].rate")
        rate = float(env.simulation.scenario.models[0].rate) * load
        assert observation[at] == pytest.approx(np.log(1 + rate), rel=1e-5)
        assert rate > 1000
        seen.append(observation[at])
    assert seen[0] < seen[1] < env.observation_space.high[at]
    assert np.log(1 + 1e6) < env.observation_space.high[at], "the highest rate that a problem has"
