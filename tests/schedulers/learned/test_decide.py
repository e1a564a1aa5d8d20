"""`learned` decides what a second version of it decides, in the engine and in the environment."""

from __future__ import annotations

import collections
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dream_gym import Cell, simulate
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.weights import pack_weights, tables_of
from tests.handmade import Given, Step, make_platform, make_scenario
from tests.schedulers.learned.random_weights import random_parameters
from tests.schedulers.learned.second_version import DISPATCH, DROP, WAIT, SecondVersion

pytestmark = pytest.mark.compiled

NEAR = 1e-3
"""Choices whose scores are nearer than this may differ: logarithms are within 2e-5."""
SECONDS = 0.04
CELLS = [
    Cell(scenario="ar_social", platform="4k_1ws_2os", load=3.0),
    Cell(scenario="ar_social", platform="8k_2ws", load=6.0, jitter=0.1, expiry="firm"),
    *(Cell.generated(seed) for seed in (3, 8)),
]


@pytest.mark.parametrize(("hidden", "variants"), [(0, True), (5, False)])
def test_a_second_version_agrees(hidden: int, variants: bool, tmp_path: Path) -> None:
    kinds: collections.Counter[str] = collections.Counter()
    near = 0
    for seed, cell in enumerate(CELLS):
        parameters = random_parameters(seed, hidden, block_ms=0.1, variants=variants)
        path = tmp_path / f"{seed}.safetensors"
        path.write_bytes(pack_weights(parameters, {}))
        env = gym.make(
            "dream_gym:DreamRTMM-Dispatch-v0",
            cells=[cell],
            episode_seconds=SECONDS,
            decision="block",
            block_ms=0.1,
            supernet="dream" if variants else "free",
        ).unwrapped
        env.reset(seed=5)
        tables = tables_of(env.expert(f"learned:{path}", {}).parameters)
        ended = False
        while not ended:
            action = env.expert_action(f"learned:{path}")
            version = SecondVersion(env.simulation, tables)
            (kind, slot, accelerator), margin = version.choice()
            near += margin < NEAR
            entry = env.describe(action)
            kinds[entry.kind] += 1
            if margin >= NEAR:
                assert entry.kind == kind
                if kind != WAIT:
                    frame = env.simulation.state.slots[slot]
                    name = env.simulation.scenario.model_names[frame.model]
                    assert (entry.model, entry.frame) == (name, frame.frame)
                if kind == DISPATCH:
                    names = env.simulation.platform.accelerator_names
                    assert entry.accelerator == names[accelerator]
            _, _, ended, _, info = env.step(action)
        alone = simulate(
            cell.workload,
            cell.hardware,
            f"learned:{path}",
            seconds=SECONDS,
            seed=5,
            load=cell.load,
            expiry=cell.expiry,
        )
        assert info["result"].uxcost == alone.uxcost
        assert info["result"].dispatches == alone.dispatches
        assert variants or not any(alone.accuracy_loss.values())
        env.close()
    assert min(kinds[DISPATCH], kinds[DROP], kinds[WAIT]) > 10, kinds
    assert near < 0.1 * kinds.total()


def models_at(scale: int) -> list[Given]:
    """Three models, in which all times, bytes and energies are so many times as large."""

    def step(*latencies_us: int) -> Step:
        latencies_ns = [1000 * scale * latency for latency in latencies_us]
        return Step(latencies_ns, [3 * latency for latency in latencies_ns], 16 * scale, 8 * scale)

    return [
        Given("a", [step(30, 60), step(90, 40)], every_ns=200_000 * scale),
        Given("b", [step(50, 25), step(40, 80), step(20, 20)], every_ns=300_000 * scale),
        Given("c", [step(70, 90)], every_ns=200_000 * scale, parent="a", probability=0.6),
    ]


@pytest.mark.parametrize("hidden", [0, 5])
def test_it_decides_alike_where_all_times_are_some_times_as_long(hidden: int) -> None:
    """By a power of two, which changes no bit of a fraction."""
    scheduler = learned_with(random_parameters(7, hidden, block_ms=0.0, variants=False))
    timelines = []
    for scale in (1, 16):
        models = models_at(scale)
        scenario, platform = make_scenario(models), make_platform(2, models)
        seconds = 0.02 * scale
        timeline = simulate(scenario, platform, scheduler, seconds=seconds, record=True).timeline
        assert timeline is not None
        times = timeline["start_ns"], timeline["end_ns"]
        whole = [timeline[name] for name in ("model", "frame", "layer", "accelerator")]
        timelines.append(np.array([*whole, *(time / scale for time in times)]))
    assert timelines[0].shape[1] > 200
    assert np.array_equal(*timelines)
