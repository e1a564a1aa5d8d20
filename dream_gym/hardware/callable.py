"""Costs from a Python function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import ImportString

from dream_gym.errors import ConfigError
from dream_gym.hardware.cost import CostModel, CostTable
from dream_gym.workload import Network

if TYPE_CHECKING:
    from dream_gym.hardware.platform import Platform


class PythonCosts(CostModel):
    """Costs from any callable.

    Args:
        model: ``python``.
        function: ``function(network, platform) -> CostTable``; in YAML its import path, such as
            ``my_chip.costs``.
    """

    model: Literal["python"] = "python"
    function: ImportString[Callable[..., CostTable]]

    def costs(self, network: Network, platform: Platform) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        table = self.function(network, platform)
        if not isinstance(table, CostTable):
            raise ConfigError(
                f"{platform.name}: costs.function: expected it to return a CostTable, got "
                f"{type(table).__name__}"
            )
        return table
