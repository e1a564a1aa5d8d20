"""Platforms: a chip, and where the costs of layers on it come from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from dream_gym import resources
from dream_gym.errors import ConfigError
from dream_gym.hardware.analytical import MaestroCosts
from dream_gym.hardware.callable import PythonCosts
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostTable
from dream_gym.hardware.table import TableCosts
from dream_gym.hardware.zigzag import ZigzagCosts
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
        ConfigError: The cost model cannot cost the network, or gives something unusable.
    """
    table = platform.costs.costs(network, platform)
    shape = len(network.layers), len(platform.accelerators)
    for field in ("latency_ns", "energy_pj"):
        values = np.asarray(getattr(table, field))
        if values.shape != shape or values.dtype != np.int64 or not (values >= 1).all():
            raise ConfigError(
                f"{platform.name}: costs: {field} of {network.name} must be an int64 array of "
                f"shape {shape} of values from 1 up"
            )
        values.flags.writeable = False
    return table
