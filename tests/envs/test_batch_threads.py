"""Batches in threads: the same bits in however many, from wherever they are stepped."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.envs.batch import WorldVectorEnv
from dream_gym.envs.sb3 import make_sb3_vec_env

pytestmark = pytest.mark.compiled

CASES: list[tuple[str, dict[str, Any]]] = [
    ("DreamRTMM-v0", {"episode_seconds": 0.35, "load": 1.3}),
    ("DreamRTMM-Dispatch-v0", {"episode_seconds": 0.02, "load": 2.0}),
]


@pytest.fixture(autouse=True)
def no_batch_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small batches use threads, too."""
    for room in ("dispatch.vector.DreamRTMMDispatchVectorEnv", "tuning.vector.DreamRTMMVectorEnv"):
        monkeypatch.setattr(f"dream_gym.envs.{room}.least_per_thread", 1)
        monkeypatch.setattr(f"dream_gym.envs.{room}.piece", 1)


def outcome(env_id: str, arguments: dict[str, Any], seed: int, threads: int | None) -> list[bytes]:
    """All that a batch of random actions gave."""
    env: Any = gym.make_vec(
        f"dream_gym:{env_id}",
        num_envs=7,
        num_threads=threads,
        autoreset_mode="SameStep",
        **arguments,
    )
    assert isinstance(env, WorldVectorEnv)
    env.reset(seed=seed)
    env.action_space.seed(seed)
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(60):
        actions = env.action_space.sample()
        if "mask" in env.buffers:
            mask = env.buffers["mask"]
            actions = (generator.random(mask.shape) * mask).argmax(axis=1)
        observations, rewards, terminated, *_ = env.step(actions)
        found += [observations.tobytes(), rewards.tobytes(), terminated.tobytes()]
    env.close()
    return found


@pytest.mark.parametrize(("env_id", "arguments"), CASES)
def test_the_bits_do_not_depend_on_threads(env_id: str, arguments: dict[str, Any]) -> None:
    alone = outcome(env_id, arguments, 3, 1)
    for threads in (2, 3, 16, None):
        assert outcome(env_id, arguments, 3, threads) == alone


@pytest.mark.parametrize(("env_id", "arguments"), CASES)
def test_batches_may_be_stepped_by_many_threads(env_id: str, arguments: dict[str, Any]) -> None:
    alone = [outcome(env_id, arguments, seed, 1) for seed in range(4)]
    together: list[list[bytes]] = [[]] * 4

    def play(seed: int) -> None:
        together[seed] = outcome(env_id, arguments, seed, 3)

    threads = [threading.Thread(target=play, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    assert together == alone


FORK = """
import os, sys
import gymnasium as gym, numpy as np

env = gym.make_vec("dream_gym:DreamRTMM-Dispatch-v0", num_envs=256, num_threads=2)
waiting = np.full(256, env.single_action_space.n - 1)
env.reset(seed=0)
env.step(waiting)
child = os.fork()
rewards = env.step(waiting)[1]
if child == 0:
    sys.stdout.flush()
    os._exit(7 if np.isfinite(rewards).all() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print("both took a step")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_a_forked_child_takes_a_step_after_its_parent(layer: str) -> None:
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "both took a step" in done.stdout


def test_the_adapter_passes_the_number_on() -> None:
    pytest.importorskip("stable_baselines3")
    env = make_sb3_vec_env("DreamRTMM-v0", 2, num_threads=1)
    assert env.env.num_threads == 1
