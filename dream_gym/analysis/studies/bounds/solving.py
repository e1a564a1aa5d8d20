"""What the two models for CP-SAT share: the objective and how it is minimised, repeatably."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from dream_gym.analysis.extra import cp_model
from dream_gym.analysis.studies.bounds.window import Window


class Minimum(NamedTuple):
    """The result of a solver.

    Args:
        bound: Proven: the objective is at least this.
        solver: It has the values of the best solution, if there is one.
        found: Whether there is one.
    """

    bound: int
    solver: Any
    found: bool


def rate_terms(model: Any, window: Window, met: list[Any]) -> Any:
    """UXCost's sum of violation rates, in parts of `Window.rate_unit`."""
    total: Any = 0
    for index, count in enumerate(window.counts):
        if count:
            own = [met[row] for row, frame in enumerate(window.frames) if frame.model == index]
            doubled = model.new_int_var(1, 2 * count, "")
            model.add(doubled >= 2 * (count - sum(own)))
            total += doubled * (window.rate_unit // (2 * count))
    return total


def minimise(model: Any, objective: Any, limit: float) -> Minimum:
    """Minimise, for a deterministic time on one processor, so that it is repeatable.

    Args:
        model: The model; it has a solution.
        objective: A sum of whole numbers.
        limit: Deterministic time, about seconds.

    Raises:
        RuntimeError: CP-SAT finds the model malformed or without solution: a bug of ours.
    """
    model.minimize(objective)
    solver = cp_model().CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = limit
    status = _solve(solver, model)
    found = status in (cp_model().OPTIMAL, cp_model().FEASIBLE)
    if not found and status != cp_model().UNKNOWN:
        raise RuntimeError(f"CP-SAT calls the model {status.name}, which is a bug: report it")
    return Minimum(round(solver.best_objective_bound), solver, found)


def _solve(solver: Any, model: Any) -> Any:
    """Solve so that Ctrl-C ends it at once, as it ends everything else.

    By itself CP-SAT treats Ctrl-C as the end of its time limit, and from then on the next Ctrl-C
    kills the process without a message.
    """
    solver.parameters.catch_sigint_signal = False
    with ThreadPoolExecutor(1) as thread:
        solving = thread.submit(solver.solve, model)
        try:
            return solving.result()
        except KeyboardInterrupt:
            solver.stop_search()
            raise
