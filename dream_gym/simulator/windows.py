"""UXCost of a part of a run: of the frames due in a window of time."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.arena import Floats
from dream_gym.simulator.frames import judge_all
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import State
from dream_gym.simulator.worlds import due_ns, exists

PER_MODEL = 2
"""Measures of a model: violations and energy up to the window's begin."""


@compiled
def begin_window(problem: Problem, state: State, measures: Floats, strict: bool) -> None:
    """Measure what has come about before a window that begins now.

    Args:
        problem: The problem.
        state: The state.
        measures: [`PER_MODEL` × models], written.
        strict: As it will be in `window_uxcost`.
    """
    judge_all(problem, state)
    for model in range(len(problem.models)):
        measures[PER_MODEL * model] = state.models[model].violations
        measures[PER_MODEL * model + 1] = _energy_pj(problem, state, model, strict)


@compiled
def window_uxcost(
    problem: Problem, state: State, start_ns: float, measures: Floats, strict: bool
) -> tuple[float, int]:
    """UXCost of the window that ends now, and how many frames were due in it.

    As for a whole run, it is Σ max(V, 1/2)/N × Σ E/(W·N), over the models with N > 0: N is the
    number of the model's frames due in the window, V and E are what its violations and its energy
    have grown by, and W is the worst-case energy of a frame. A frame counts where its violation
    is decided, as in `accounting.uxcost`: a late one at its deadline, a lost one when it is lost.

    Args:
        problem: The problem.
        state: The state.
        start_ns: When the window began.
        measures: What `begin_window` measured then.
        strict: Whether a violated frame is charged its worst case, once, as soon as it is
            violated, and nothing later, whether it completes or is lost. Else a policy could put
            costs off: UXCost is a product, and a window without energy would cost nothing.
    """
    judge_all(problem, state)
    violation_rates, energies, all_due = 0.0, 0.0, 0
    for model in range(len(problem.models)):
        due = due_since(problem, state, model, start_ns)
        if due > 0:
            violations = state.models[model].violations - measures[PER_MODEL * model]
            violation_rates += max(violations, 0.5) / due
            energy_pj = _energy_pj(problem, state, model, strict) - measures[PER_MODEL * model + 1]
            energies += energy_pj / (problem.models[model].worst_energy_pj * due)
            all_due += due
    return violation_rates * energies, all_due


@compiled
def due_since(problem: Problem, state: State, model: int, start_ns: float) -> int:
    """Number of a model's frames with judged deadlines after a time."""
    due = 0
    for stream in range(len(problem.streams)):
        if problem.streams[stream].model == model:
            frame = state.streams[stream].judged - 1
            while frame >= 0 and due_ns(problem, stream, frame) > start_ns:
                due += exists(problem, state, stream, frame, NONE)
                frame -= 1
    return due


@inlined
def _energy_pj(problem: Problem, state: State, model: int, strict: bool) -> float:
    if not strict:
        return charged_pj(problem, state, model)
    counts = state.models[model]
    worst_pj = problem.models[model].worst_energy_pj
    in_time_pj = counts.completed_energy_pj - counts.late_energy_pj
    return float(in_time_pj + counts.violations * worst_pj)


@inlined
def charged_pj(problem: Problem, state: State, model: int) -> float:
    """Energy of a model that UXCost counts so far: charged or literal, as the run is set."""
    counts = state.models[model]
    if problem.setting[0].literal_energy:
        return float(counts.spent_energy_pj)
    return float(counts.completed_energy_pj + counts.lost * problem.models[model].worst_energy_pj)
