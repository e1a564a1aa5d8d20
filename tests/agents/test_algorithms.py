"""What holds for every algorithm."""

from __future__ import annotations

import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")
pytest.importorskip("cma")

from agents.algorithms import ALGORITHMS, get_algorithm
from agents.hyperparameters import load_hyperparameters
from dream_gym.reading import resources


def test_each_has_a_shipped_file_of_hyperparameters() -> None:
    assert set(resources.names("agents")) == set(ALGORITHMS)
    for name in ALGORITHMS:
        algorithm = get_algorithm(name)
        assert algorithm.name == name
        load_hyperparameters(name, algorithm.environments[0], algorithm.hyperparameters)
