"""No reward is gained by giving up: degenerate policies against FCFS on contended cells."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.analysis.calibration_table import contended_cells
from dream_gym.envs.dispatch.menu import view_menu
from dream_gym.envs.rewards import REWARDS

ALL_CELLS = [(cell.scenario, cell.platform, cell.contended_load) for cell in contended_cells()]
CELLS = [
    (scenario, platform, load)
    for scenario, platform, load in ALL_CELLS
    if not scenario.startswith("xrbench") and not platform.startswith("xr_")
]
SEEDS = (1, 2)
Play = Callable[[Any, dict[str, Any]], int]


def make(cell: tuple[str, str, float], reward: str) -> Any:
    scenario, platform, load = cell
    return gym.make(
        "dream_gym:DreamRTMM-Dispatch-v0",
        scenario=scenario,
        platform=platform,
        load=load,
        episode_seconds=min(max(1 / load, 0.1), 1.0),  # about as many frames everywhere
        reward=reward,
    ).unwrapped


def totals(envs: list[Any], seed: int, play: Play) -> tuple[list[float], float]:
    """What an episode earns by each reward, and its mean violation rate.

    The environments differ by their rewards only, and so take the same actions.
    """
    for env in envs:
        _, info = env.reset(seed=seed)
    gained, ended = [0.0] * len(envs), False
    while not ended:
        action = play(env, info)
        for at, env in enumerate(envs):
            _, reward, ended, _, info = env.step(action)
            gained[at] += reward
    return gained, info["result"].mean_violation_rate


def fastest_first(env: Any, info: dict[str, Any], slots: list[int] | None = None) -> int:
    """FCFS over the waiting frames in some slots, by default all."""
    mask, menu = info["action_mask"], view_menu(env.buffers["menu"])
    state, problem = env.simulation.state, env.simulation.problem
    accelerators = int(menu.shape[0])
    rows = {int(slot): row for row, slot in enumerate(menu.rows[: menu.now[0].waiting])}
    for slot in state.live[: state.run[0].live_count].tolist():
        row = rows.get(slot)
        if row is None or (slots is not None and slot not in slots):
            continue
        legal = np.flatnonzero(mask[row * accelerators : (row + 1) * accelerators])
        if len(legal):
            latency_ns = problem.costs["latency_ns"][state.slots["layer"][slot]]
            return row * accelerators + int(min(legal, key=lambda index: latency_ns[index]))
    return len(mask) - 1


def wait(env: Any, info: dict[str, Any]) -> int:
    return len(info["action_mask"]) - 1


def drop_all(env: Any, info: dict[str, Any]) -> int:
    """Drop whatever may be dropped, and serve nothing else."""
    mask = info["action_mask"]
    menu = view_menu(env.buffers["menu"])
    drops = len(menu.rows) * int(menu.shape[0])
    legal = np.flatnonzero(mask[drops:-1])
    return drops + int(legal[0]) if len(legal) else len(mask) - 1


def drop_first(env: Any, info: dict[str, Any]) -> int:
    """Drop whatever may be dropped, else serve by FCFS."""
    action = drop_all(env, info)
    return fastest_first(env, info) if action == wait(env, info) else action


def serve_only(model: int) -> Play:
    """Serve one model by FCFS, and no other."""

    def play(env: Any, info: dict[str, Any]) -> int:
        state = env.simulation.state
        live = state.live[: state.run[0].live_count].tolist()
        return fastest_first(
            env, info, [slot for slot in live if state.slots["model"][slot] == model]
        )

    return play


@pytest.mark.compiled
@pytest.mark.parametrize("seed", SEEDS)
def test_giving_up_does_not_pay(seed: int) -> None:
    assert len(CELLS) >= 15
    for cell in ALL_CELLS if os.environ.get("DREAM_GYM_EVERY") == "1" else CELLS:
        envs = [make(cell, reward) for reward in REWARDS]
        fcfs, _ = totals(envs, seed, fastest_first)
        models = len(envs[0].simulation.problem.models)
        degenerate = {"wait": wait, "drop all": drop_all}
        degenerate |= {f"serve model {model}": serve_only(model) for model in range(models)}
        for name, play in degenerate.items():
            earned, _ = totals(envs, seed, play)
            for reward, value, bar in zip(REWARDS, earned, fcfs, strict=True):
                assert value < bar, f"{cell}, {reward}, {name}"


@pytest.mark.compiled
@pytest.mark.parametrize("seed", SEEDS)
def test_dropping_pays_only_by_what_it_leaves_to_others(seed: int) -> None:
    better = 0
    for cell in CELLS:
        envs = [make(cell, "uxcost_delta")]
        (fcfs,), fcfs_rate = totals(envs, seed, fastest_first)
        (dropping,), dropping_rate = totals(envs, seed, drop_first)
        assert dropping <= fcfs or dropping_rate <= fcfs_rate, cell
        better += dropping > fcfs
    assert 0 < better < len(CELLS)
