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


def costs_by(function: Callable[..., Any]) -> CostTable:
    costs = PythonCosts(model="python", function=function)
    return cost_table(NETWORK, load_platform("4k_2ws").model_copy(update={"costs": costs}))


def test_a_function_costs_layers() -> None:
    table = costs_by(ones)
    assert table.latency_ns.tolist() == [[1, 1]]
    assert table.energy_pj.tolist() == [[2, 2]]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (words, "4k_2ws: costs.function: expected it to return a CostTable, got str"),
        (floats, "4k_2ws: costs: latency_ns of n must be an int64 array"),
    ],
)
def test_a_function_that_returns_nonsense(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        costs_by(function)
