"""`evolved` decides what a second version of it decides, in the engine and in the environment."""

from __future__ import annotations

import collections
import json
from pathlib import Path

import gymnasium as gym
import pytest

from dream_gym import Cell, simulate
from tests.schedulers.learned.second_version import DISPATCH, WAIT, SecondVersion

pytestmark = pytest.mark.compiled

NEAR = 1e-3
"""Choices whose scores are nearer than this may differ: logarithms are within 2e-5."""
SECONDS = 0.03
CELLS = [
    Cell(scenario="ar_social", platform="4k_1ws_2os", load=3.0),
    Cell(scenario="ar_social", platform="8k_2ws", load=6.0, jitter=0.1, expiry="firm"),
    Cell.generated(8),
]
RULES = [
    "urgency - 2 * finish + max(wait, 0.3) - if_positive(late, 3 * crowd, -slack)",
    "(work - 3 * finish) / (1 + idle) - abs(hold) * min(wait, demand) + price",
]


class SecondRule(SecondVersion):
    """Scores by a text that Python itself evaluates."""

    rule = ""

    def score(self, kind: str, pair: dict[str, float], frame: dict[str, float]) -> float:
        if kind == WAIT:
            return -1e9
        assert kind == DISPATCH
        features = {**pair, **frame, **self.context}
        names = {"if_positive": lambda x, a, b: a if x > 0 else b}
        return float(eval(self.rule, names, features))

    def may_drop(self, slot: int) -> bool:
        return False


@pytest.mark.parametrize("rule", RULES)
def test_a_second_version_agrees(rule: str, tmp_path: Path) -> None:
    path = tmp_path / "rule.json"
    path.write_text(json.dumps({"schema": 1, "rule": rule, "block_ms": 0.1}))
    kinds: collections.Counter[str] = collections.Counter()
    near, waits = 0, 0
    for cell in CELLS:
        env = gym.make(
            "dream_gym:DreamRTMM-Dispatch-v0",
            cells=[cell],
            episode_seconds=SECONDS,
            decision="block",
            block_ms=0.1,
            supernet="free",
        ).unwrapped
        env.reset(seed=5)
        ended = False
        while not ended:
            action = env.expert_action(f"evolved:{path}")
            version = SecondRule(env.simulation, {})
            version.rule = rule
            (kind, slot, accelerator), margin = version.choice()
            near += margin < NEAR
            entry = env.describe(action)
            kinds[entry.kind] += 1
            if margin >= NEAR:
                assert entry.kind == kind
                if kind == DISPATCH:
                    frame = env.simulation.state.slots[slot]
                    name = env.simulation.scenario.model_names[frame.model]
                    assert (entry.model, entry.frame) == (name, frame.frame)
                    names = env.simulation.platform.accelerator_names
                    assert entry.accelerator == names[accelerator]
                else:
                    waits += bool(version.slots)
            _, _, ended, _, info = env.step(action)
        alone = simulate(
            cell.workload,
            cell.hardware,
            f"evolved:{path}",
            seconds=SECONDS,
            seed=5,
            load=cell.load,
            expiry=cell.expiry,
        )
        assert info["result"].uxcost == alone.uxcost
        assert info["result"].dispatches == alone.dispatches
        assert not any(alone.accuracy_loss.values())
        env.close()
    assert set(kinds) == {DISPATCH, WAIT}
    assert waits > 10, "frames wait for a busy accelerator while another is idle"
    assert near < 0.1 * kinds.total()
