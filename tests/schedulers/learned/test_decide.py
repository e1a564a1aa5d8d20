"""`learned` decides what a second version of it decides, in the engine and in the environment."""

from __future__ import annotations

import collections
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dream_gym import Cell, simulate
from dream_gym.schedulers.learned.weights import new_parameters, pack_weights, tables_of
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


def random_weights(path: Path, seed: int, hidden: int, variants: bool) -> Path:
    """Weights under which all kinds of choice come up."""
    parameters = new_parameters(hidden, block_ms=0.1, variants=variants)
    random = np.random.default_rng(seed)
    tables = tables_of(parameters)
    for table in tables.values():
        table[...] = random.normal(size=table.shape) / (1 + table.size**0.5 / 8)
    tables["drop.bias"][:] = 2.0
    tables["wait.bias"][:] = 0.0
    path.write_bytes(pack_weights(parameters, {}))
    return path


@pytest.mark.parametrize(("hidden", "variants"), [(0, True), (5, False)])
def test_a_second_version_agrees(hidden: int, variants: bool, tmp_path: Path) -> None:
    kinds: collections.Counter[str] = collections.Counter()
    near = 0
    for seed, cell in enumerate(CELLS):
        path = random_weights(tmp_path / f"{seed}.safetensors", seed, hidden, variants)
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
