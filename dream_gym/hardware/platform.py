"""Platforms: a chip, and where the costs of layers on it come from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dream_gym.errors import ConfigError
from dream_gym.hardware.analytical import MaestroCosts
from dream_gym.hardware.callable import PythonCosts
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import MAX_COST, CostTable
from dream_gym.hardware.table import TableCosts
from dream_gym.hardware.zigzag.model import ZigzagCosts
from dream_gym.reading import resources
from dream_gym.workload import Network

AnyCosts = Annotated[
    MaestroCosts | TableCosts | ZigzagCosts | PythonCosts, Field(discriminator="model")
]
"""Every cost model that a platform may name; add yours here."""


class Platform(Chip):
    """A chip with a cost model; the other fields are those of `Chip`.

    Args:
        costs: Where the costs of layers come from: ``{model: maestro}`` by default.
    """

    costs: AnyCosts = MaestroCosts()


def load_platform(reference: str | Path | Platform) -> Platform:
    """Load a platform by name, by path, or pass an object through.

    Raises:
        ConfigError: There is no such platform or its file is malformed; names file and field.
    """
    return resources.load("platforms", reference, Platform)


@functools.lru_cache(maxsize=1024)
def cost_table(network: Network, platform: Platform) -> CostTable:
    """Costs of a network on a platform, from the platform's cost model, computed once.

    Raises:
        ConfigError: The cost model cannot cost the network, or returns something unusable.
    """
    table = platform.costs.costs(network, platform)
    return CostTable(
        _checked(table.latency_ns, "latency_ns", network, platform),
        _checked(table.energy_pj, "energy_pj", network, platform),
    )


def _checked(costs: Any, field: str, network: Network, platform: Platform) -> NDArray[np.int64]:
    """A column of a table as a read-only copy, or an error that names what is wrong with it."""
    shape = len(network.layers), len(platform.accelerators)
    usable = isinstance(costs, np.ndarray) and costs.shape == shape and costs.dtype == np.int64
    where = f"{platform.name}: costs: {field} of {network.name}"
    if not usable:
        raise ConfigError(f"{where} must be an int64 array of shape {shape}")
    wrong = np.argwhere((costs < 1) | (costs > MAX_COST))
    if len(wrong):
        layer, accelerator = wrong[0].tolist()
        raise ConfigError(
            f"{where} must be from 1 to {MAX_COST:.0e}, got {costs[layer, accelerator]} for layer "
            f"{network.layers[layer].name!r} on {platform.accelerator_names[accelerator]}"
        )
    values: NDArray[np.int64] = costs.copy()
    values.flags.writeable = False
    return values
