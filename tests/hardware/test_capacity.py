import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dream_gym.hardware import busiest_share

Work = NDArray[np.float64]


def solved(work: Work) -> float:
    """The linear program itself, by GLOP."""
    linear_solver = pytest.importorskip("ortools.linear_solver.pywraplp")
    solver = linear_solver.Solver.CreateSolver("GLOP")
    most = solver.NumVar(0, solver.infinity(), "most")
    busy = [most * -1.0 for _ in range(work.shape[1])]
    for piece in work.tolist():
        parts = [solver.NumVar(0, 1, "") for _ in piece]
        solver.Add(sum(parts) == 1)
        busy = [sum_ + time * part for sum_, time, part in zip(busy, piece, parts, strict=True)]
    for time in busy:
        solver.Add(time <= 0)
    solver.Minimize(most)
    assert solver.Solve() == linear_solver.Solver.OPTIMAL
    return float(solver.Objective().Value())


def test_by_hand() -> None:
    assert busiest_share(np.array([[0.25]])) == 0.25
    # Two accelerators that are alike share the work.
    assert busiest_share(np.array([[0.4, 0.4], [0.2, 0.2]])) == pytest.approx(0.3, rel=1e-3)
    # The second takes three times as long: of the time t, the first does t and the second t / 3.
    assert busiest_share(np.array([[1.0, 3.0]])) == pytest.approx(0.75, rel=1e-3)
    # Each has what it is good at.
    assert busiest_share(np.array([[0.5, 9.0], [9.0, 0.5]])) == pytest.approx(0.5, rel=1e-3)
    assert busiest_share(np.zeros((2, 2))) == 0.0


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32), st.floats(0.1, 3))
def test_it_is_the_solution_of_the_linear_program(
    pieces: int, accelerators: int, seed: int, spread: float
) -> None:
    generator = np.random.default_rng(seed)
    work = generator.lognormal(sigma=spread, size=(pieces, accelerators)) / pieces
    exact = solved(work)
    found = busiest_share(work)
    assert found <= exact * (1 + 1e-6)
    assert found >= exact * 0.98
    assert busiest_share(work * 2) == pytest.approx(2 * found)
