"""Costs from a Python function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import ImportString

from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostModel, CostTable
from dream_gym.workload import Network


class PythonCosts(CostModel):
    """Costs from any callable.

    Args:
        model: ``python``.
        function: ``function(network, chip) -> CostTable``; in YAML its import path, such as
            ``my_chip.costs``.
    """

    model: Literal["python"] = "python"
    function: ImportString[Callable[..., CostTable]]

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        try:
            table = self.function(network, chip)
        except DreamGymError:
            raise
        except Exception as error:
            raise ConfigError(
                f"{chip.name}: costs.function: {type(error).__name__} for network {network.name}: "
                f"{error}"
            ) from error
        if not isinstance(table, CostTable):
            raise ConfigError(
                f"{chip.name}: costs.function: expected it to return a CostTable, got "
                f"{type(table).__name__}"
            )
        return table
