"""UXCost: the figure of merit of DREAM, at any time of a run, and its lower bound."""

from __future__ import annotations

from dream_gym.jit import compiled, entry_point
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.frames import judge
from dream_gym.simulator.problem import LITERAL_ENERGY, Problem, view_problem
from dream_gym.simulator.state import NOW_NS, State, view_state


@entry_point("accounting")
def uxcost_now(problem_arena: Ints, state_arena: Ints) -> float:
    """UXCost at the state's time, after the events of that time."""
    problem, state = view_problem(problem_arena), view_state(state_arena)
    return uxcost(problem, state)


@compiled
def uxcost(problem: Problem, state: State) -> float:
    """Sum of violation rates × sum of normalised energies, over models that have frames.

    A model without violations counts as half a violation, as in the paper. With
    ``energy_norm="charged"`` its energy is that of its completed frames, and the worst case
    for each lost frame; with ``literal`` it is the energy spent, whatever came of it.
    """
    violation_rates = 0.0
    energies = 0.0
    for model in range(len(problem.first_layer)):
        if state.frames[model] > 0:
            judge(problem, state, model, state.scalar[NOW_NS])
            violation_rates += max(float(state.violations[model]), 0.5) / state.frames[model]
            if problem.setting[LITERAL_ENERGY]:
                energy_pj = state.spent_energy_pj[model]
            else:
                energy_pj = charged_energy_pj(problem, state, model)
            energies += energy_pj / (problem.worst_energy_pj[model] * state.frames[model])
    return violation_rates * energies


@compiled
def charged_energy_pj(problem: Problem, state: State, model: int) -> int:
    """Energy of a model's completed frames, and the worst case for each of its lost frames."""
    worst_pj = problem.worst_energy_pj[model]
    return int(state.completed_energy_pj[model] + state.lost[model] * worst_pj)


@entry_point("accounting")
def lower_bound(problem_arena: Ints, state_arena: Ints) -> float:
    """UXCost of a run without violations whose layers all run where they need least energy."""
    problem, state = view_problem(problem_arena), view_state(state_arena)
    violation_rates = 0.0
    energies = 0.0
    for model in range(len(problem.first_layer)):
        if state.frames[model] > 0:
            violation_rates += 0.5 / state.frames[model]
            energies += problem.best_energy_pj[model] / problem.worst_energy_pj[model]
    return violation_rates * energies
