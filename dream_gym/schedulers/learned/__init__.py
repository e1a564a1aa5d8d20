"""``learned``: a score of frames on accelerators whose weights are trained and come from a file."""

from dream_gym.schedulers.learned.scheduler import (
    LEARNED,
    PREFIX,
    SHIPPED,
    find_weights,
    learned_with,
)

__all__ = ["LEARNED", "PREFIX", "SHIPPED", "find_weights", "learned_with"]
