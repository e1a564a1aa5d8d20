"""Rewards: each is what a potential of the run falls by in a step."""

from __future__ import annotations

import math

from dream_gym.errors import ConfigError
from dream_gym.jit import compiled, entry_point
from dream_gym.simulator import Ints, Problem, State, view_problem_compiled, view_state_compiled
from dream_gym.simulator.accounting import uxcost

POTENTIALS = ("uxcost_delta", "log_uxcost_delta", "dense")
"""Names of the rewards, in the order of the numbers that compiled code knows them by."""

UXCOST, LOG_UXCOST, DENSE = range(3)


def potential_number(reward: str) -> int:
    """The number of a reward's potential; raises `ConfigError` for an unknown name."""
    if reward not in POTENTIALS:
        raise ConfigError(f"reward: {reward!r} is not one of {', '.join(POTENTIALS)}")
    return POTENTIALS.index(reward)


@entry_point("potentials")
def potential_now(problem_arena: Ints, state_arena: Ints, number: int, bound: float) -> float:
    """`potential` for Python."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    return potential(problem, state, number, bound)


@compiled
def potential(problem: Problem, state: State, number: int, bound: float) -> float:
    """What a reward's steps sum up.

    * ``uxcost_delta``: UXCost;
    * ``log_uxcost_delta``: log(1 + UXCost / lower bound);
    * ``dense``: mean over models of violation rate + lost rate + normalised energy.

    Args:
        problem: The problem.
        state: The state.
        number: Which of them.
        bound: Lower bound of the whole run's UXCost.
    """
    cost = uxcost(problem, state)  # judges all deadlines up to now
    if number == UXCOST:
        return cost
    if number == LOG_UXCOST:
        return math.log1p(cost / bound) if bound > 0.0 else 0.0
    total = 0.0
    for model in range(len(problem.models)):
        counts, worst_pj = state.models[model], problem.models[model].worst_energy_pj
        frames = max(counts.frames, 1)
        charged_pj = counts.completed_energy_pj + counts.lost * worst_pj
        total += (counts.violations + counts.lost) / frames + charged_pj / (worst_pj * frames)
    return total / len(problem.models)
