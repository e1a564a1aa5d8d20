"""``evolved``: a score of frames on accelerators that is an expression, read from a file."""

from dream_gym.schedulers.evolved.scheduler import EVOLVED, PREFIX, shipped_rules

__all__ = ["EVOLVED", "PREFIX", "shipped_rules"]
