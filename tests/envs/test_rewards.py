"""No reward is gained by giving up: degenerate policies against FCFS on contended cells."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.analysis.suites.calibrated import contended_cells
from dream_gym.compiling.jit import entry_point
from dream_gym.envs import DreamRTMMDispatchEnv
from dream_gym.envs.dispatch.menu import view_menu
from dream_gym.envs.rewards import REWARDS
from dream_gym.schedulers.dream.full import DREAM_FULL
from dream_gym.simulator import (
    DROP,
    NONE,
    PASS,
    Ints,
    view_problem_compiled,
    view_state_compiled,
)

EVERY = os.environ.get("DREAM_GYM_EVERY") == "1"
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
        episode_seconds=round(min(max(1 / load, 0.1), 1.0), 6),  # about as many frames everywhere
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
    for cell in ALL_CELLS if EVERY else CELLS[seed % 2 :: 2]:  # each by one of the seeds
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


_decide = DREAM_FULL.decide


@entry_point("of_the_rewards", cache=False)
def ask_dream(problem_arena: Ints, state_arena: Ints) -> tuple[int, int, int, int]:
    """What `dream_full` decides here: kind, slot, accelerator and variant."""
    decision = _decide(view_problem_compiled(problem_arena), view_state_compiled(state_arena))
    return decision.kind, decision.slot, decision.accelerator, decision.variant


def dream(env: Any, info: dict[str, Any], hidden: int = NONE, lightest: bool = False) -> int:
    """The action of `dream_full` in an environment whose actions choose variants.

    Args:
        env: The environment.
        info: Its latest info.
        hidden: A model whose frames it is not shown.
        lightest: Whether each frame runs its lightest variant.
    """
    menu, simulation = view_menu(env.buffers["menu"]), env.simulation
    state = simulation.state
    live = state.live[: state.run[0].live_count].copy()
    shown = live[state.slots["model"][live] != hidden]
    state.live[: len(shown)], state.run[0].live_count = shown, len(shown)
    kind, slot, accelerator, variant = ask_dream(simulation.problem_arena, simulation.state_arena)
    state.live[: len(live)], state.run[0].live_count = live, len(live)
    if kind == PASS:
        return wait(env, info)
    row = menu.rows.tolist().index(slot)
    accelerators, networks = menu.shape.tolist()
    if kind == DROP:
        return int(len(menu.rows) * accelerators * networks + row)
    at = (row * accelerators + accelerator) * networks
    if lightest:
        variant = int(info["action_mask"][at : at + networks].sum()) - 1
    return int(at + variant)


def starve(model: int) -> Play:
    return lambda env, info: dream(env, info, hidden=model)


def every_other_100_ms(env: Any, info: dict[str, Any]) -> int:
    serves = env.simulation.now_ns // 100_000_000 % 2 == 0
    return dream(env, info) if serves else wait(env, info)


def drop_early(env: Any, info: dict[str, Any]) -> int:
    """Drop whatever may be dropped, whether that helps another or not."""
    action = drop_all(env, info)
    return dream(env, info) if action == wait(env, info) else action


def give_up(share: float) -> Play:
    """Serve nothing in the last part of the episode."""
    return lambda env, info: (
        dream(env, info)
        if env.simulation.now_ns < (1 - share) * env.simulation.horizon_ns
        else wait(env, info)
    )


def alternate_parameters(env: Any, info: dict[str, Any]) -> int:
    swap = env.simulation.now_ns // 10_000_000 % 2
    env.simulation.parameters[:2] = (0.0, 2.0) if swap else (2.0, 0.0)
    action = dream(env, info)
    env.simulation.parameters[:2] = DEFAULTS[:2]
    return action


def lightest(env: Any, info: dict[str, Any]) -> int:
    return dream(env, info, lightest=True)


DEFAULTS = DREAM_FULL.configure().parameters()
TRICKS: dict[str, Play] = {
    "serve every other 100 ms": every_other_100_ms,
    "drop early": drop_early,
    "give up the last half": give_up(0.5),
    "give up the last tenth": give_up(0.1),
    "alternate parameters": alternate_parameters,
    "lightest variants": lightest,
    "wait": wait,
    "drop all": drop_all,
}
OVERLOADED = ("vr_gaming", "4k_2ws", 2.8)
"""Where a reward that weighed models alike paid for starving one of them."""
SCENARIOS = ["ar_social", "drone_indoor", "vr_gaming"]
if EVERY:
    SCENARIOS = sorted({scenario for scenario, _, _ in ALL_CELLS})


@pytest.mark.compiled
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_trick_is_worth_its_violations(scenario: str) -> None:
    """By ``dense`` whoever violates more frames than `dream_full` earns less."""
    cells = [cell for cell in [*CELLS, OVERLOADED] if cell[0] == scenario]
    if EVERY:
        cells = [cell for cell in [*ALL_CELLS, OVERLOADED] if cell[0] == scenario]
    played = 0
    for cell in cells if EVERY else cells[-1:]:
        env = DreamRTMMDispatchEnv(
            *cell[:2],
            load=cell[2],
            episode_seconds=round((1.0 if EVERY else 0.5) / cell[2], 6),
            reward="dense",
            supernet="free",
        )
        env.simulation.parameters[: len(DEFAULTS)] = DEFAULTS
        (bar,), least = totals([env], 1, dream)
        starving = {
            f"starve model {model}": starve(model)
            for model in range(len(env.simulation.problem.models))
        }
        for name, play in (TRICKS | starving).items():
            (earned,), rate = totals([env], 1, play)
            if rate > least:
                assert earned < bar, f"{cell}, {name}: {rate} violated, by dream_full {least}"
                played += 1
    assert played >= 5
