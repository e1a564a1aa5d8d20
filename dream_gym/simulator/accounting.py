"""UXCost: the figure of merit of DREAM, at any time of a run, and its lower bound."""

from __future__ import annotations

from dream_gym.jit import compiled, entry_point
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.frames import judge
from dream_gym.simulator.problem import Problem, view_problem_compiled
from dream_gym.simulator.state import State, view_state_compiled


@entry_point("accounting")
def uxcost_now(problem_arena: Ints, state_arena: Ints) -> float:
    """UXCost at the state's time, after the events of that time."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
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
    for model in range(len(problem.models)):
        counts = state.models[model]
        if counts.frames > 0:
            judge(problem, state, model, state.run[0].now_ns)
            violation_rates += max(float(counts.violations), 0.5) / counts.frames
            worst_pj = problem.models[model].worst_energy_pj
            energy_pj = counts.completed_energy_pj + counts.lost * worst_pj
            if problem.setting[0].literal_energy:
                energy_pj = counts.spent_energy_pj
            energies += energy_pj / (worst_pj * counts.frames)
    return violation_rates * energies


@entry_point("accounting")
def lower_bound(problem_arena: Ints, state_arena: Ints) -> float:
    """UXCost of a run without violations whose layers all run where they need least energy."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    violation_rates = 0.0
    energies = 0.0
    for model in range(len(problem.models)):
        if state.models[model].frames > 0:
            violation_rates += 0.5 / state.models[model].frames
            energies += problem.models[model].best_energy_pj / problem.models[model].worst_energy_pj
    return violation_rates * energies
