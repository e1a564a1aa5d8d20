"""Seeds of worlds in three ranges, so that nobody is judged on what they were fitted to."""

from __future__ import annotations

from dream_gym.errors import ConfigError

SEEDS_PER_PURPOSE = 10**9

TRAINING = range(0, SEEDS_PER_PURPOSE)
"""What agents learn from, parameters are tuned on and loads are calibrated with."""

SELECTION = range(SEEDS_PER_PURPOSE, 2 * SEEDS_PER_PURPOSE)
"""What picks one of several trained agents or checkpoints."""

EVALUATION = range(2 * SEEDS_PER_PURPOSE, 3 * SEEDS_PER_PURPOSE)
"""What published figures are measured on, and nothing else."""


def training_seeds(count: int) -> range:
    """The first seeds for training, tuning and calibration."""
    return _first(TRAINING, count)


def selection_seeds(count: int) -> range:
    """The first seeds for choosing among trained agents."""
    return _first(SELECTION, count)


def evaluation_seeds(count: int) -> range:
    """The first seeds for evaluation; every policy is judged on the same."""
    return _first(EVALUATION, count)


def _first(purpose: range, count: int) -> range:
    if not 1 <= count <= len(purpose):
        raise ConfigError(f"seeds: expected a count in [1, {len(purpose)}], got {count}")
    return purpose[:count]
