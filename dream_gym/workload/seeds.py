"""Seeds of worlds, in disjoint ranges for training, for selecting agents and for evaluation."""

from __future__ import annotations

SEEDS_PER_PURPOSE = 10**9
"""Training has seeds [0, 10^9), selection the next 10^9, evaluation the 10^9 after those."""


def training_seeds(count: int) -> range:
    """The first seeds of the worlds to train or tune on."""
    return range(count)


def selection_seeds(count: int) -> range:
    """The first seeds of the worlds to choose between checkpoints on."""
    return range(SEEDS_PER_PURPOSE, SEEDS_PER_PURPOSE + count)


def evaluation_seeds(count: int) -> range:
    """The first seeds of the worlds to report figures on."""
    return range(2 * SEEDS_PER_PURPOSE, 2 * SEEDS_PER_PURPOSE + count)
