"""Costs that follow a choice, by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from agents.recordings import Choices, Recording
from agents.rollouts import advantages, costs_to_go
from dream_gym.schedulers.learned.recording import GRID


def recording(jumps: dict[int, tuple[float, float]], times_ns: list[int]) -> Recording:
    """A run of 1 s whose factors jump at times of the grid, and choices at some times."""
    factors = np.zeros((GRID + 1, 2))
    for at, jump in jumps.items():
        factors[at:] += jump
    times = np.array(times_ns)
    empty = np.zeros(0, dtype=np.int64)
    choices = Choices(times, empty, empty, np.zeros((0, 46), dtype=np.float32), empty, empty)
    return Recording(choices, len(times), 0, factors)


RUNS = [
    recording({10: (1.0, 0.0), 60: (1.0, 2.0)}, [0, 99_000_000, 101_000_000, 999_999_999]),
    recording({60: (2.0, 2.0)}, [0]),
]
"""At the end both have 2 violations' worth and 2 of energy."""


def test_costs_are_shares_of_the_mean_end() -> None:
    costs = costs_to_go(RUNS, "uxcost", 1.0, np.inf)
    assert costs[0, [0, 9, 10, 59, 60]] == pytest.approx([2.0, 2.0, 1.5, 1.5, 0.0])
    assert costs[1, [0, 59, 60]] == pytest.approx([2.0, 2.0, 0.0])
    assert costs_to_go(RUNS, "violations", 1.0, np.inf)[0, 10] == pytest.approx(0.5)
    assert costs_to_go(RUNS, "energy", 1.0, np.inf)[0, 10] == pytest.approx(1.0)


def test_costs_fade_by_time() -> None:
    costs = costs_to_go(RUNS, "uxcost", 1.0, 0.1)
    # The jump at 60 falls into the interval from 59 on.
    assert costs[1, 59] == pytest.approx(2.0)
    assert costs[1, 49] == pytest.approx(2.0 * np.exp(-1.0))
    assert costs[0, 0] == pytest.approx(0.5 * np.exp(-0.9) + 1.5 * np.exp(-5.9))


def test_a_choice_is_compared_at_equal_time_with_what_follows_it() -> None:
    first, second = advantages(RUNS, "uxcost", 1.0, np.inf)
    # Choices count from the next time of the grid on, where a jump before it is past.
    assert first == pytest.approx([0.0, 0.25, 0.25, 0.0])
    assert second == pytest.approx([0.0])
