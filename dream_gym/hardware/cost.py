"""What every layer of a network costs on every accelerator of a chip, in ns and pJ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.hardware.chip import Chip
from dream_gym.resources import Config
from dream_gym.workload import Network


@dataclass(frozen=True)
class CostTable:
    """Costs of the layers of one network on one chip.

    Args:
        latency_ns: int64 array (layers, accelerators), at least 1.
        energy_pj: int64 array (layers, accelerators), at least 1.
    """

    latency_ns: NDArray[np.int64]
    energy_pj: NDArray[np.int64]


class CostModel(Config):
    """Where the costs of layers come from; a platform names one in ``costs``."""

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost every layer of a network on every accelerator of a chip.

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
