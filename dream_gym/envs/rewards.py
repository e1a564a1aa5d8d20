"""Rewards: each is what a figure of the run, its cost so far, has grown by, with a minus."""

from __future__ import annotations

import math

import numpy as np

from dream_gym.arguments import checked_choice
from dream_gym.jit import compiled, inlined
from dream_gym.simulator import Floats, Problem, State
from dream_gym.simulator.accounting import judged_uxcost
from dream_gym.simulator.frames import judge_all
from dream_gym.simulator.windows import PER_MODEL, begin_window, charged_pj, window_uxcost

REWARDS = ("uxcost_delta", "log_uxcost_delta", "uxcost_window", "dense")
"""Names of the rewards, in the order of the numbers that compiled code knows them by."""

UXCOST, LOG_UXCOST, WINDOW, DENSE = range(4)
WINDOW_NS = 100_000_000
"""Least length of a window of ``uxcost_window``."""

REWARD_PAGE = """\
By the argument ``reward``; each is what a cost grows by, with a minus, so that an episode's rewards
sum to minus its final value:

* ``uxcost_delta`` (default): UXCost, so an episode sums to −UXCost;
* ``log_uxcost_delta``: log(1 + UXCost / lower bound), which tells apart good episodes too;
* ``uxcost_window``: the sum over windows of the UXCost of the frames due in each; a window ends
  with the first step at least 100 ms after it began, or with the episode, and is paid then; here
  a violated frame is charged its worst-case energy at once, lost or not, so that nothing can be
  gained by putting it off;
* ``dense``: mean over models of violation rate + lost rate + normalised energy, which weighs the
  three alike.

Waiting for ever, dropping all that may be dropped, and serving one model only earn less than FCFS
by each of them, on all contended cells of the catalogue. Dropping what is beyond help, and serving
the rest, may earn more, where others gain by it; by ``uxcost_window`` it mostly does, as a late
frame that still completes is charged its energy, too.

With ``energy_norm="literal"``, which is for comparison only, energy is what was spent, and a lost
frame costs none. UXCost is a product, so ``uxcost_delta`` and ``log_uxcost_delta`` are then best,
0, where nothing is ever dispatched: do not train with it. ``uxcost_window`` charges them anyway."""
"""What the pages of the environments say."""

COST, REWARD, RETURN, LENGTH, BOUND, NOW_NS, ELAPSED_NS, WINDOW_START_NS, MEASURES = range(9)
"""The layout of a ledger: the cost so far; reward of the last step; sum of rewards and number of
steps since the start; lower bound of UXCost; time of the last step and since the one before; begin
of the window, and from there on what was measured then."""


def reward_number(reward: str) -> int:
    """The number of a reward; raises `ConfigError` for an unknown name."""
    return REWARDS.index(checked_choice("reward", reward, REWARDS))


def ledger_size(models: int) -> int:
    """Length of a ledger for so many models."""
    return MEASURES + PER_MODEL * models


def begin_ledger(ledger: Floats, bound: float) -> None:
    """Open the ledger of a run at its start, with the lower bound of its UXCost."""
    ledger[:] = 0.0
    ledger[BOUND] = bound


def statistics_of(ledgers: Floats) -> dict[str, Floats]:
    """Return ``r`` and length ``l`` of the episodes of some ledgers."""
    return {"r": ledgers[..., RETURN].copy(), "l": ledgers[..., LENGTH].astype(np.int64)}


@compiled
def note_begin(problem: Problem, state: State, ledger: Floats) -> None:
    """Note when the first action of a run is due."""
    judge_all(problem, state)
    ledger[NOW_NS] = ledger[ELAPSED_NS] = state.run[0].now_ns


@inlined
def settle(problem: Problem, state: State, ledger: Floats, number: int) -> None:
    """Enter a step, which ends now, into a ledger.

    Args:
        problem: The problem.
        state: The state.
        ledger: float64, `ledger_size`.
        number: Which reward.
    """
    judge_all(problem, state)  # whatever the reward, since observations tell of violations
    cost = _cost(problem, state, ledger, number)
    ledger[REWARD] = ledger[COST] - cost
    ledger[COST] = cost
    ledger[RETURN] += ledger[REWARD]
    ledger[LENGTH] += 1.0
    ledger[ELAPSED_NS] = state.run[0].now_ns - ledger[NOW_NS]
    ledger[NOW_NS] = state.run[0].now_ns


@inlined
def _cost(problem: Problem, state: State, ledger: Floats, number: int) -> float:
    if number == WINDOW:
        return _cost_of_windows(problem, state, ledger)
    if number == UXCOST:
        return judged_uxcost(problem, state)
    if number == LOG_UXCOST:
        relative = judged_uxcost(problem, state) / ledger[BOUND] if ledger[BOUND] > 0.0 else 0.0
        return math.log1p(relative)
    total = 0.0
    for model in range(len(problem.models)):
        counts, worst_pj = state.models[model], problem.models[model].worst_energy_pj
        frames = max(counts.frames, 1)
        energy = charged_pj(problem, state, model) / (float(worst_pj) * frames)
        total += (counts.violations + counts.lost) / frames + energy
    return total / len(problem.models)


@compiled
def _cost_of_windows(problem: Problem, state: State, ledger: Floats) -> float:
    """The cost so far, and that of the window which ends now, if one does."""
    now_ns = state.run[0].now_ns
    ended = now_ns >= state.run[0].horizon_ns
    if not ended and now_ns < ledger[WINDOW_START_NS] + WINDOW_NS:
        return float(ledger[COST])
    measures = ledger[MEASURES:]
    cost, due = window_uxcost(problem, state, ledger[WINDOW_START_NS], measures, True)
    if due == 0:
        return float(ledger[COST])  # the window goes on: there is nothing to judge it by
    begin_window(problem, state, measures, True)
    ledger[WINDOW_START_NS] = now_ns
    return float(ledger[COST] + cost)
