"""What every layer of a network costs on every accelerator of a chip, in ns and pJ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.hardware.chip import Chip
from dream_gym.reading.resources import Config
from dream_gym.workload import Network

MAX_COST = 10**15
"""Most that a layer may need: in ns eleven days, in pJ a kilojoule."""


@dataclass(frozen=True)
class CostTable:
    """Costs of the layers of one network on one chip.

    Args:
        latency_ns: int64 array (layers, accelerators), from 1 to `MAX_COST`.
        energy_pj: int64 array (layers, accelerators), from 1 to `MAX_COST`.
    """

    latency_ns: NDArray[np.int64]
    energy_pj: NDArray[np.int64]


class CostModel(Config):
    """Where the costs of layers come from; a platform names one in ``costs``."""

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost every layer of a network on every accelerator of a chip.

        Raises:
            ConfigError: It cannot cost them; names the file, the layer or the accelerator at fault.
        """
        raise NotImplementedError


def rounded(latency_ns: NDArray[np.float64], energy_pj: NDArray[np.float64]) -> CostTable:
    """A table from real numbers: latency rounded up, energy to nearest, both at least 1.

    A value that is above `MAX_COST`, or NaN, becomes `MAX_COST` + 1, which every platform refuses.
    """
    return CostTable(_within(np.ceil(latency_ns)), _within(np.rint(energy_pj)))


def _within(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole costs as int64; they are clipped before the conversion, which could wrap."""
    return np.where(costs <= MAX_COST, np.maximum(costs, 1), MAX_COST + 1).astype(np.int64)
