"""Costs from a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dream_gym.errors import ConfigError
from dream_gym.hardware import cost_table, load_platform
from dream_gym.hardware.callable import PythonCosts
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostTable
from dream_gym.workload import Layer, Network

NETWORK = Network("n", (Layer("a", K=1, C=1, Y=1, X=1),), source="a test")


def ones(network: Network, chip: Chip) -> CostTable:
    shape = len(network.layers), len(chip.accelerators)
    return CostTable(np.ones(shape, np.int64), np.full(shape, 2, np.int64))


def words(network: Network, chip: Chip) -> str:
    return "fast and cheap"


def floats(network: Network, chip: Chip) -> CostTable:
    return CostTable(ones(network, chip).latency_ns / 2, ones(network, chip).energy_pj)  # type: ignore[arg-type]


def filled(latency_ns: Any, energy_pj: Any) -> Callable[[Network, Chip], CostTable]:
    """A function that returns these costs for the one layer on both accelerators."""

    def costs(network: Network, chip: Chip) -> CostTable:
        return CostTable(
            *(
                np.full((1, 2), value) if isinstance(value, int) else value
                for value in (latency_ns, energy_pj)
            )
        )

    return costs


def failing(network: Network, chip: Chip) -> CostTable:
    raise KeyError(network.name)


def costs_by(function: Callable[..., Any]) -> CostTable:
    costs = PythonCosts(model="python", function=function)
    return cost_table(NETWORK, load_platform("4k_2ws").model_copy(update={"costs": costs}))


def test_a_function_costs_layers() -> None:
    table = costs_by(ones)
    assert table.latency_ns.tolist() == [[1, 1]]
    assert table.energy_pj.tolist() == [[2, 2]]


def test_what_a_function_returned_stays_its_own() -> None:
    mine = np.ones((1, 2), np.int64)
    table = costs_by(filled(mine, mine))
    mine[:] = 7
    assert table.latency_ns.tolist() == table.energy_pj.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (words, "4k_2ws: costs.function: expected it to return a CostTable, got str"),
        (floats, "4k_2ws: costs: latency_ns of n must be an int64 array"),
        (failing, "4k_2ws: costs.function: KeyError for network n: 'n'"),
        (
            filled(2**63 - 1, 1),
            "costs: latency_ns of n must be from 1 to 1e.15, got 9223",
        ),
        (
            filled(1, 2**63 - 1),
            "costs: energy_pj of n must be from 1 to 1e.15, got .* layer 'a'",
        ),
        (
            filled(0, 1),
            "costs: latency_ns of n must be from 1 to 1e.15, got 0 for layer",
        ),
        (filled(1, -(2**63)), "costs: energy_pj of n must be from 1 to 1e.15, got -92"),
        (filled(None, 1), "costs: latency_ns of n must be an int64 array of shape"),
        (filled([[1, 2]], 1), "costs: latency_ns of n must be an int64 array of shape"),
        (filled([[1], [2, 3]], 1), "costs: latency_ns of n must be an int64 array of shape"),
        (filled(1, np.ones((2, 1), np.int64)), "costs: energy_pj of n must be an int64 array"),
        (filled(np.full((1, 2), np.nan), 1), "costs: latency_ns of n must be an int64 array"),
    ],
)
def test_a_function_that_returns_nonsense(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        costs_by(function)
