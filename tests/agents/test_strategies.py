from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cma")

from agents.strategies import CmaEs, OpenAiEs, Strategy

START = np.linspace(-1.0, 1.0, 6)
GOAL = np.array([0.5, -0.2, 0.1, 0.3, -0.6, 0.0])
MAKERS: dict[str, Callable[[], Strategy]] = {
    "cma": lambda: CmaEs(START, 12, 0.3, seed=4),
    "openai": lambda: OpenAiEs(START, 12, 0.1, 0.05, seed=4),
}


def advance(strategy: Strategy, generations: int) -> None:
    scales = np.arange(1, 7) ** 2
    for _ in range(generations):
        points = strategy.ask()
        costs = [float(scales @ (np.array(point) - GOAL) ** 2) for point in points]
        strategy.tell(points, np.array(costs))


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_it_finds_the_least(maker: Any) -> None:
    strategy = maker()
    assert np.array_equal(strategy.mean, START)
    advance(strategy, 150)
    assert np.abs(strategy.mean - GOAL).max() < 0.1
    assert strategy.step_size > 0


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_it_goes_on_where_it_was_pickled_whatever_others_draw(maker: Any) -> None:
    whole, parted = maker(), maker()
    advance(whole, 6)
    advance(parted, 3)
    parted = pickle.loads(pickle.dumps(parted))
    np.random.seed(1)  # noqa: NPY002 - the generator that must not matter
    advance(parted, 3)
    assert np.array_equal(whole.mean, parted.mean)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_only_ranks_count(maker: Any) -> None:
    straight, bent = maker(), maker()
    for _ in range(3):
        points, others = straight.ask(), bent.ask()
        costs = np.array([float(point @ point) for point in points])
        straight.tell(points, costs)
        bent.tell(others, np.exp(costs) - 5)
    assert np.array_equal(straight.mean, bent.mean)


def test_pairs_lie_opposite_each_other() -> None:
    points = OpenAiEs(START, 8, 0.1, 0.05, seed=4).ask()
    assert len(points) == 8
    for index in range(4):
        assert np.allclose((points[index] + points[index + 4]) / 2, START)
