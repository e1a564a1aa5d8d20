"""What every layer of a network costs on every accelerator of a platform, in ns and pJ."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import ConfigError
from dream_gym.resources import Config
from dream_gym.workload import Network

if TYPE_CHECKING:
    from dream_gym.hardware.platform import Platform


@dataclass(frozen=True)
class CostTable:
    """Costs of the layers of one network on one platform.

    Args:
        latency_ns: int64 array (layers, accelerators), at least 1.
        energy_pj: int64 array (layers, accelerators), at least 1.
    """

    latency_ns: NDArray[np.int64]
    energy_pj: NDArray[np.int64]


class CostModel(Config):
    """Where the costs of layers come from; a platform names one in ``costs``."""

    def costs(self, network: Network, platform: Platform) -> CostTable:
        """Cost every layer of a network on every accelerator of a platform.

        Raises:
            ConfigError: It cannot; names the file, the layer or the accelerator at fault.
        """
        raise NotImplementedError


def rounded(latency_ns: NDArray[np.float64], energy_pj: NDArray[np.float64]) -> CostTable:
    """A table from real numbers: latency rounded up, energy to nearest, both at least 1."""
    return CostTable(
        np.maximum(np.ceil(latency_ns), 1).astype(np.int64),
        np.maximum(np.rint(energy_pj), 1).astype(np.int64),
    )


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
