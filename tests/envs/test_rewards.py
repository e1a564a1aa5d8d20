"""No reward is gained by giving up: degenerate policies against FCFS on contended cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.analysis.calibration_table import contended_cells
from dream_gym.envs.dispatch.menu import view_menu
from dream_gym.envs.rewards import REWARDS

CELLS = [
    (cell.scenario, cell.platform, cell.contended_load)
    for cell in contended_cells()
    if not cell.scenario.startswith("xrbench") and not cell.platform.startswith("xr_")
]
SECONDS, SEED = 0.5, 1
Play = Callable[[Any, dict[str, Any]], int]


def total(reward: str, cell: tuple[str, str, float], play: Play) -> float:
    scenario, platform, load = cell
    env: Any = gym.make(
        "dream_gym:DreamRTMM-Dispatch-v0",
        scenario=scenario,
        platform=platform,
        load=load,
        episode_seconds=SECONDS,
        reward=reward,
    ).unwrapped
    _, info = env.reset(seed=SEED)
    gained, ended = 0.0, False
    while not ended:
        _, reward_, ended, _, info = env.step(play(env, info))
        gained += reward_
    return gained


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
            latency_ns = problem.costs["latency_ns"][state.slots[slot].layer]
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


def serve_one_model(env: Any, info: dict[str, Any]) -> int:
    state = env.simulation.state
    live = state.live[: state.run[0].live_count].tolist()
    return fastest_first(env, info, [slot for slot in live if state.slots[slot].model == 0])


@pytest.mark.compiled
@pytest.mark.parametrize("reward", REWARDS)
def test_giving_up_does_not_pay(reward: str) -> None:
    assert len(CELLS) >= 15
    for cell in CELLS:
        fcfs = total(reward, cell, fastest_first)
        for degenerate in (wait, drop_all, serve_one_model):
            assert total(reward, cell, degenerate) < fcfs, f"{cell}, {degenerate.__name__}"
