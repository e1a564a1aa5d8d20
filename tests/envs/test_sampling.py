"""The worlds that episodes are drawn from."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.errors import ConfigError
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


@pytest.mark.parametrize("env_id", IDS)
def test_cells_have_each_its_own_settings(env_id: str) -> None:
    fields: list[dict[str, Any]] = [
        {"scenario": "vr_gaming", "platform": "4k_2ws", "load": 1.7, "jitter": 0.3, "cascade": 0.9},
        {"scenario": "ar_call", "platform": "4k_1ws_2os", "load": 2.0, "expiry": "firm"},
    ]
    env = make(env_id, cells=[Cell(**fields[0]), fields[1]])
    seen = set()
    for seed in range(8):
        _, info = env.reset(seed=seed)
        cell = Cell(**next(each for each in fields if each["scenario"] == info["scenario"]))
        assert (info["platform"], info["load"]) == (cell.platform, cell.load)
        simulation = cell.simulation()
        simulation.reset(seed=seed, seconds=0.2)
        assert told(env.simulation.recording()) == told(simulation.recording())
        assert bool(env.simulation.problem.setting[0].firm) == (cell.expiry == "firm")
        seen.add(info["scenario"])
    assert len(seen) == 2
    alone = make(env_id, **fields[0])
    assert world(alone, 3) == world(make(env_id, cells=fields[:1]), 3)


@pytest.mark.parametrize(
    ("arguments", "told_of"),
    [
        ({"cells": []}, "cells: expected a list of at least one cell"),
        ({"cells": "demo"}, "cells: expected a list of at least one cell"),
        ({"cells": [3]}, "cells.0: expected a cell or a mapping"),
        ({"cells": [{"scenario": "ar_call"}]}, "cells.0: platform: is missing"),
        (
            {"cells": [{"scenario": "ar_cal", "platform": "4k_2ws"}]},
            r"cells\.0: .*did you mean ar_call",
        ),
        (
            {"cells": [{"scenario": "ar_call", "platform": "4k_2ws"}], "load": 2},
            "cells: they say what load are",
        ),
        ({"sizes": {"modles": 3}}, "sizes: 'modles' is unknown; did you mean models"),
        ({"sizes": {"models": 0}}, "sizes.models: expected an integer from 1"),
        ({"sizes": 3}, "sizes: expected a mapping of models, accelerators"),
    ],
)
@pytest.mark.parametrize("env_id", IDS)
def test_what_cannot_be_is_named(env_id: str, arguments: dict[str, Any], told_of: str) -> None:
    with pytest.raises(ConfigError, match=told_of):
        make(env_id, **arguments)


@pytest.mark.parametrize("env_id", IDS)
def test_sizes_of_another_environment_pad_to_the_same_spaces(env_id: str) -> None:
    large = make(env_id, scenario="ar_social", platform="4k_1ws_2os")
    small = make(env_id, scenario="ar_call", platform="4k_2ws", sizes=large.sizes)
    assert small.sizes == large.sizes
    assert small.observation.names == large.observation.names
    assert (small.action_space, small.observation_space) == (
        large.action_space,
        large.observation_space,
    )
    alone = make(env_id, scenario="ar_call", platform="4k_2ws")
    assert alone.sizes != large.sizes
    rewards = []
    for env in (small, alone):
        _, info = env.reset(seed=1)
        total, ended = 0.0, False
        while not ended:
            action = env.action_space.high / 2 if env_id == IDS[0] else env.action_space.n - 1
            _, reward, ended, _, info = env.step(action)
            total += reward
        rewards.append((total, info["result"].summary()))
    assert rewards[0] == rewards[1], "padding changes nothing"
