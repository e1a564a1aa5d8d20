"""Steps per second of the environments, and of others in the same run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from dream_gym.envs.sb3 import make_sb3_vec_env
from tests.bench.measuring import median_rate, seconds_of

DISPATCH = "dream_gym:DreamRTMM-Dispatch-v0"
ENVS = 256
Row = tuple[str, str, str]


def random_legal(generator: np.random.Generator, mask: Any) -> Any:
    """A random legal action for each row of a mask."""
    start = generator.integers(0, mask.shape[1], size=len(mask))
    rolled = (np.arange(mask.shape[1]) + start[:, None]) % mask.shape[1]
    chosen = np.take_along_axis(mask, rolled, axis=1).argmax(axis=1)
    return (chosen + start) % mask.shape[1]


def batch_steps(step: Callable[[Any], Any], masks: Callable[[], Any], count: int = 200) -> float:
    """Seconds of steps alone: choosing actions is not the environment's work."""
    generator = np.random.default_rng(0)
    seconds = 0.0
    for _ in range(count):
        actions = random_legal(generator, masks())
        start = time.perf_counter()
        step(actions)
        seconds += time.perf_counter() - start
    return count * ENVS / seconds


def dispatch_batch() -> float:
    """The native vector environment with random legal actions."""
    env: Any = gym.make_vec(DISPATCH, num_envs=ENVS)
    env.reset(seed=0)
    return batch_steps(env.step, lambda: env.buffers["mask"])


def dispatch_sb3() -> float:
    """The same through the adapter."""
    env = make_sb3_vec_env(DISPATCH, ENVS)
    env.seed(0)
    env.reset()
    return batch_steps(env.step, lambda: env.env.buffers["mask"])


def scalar_steps(env: Any, steps: int, choose: Callable[[Any], Any]) -> float:
    """Steps of episodes, resets included."""
    _, info = env.reset()
    for _ in range(steps):
        *_, terminated, truncated, info = env.step(choose(info))
        if terminated or truncated:
            _, info = env.reset()
    return float(steps)


def jss_steps() -> float:
    """JSSEnv on its default instance, with random legal actions."""
    from JSSEnv.envs.jss_env import JssEnv

    env, generator = JssEnv(), np.random.default_rng(0)
    observation, steps = env.reset(), 0
    while steps < 2000:
        legal = np.flatnonzero(env.get_legal_actions())
        _, _, done, *_ = env.step(int(generator.choice(legal)))
        steps += 1
        if done:
            observation = env.reset()
    del observation
    return float(steps)


def environment_rows() -> list[Row]:
    """What, how fast, and the bar."""
    dispatch, pole = gym.make(DISPATCH).unwrapped, gym.make("CartPole-v1").unwrapped
    poles = gym.make_vec("CartPole-v1", ENVS, vectorization_mode="vector_entry_point")
    poles.reset(seed=0)
    actions = np.ones(ENVS, dtype=np.int64)

    def pole_batch() -> float:
        for _ in range(200):
            poles.step(actions)
        return 200.0 * ENVS

    rates = [
        (f"dispatch env, {ENVS} in a batch", _median(dispatch_batch), "300,000"),
        ("the same through the SB3 adapter", _median(dispatch_sb3), "200,000"),
        (
            "dispatch env alone",
            median_rate(
                lambda: scalar_steps(dispatch, 20_000, lambda info: info["action_mask"].argmax())
            ),
            "40,000",
        ),
        ("CartPole-v1 alone", median_rate(lambda: scalar_steps(pole, 20_000, lambda _: 1)), ""),
        (f"CartPole-v1, {ENVS} in a batch", median_rate(pole_batch), ""),
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rates.append(("JSSEnv alone, the nearest peer", median_rate(jss_steps), ""))
    except ImportError:
        pass  # `make bench` installs it
    return [(f"steps per second, {what}", f"{rate:,.0f}", bar) for what, rate, bar in rates]


def start_rows() -> list[Row]:
    """The first make and reset, with and without a warm cache of compiled code."""
    rows = []
    for env_id, name in ((DISPATCH, "dispatch"), ("dream_gym:DreamRTMM-v0", "tuning")):
        code = f"import gymnasium; gymnasium.make('{env_id}').reset()"
        rows.append((f"make and reset, {name} env, warm", f"{seconds_of(code):.2f} s", "2 s"))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", code],
                check=True,
                env={"NUMBA_CACHE_DIR": folder},
                stderr=subprocess.DEVNULL,
            )
            seconds = time.perf_counter() - start
        rows.append((f"make and reset, {name} env, cold", f"{seconds:.0f} s", "40 s"))
    return rows


def _median(rate: Callable[[], float]) -> float:
    return float(np.median([rate() for _ in range(6)][1:]))
