"""Rewards: each is what a figure of the run, its cost so far, has grown by, with a minus."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dream_gym.arguments import checked_choice, checked_number
from dream_gym.compiling.jit import compiled, inlined
from dream_gym.errors import ConfigError, hint
from dream_gym.simulator import Floats, Problem, State, judge_all
from dream_gym.simulator.accounting import judged_uxcost, lost_accuracy
from dream_gym.simulator.windows import (
    PER_MODEL,
    begin_window,
    charged_pj,
    due_since,
    window_uxcost,
)

REWARDS = ("uxcost_delta", "log_uxcost_delta", "uxcost_window", "dense")
"""Names of the rewards, in the order of the numbers that compiled code knows them by."""

UXCOST, LOG_UXCOST, WINDOW, DENSE = range(4)
WINDOW_NS = 100_000_000
"""Least length of a window of ``uxcost_window``."""
ACCURACY_WEIGHT_OF_CHOICE = 1.0
"""The weight of accuracy lost where actions choose variants; elsewhere it is 0."""
DENSE_WEIGHTS = {"violations": 1.0, "lost": 0.0, "energy": 1.0}
"""The weights of the terms of ``dense`` where nothing is said of them."""
_MOST_WEIGHT = 1e6

REWARD_PAGE = """\
By the argument ``reward``; each is what a cost grows by, with a minus, so that an episode's rewards
sum to minus its final value:

* ``uxcost_delta`` (default): UXCost, so an episode sums to −UXCost;
* ``log_uxcost_delta``: log(1 + UXCost / lower bound), which tells apart good episodes too;
* ``uxcost_window``: the sum over windows of the UXCost of the frames due in each; a window ends
  with the first step at least 100 ms after it began, or with the episode, and is paid then; here
  a violated frame is charged its worst-case energy once, when it is violated, whatever becomes of
  it: nothing is gained by putting it off, and giving up what is late anyway costs nothing;
* ``dense``: (V + e / (1 + e)) / N, where V are the violations of all models, N their frames, and e
  is the mean over frames of energy over its worst case. Energy weighs less than one violation in
  all, so an episode with more violations always earns less, and energy decides between equals.
  ``dense_weights`` weighs its terms otherwise: with ``violations`` v, ``lost`` l and ``energy`` w
  it is (v V + l L + w e / (1 + e)) / N, where L are the lost frames; by default 1, 0 and 1.

With ``accuracy_weight`` w above 0 the cost has one term more: w × the sum over models of accuracy
lost / frames, where a completed frame loses 1 − top1 / top1 of the original (``accuracy_loss`` of
the result); in ``uxcost_window`` over the frames due in the window, in ``dense`` over the frames of
all models. So accuracy lost is a fraction of a violation, and an episode of ``uxcost_delta`` sums
to −UXCost less that term. By default w is 1 where actions choose variants, or throwing accuracy
away would pay under every reward; elsewhere it is 0.

No trick that we know of pays by ``dense``: whoever starves a model, serves every other 100 ms,
drops early, gives up the end, swaps parameters, or runs the lightest variants, and violates more
frames than `dream_full` by that, earns less than it, on all edge cells of the catalogue. The
other three are products of sums over models: where one factor is lost, it pays to save the other,
and so under overload such a trick, or doing nothing at all, may earn more than `dream_full`. At the
edge loads, waiting for ever, dropping all that may be dropped, and serving one model only earn
less than FCFS by each of the rewards; dropping what is beyond help may earn more, where others gain
by it.

With ``energy_norm="literal"``, which is for comparison only, energy is what was spent, and a lost
frame costs none. UXCost is a product, so ``uxcost_delta`` and ``log_uxcost_delta`` are then best,
0, where nothing is ever dispatched: do not train with it. ``uxcost_window`` charges them anyway."""
"""What the pages of the environments say."""

(
    COST,  # so far
    REWARD,  # of the last step
    RETURN,  # sum of the rewards
    LENGTH,  # number of steps
    BOUND,  # lower bound of UXCost
    ACCURACY_WEIGHT,  # of accuracy lost
    VIOLATION_WEIGHT,  # of a violation in ``dense``
    LOST_WEIGHT,  # of a lost frame in ``dense``
    ENERGY_WEIGHT,  # of energy in ``dense``
    NOW_NS,  # time of the last step
    ELAPSED_NS,  # time between the last two
    WINDOW_START_NS,  # begin of the window
    MEASURES,  # from here on what was measured then: see `window_uxcost`, and accuracy lost
) = range(13)
"""The layout of an account."""


def reward_number(reward: str) -> int:
    """The number of a reward; raises `ConfigError` for an unknown name."""
    return REWARDS.index(checked_choice("reward", reward, REWARDS))


def account_size(models: int) -> int:
    """Length of an account for so many models."""
    return MEASURES + (PER_MODEL + 1) * models


class Weights(NamedTuple):
    """What the terms of a reward count, see `REWARD_PAGE`; in the order of an account."""

    accuracy: float
    violations: float
    lost: float
    energy: float


def read_weights(
    reward: str,
    accuracy_weight: float | None,
    dense_weights: Mapping[str, float] | None,
    *,
    choose_variants: bool,
) -> Weights:
    """The weights that the arguments of an environment stand for.

    Args:
        reward: Name of the reward.
        accuracy_weight: What accuracy lost counts, in violations; None for what holds by default.
        dense_weights: Weights of the terms of ``dense`` by name; None for the default.
        choose_variants: Whether actions choose the variants of Supernets.

    Raises:
        ConfigError: A weight is out of range or unknown, or the reward has no such weights.
    """
    if accuracy_weight is None:
        accuracy_weight = ACCURACY_WEIGHT_OF_CHOICE if choose_variants else 0.0
    accuracy = checked_number("accuracy_weight", accuracy_weight, 0.0, _MOST_WEIGHT)
    weights = dict(DENSE_WEIGHTS)
    if dense_weights is not None:
        if reward != REWARDS[DENSE]:
            raise ConfigError(f'dense_weights: are for reward="dense", but reward is {reward!r}')
        if not isinstance(dense_weights, Mapping):
            raise ConfigError(
                f"dense_weights: expected a mapping of {', '.join(weights)}, got {dense_weights!r}"
            )
        for name, weight in dense_weights.items():
            if name not in weights:
                raise ConfigError(f"dense_weights: {name!r} is unknown; {hint(str(name), weights)}")
            weights[name] = checked_number(f"dense_weights.{name}", weight, 0.0, _MOST_WEIGHT)
    return Weights(accuracy, **weights)


def begin_account(episode_account: Floats, bound: float, weights: Weights) -> None:
    """Open the account of a run at its start.

    Args:
        episode_account: float64, `account_size`.
        bound: Lower bound of the run's UXCost.
        weights: What the terms of its reward count.
    """
    episode_account[:] = 0.0
    episode_account[BOUND] = bound
    episode_account[ACCURACY_WEIGHT : ENERGY_WEIGHT + 1] = weights


def statistics_of(episode_accounts: Floats) -> dict[str, NDArray[Any]]:
    """Return ``r`` and length ``l`` of the episode of an account, or of each of a batch."""
    lengths = episode_accounts[..., LENGTH].astype(np.int64)
    return {"r": np.array(episode_accounts[..., RETURN]), "l": np.asarray(lengths)}


@compiled
def note_begin(problem: Problem, state: State, episode_account: Floats) -> None:
    """Note when the first action of a run is due."""
    judge_all(problem, state)
    episode_account[NOW_NS] = episode_account[ELAPSED_NS] = state.run[0].now_ns


@inlined
def record_step(problem: Problem, state: State, episode_account: Floats, number: int) -> None:
    """Enter a step, which ends now, into an account.

    Args:
        problem: The problem.
        state: The state.
        episode_account: float64, `account_size`.
        number: Which reward.
    """
    judge_all(problem, state)  # whatever the reward, since observations tell of violations
    cost = _cost(problem, state, episode_account, number)
    episode_account[REWARD] = episode_account[COST] - cost
    episode_account[COST] = cost
    episode_account[RETURN] += episode_account[REWARD]
    episode_account[LENGTH] += 1.0
    episode_account[ELAPSED_NS] = state.run[0].now_ns - episode_account[NOW_NS]
    episode_account[NOW_NS] = state.run[0].now_ns


@inlined
def _cost(problem: Problem, state: State, episode_account: Floats, number: int) -> float:
    if number == WINDOW:
        return _cost_of_windows(problem, state, episode_account)
    weight = episode_account[ACCURACY_WEIGHT]
    if number == DENSE:
        return _dense_cost(problem, state, episode_account)
    cost = judged_uxcost(problem, state)
    if number == LOG_UXCOST:
        cost = math.log1p(cost / episode_account[BOUND]) if episode_account[BOUND] > 0.0 else 0.0
    if weight > 0.0:
        for model in range(len(problem.models)):
            frames = max(state.models[model].frames, 1)
            cost += weight * lost_accuracy(problem, state, model) / frames
    return cost


@compiled
def _dense_cost(problem: Problem, state: State, episode_account: Floats) -> float:
    frames, total, energy = 0, 0.0, 0.0
    for model in range(len(problem.models)):
        counts, worst_pj = state.models[model], float(problem.models[model].worst_energy_pj)
        frames += counts.frames
        total += episode_account[VIOLATION_WEIGHT] * counts.violations
        total += episode_account[LOST_WEIGHT] * counts.lost
        energy += charged_pj(problem, state, model) / worst_pj
        if episode_account[ACCURACY_WEIGHT] > 0.0:
            total += episode_account[ACCURACY_WEIGHT] * lost_accuracy(problem, state, model)
    # By default all energy weighs less than one violation: no saving of it is worth another.
    energy /= max(frames, 1)
    spent = episode_account[ENERGY_WEIGHT] * (energy / (1.0 + energy))
    return float((total + spent) / max(frames, 1))


@compiled
def _cost_of_windows(problem: Problem, state: State, episode_account: Floats) -> float:
    """The cost so far, and that of the window which ends now, if one does."""
    now_ns = state.run[0].now_ns
    ended = now_ns >= state.run[0].horizon_ns
    if not ended and now_ns < episode_account[WINDOW_START_NS] + WINDOW_NS:
        return float(episode_account[COST])
    measures = episode_account[MEASURES:]
    cost, due = window_uxcost(problem, state, episode_account[WINDOW_START_NS], measures, True)
    if due == 0:
        return float(episode_account[COST])  # the window goes on: there is nothing to judge it by
    if episode_account[ACCURACY_WEIGHT] > 0.0:
        cost += episode_account[ACCURACY_WEIGHT] * _lost_in_window(problem, state, episode_account)
    begin_window(problem, state, measures, True)
    episode_account[WINDOW_START_NS] = now_ns
    return float(episode_account[COST] + cost)


@compiled
def _lost_in_window(problem: Problem, state: State, episode_account: Floats) -> float:
    """Accuracy lost in the window that ends now over frames due in it, summed over models."""
    before = episode_account[MEASURES + PER_MODEL * len(problem.models) :]
    total = 0.0
    for model in range(len(problem.models)):
        due = due_since(problem, state, model, episode_account[WINDOW_START_NS])
        if due > 0:  # else it is charged in the next window
            lost = lost_accuracy(problem, state, model)
            total += (lost - before[model]) / due
            before[model] = lost
    return total
