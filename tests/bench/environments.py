"""Steps per second of the environments, and of others in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np

from dream_gym.envs.sb3 import make_sb3_vec_env
from tests.bench.measuring import median_rate, seconds_of

DISPATCH = "dream_gym:DreamRTMM-Dispatch-v0"
ENVS = 256
GROUPS = 32
WARM_UP, COUNT = 7040, 1000
"""Steps of a batch before it is measured and in a run; an episode of random actions has 7,000."""
SCALAR = 20_000
"""Steps of a run of one environment: a few episodes."""
Row = tuple[str, str, str]


def random_legal(generator: np.random.Generator, mask: Any) -> Any:
    """A legal action for each row of a mask, each as likely as the others."""
    return (generator.random(mask.shape, dtype=np.float32) * mask).argmax(axis=1)


def stagger(env: Any, generator: np.random.Generator) -> None:
    """Bring a batch to all stages of an episode, each with the backlog of that stage."""
    env.reset(seed=0)
    groups = np.arange(ENVS) % GROUPS
    for step in range(WARM_UP):
        if step % (WARM_UP // GROUPS) == 0:
            env.reset(options={"reset_mask": groups == step // (WARM_UP // GROUPS)})
        env.step(random_legal(generator, env.buffers["mask"]))


def batch_rate(env: Any, step: Callable[[Any], Any]) -> float:
    """Steps per second of a batch that goes through its episodes and their resets.

    Only the environment's work is timed, and not the choice of actions.
    """
    generator = np.random.default_rng(0)
    stagger(env, generator)

    def rate() -> float:
        seconds = 0.0
        for _ in range(COUNT):
            actions = random_legal(generator, env.buffers["mask"])
            start = time.perf_counter()
            step(actions)
            seconds += time.perf_counter() - start
        return COUNT * ENVS / seconds

    return _median(rate)


def dispatch_batch() -> float:
    """The native vector environment with random legal actions."""
    env: Any = gym.make_vec(DISPATCH, num_envs=ENVS)
    return batch_rate(env, env.step)


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """This process on two cores, and another that is busy on one of them."""
    allowed = os.sched_getaffinity(0)
    pair = sorted(allowed)[:2]
    busy = f"import os\nwhile os.getppid() == {os.getpid()}: pass"  # it does not outlive this one
    neighbour = subprocess.Popen([sys.executable, "-c", busy])
    try:
        os.sched_setaffinity(neighbour.pid, pair[:1])
        os.sched_setaffinity(0, pair)
        yield
    finally:
        os.sched_setaffinity(0, allowed)
        neighbour.kill()
        neighbour.wait()


def dispatch_crowded() -> float:
    """`dispatch_batch` while somebody else is busy."""
    with busy_neighbour():
        return dispatch_batch()


def dispatch_sb3() -> float:
    """The same through the adapter."""
    env = make_sb3_vec_env(DISPATCH, ENVS)
    env.reset()
    return batch_rate(env.env, env.step)


def scalar_rate(env: Any, choose: Callable[[Any], Any]) -> float:
    """Steps per second of episodes, resets included, and the choice of actions not."""

    def rate() -> float:
        seconds, (_, info) = 0.0, env.reset()
        for _ in range(SCALAR):
            action = choose(info)
            start = time.perf_counter()
            *_, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                _, info = env.reset()
            seconds += time.perf_counter() - start
        return SCALAR / seconds

    return _median(rate)


def jss_rate() -> float:
    """JSSEnv on its default instance, with random legal actions."""
    from JSSEnv.envs.jss_env import JssEnv

    env, generator = JssEnv(), np.random.default_rng(0)

    def rate() -> float:
        env.reset()
        seconds = 0.0
        for _ in range(SCALAR // 10):
            action = int(generator.choice(np.flatnonzero(env.get_legal_actions())))
            start = time.perf_counter()
            _, _, done, *_ = env.step(action)
            if done:
                env.reset()
            seconds += time.perf_counter() - start
        return SCALAR // 10 / seconds

    return _median(rate)


def environment_rows() -> list[Row]:
    """What, how fast, and the bar."""
    dispatch, pole = gym.make(DISPATCH).unwrapped, gym.make("CartPole-v1").unwrapped
    poles = gym.make_vec("CartPole-v1", ENVS, vectorization_mode="vector_entry_point")
    poles.reset(seed=0)
    actions = np.ones(ENVS, dtype=np.int64)
    generator = np.random.default_rng(0)

    def pole_batch() -> float:
        for _ in range(200):
            poles.step(actions)
        return 200.0 * ENVS

    def legal(info: Any) -> int:
        return int(generator.choice(np.flatnonzero(info["action_mask"])))

    rates = [
        (
            f"dispatch env, {ENVS} in a batch at all stages of 1 s, random legal actions, resets "
            "included",
            dispatch_batch(),
            "300,000",
        ),
        (
            "the same on two cores, while another process is busy on one of them",
            dispatch_crowded(),
            "40 % of that",
        ),
        ("the same through the SB3 adapter", dispatch_sb3(), "200,000"),
        (
            "dispatch env alone, random legal actions, resets included",
            scalar_rate(dispatch, legal),
            "40,000",
        ),
        ("CartPole-v1 alone", scalar_rate(pole, lambda _: 1), ""),
        (f"CartPole-v1, {ENVS} in a batch", median_rate(pole_batch), ""),
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rates.append(("JSSEnv alone, the nearest peer, random legal actions", jss_rate(), ""))
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
        rows.append((f"make and reset, {name} env, cold", f"{seconds:.0f} s", "22 s"))
    return rows


def _median(rate: Callable[[], float]) -> float:
    return float(np.median([rate() for _ in range(6)][1:]))
