"""Seeds of worlds in three ranges, so that no policy is evaluated on what it was fitted to."""

from __future__ import annotations

from dream_gym.errors import ConfigError

SEEDS_PER_PURPOSE = 10**9

TRAINING = range(0, SEEDS_PER_PURPOSE)
"""For training agents, tuning parameters and calibrating loads."""

SELECTION = range(SEEDS_PER_PURPOSE, 2 * SEEDS_PER_PURPOSE)
"""For choosing among trained agents or checkpoints."""

EVALUATION = range(2 * SEEDS_PER_PURPOSE, 3 * SEEDS_PER_PURPOSE)
"""For published figures, and nothing else."""


def training_seeds(count: int) -> range:
    """The first seeds for training, tuning and calibration."""
    return _first(TRAINING, count)


def selection_seeds(count: int) -> range:
    """The first seeds for choosing among trained agents."""
    return _first(SELECTION, count)


def evaluation_seeds(count: int) -> range:
    """The first seeds for evaluation; every policy is evaluated on the same ones."""
    return _first(EVALUATION, count)


def _first(purpose: range, count: int) -> range:
    if not 1 <= count <= len(purpose):
        raise ConfigError(f"seeds: expected a count in [1, {len(purpose)}], got {count}")
    return purpose[:count]
