"""Random draws that are the same on every machine and with every version of a library."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


class Draws:
    """A sequence of draws.

    It stands on `random.Random.random`, the only method whose sequence Python promises to keep,
    and computes with +, -, × and ÷ only.

    Args:
        seed: Where the sequence begins.
    """

    def __init__(self, seed: int) -> None:
        self._next = random.Random(seed).random

    def uniform(self, low: float, high: float) -> float:
        """A uniform number in [low, high)."""
        return low + (high - low) * self._next()

    def index(self, count: int) -> int:
        """A uniform integer in [0, count)."""
        return int(self._next() * count)

    def choice(self, items: Sequence[ItemT]) -> ItemT:
        """One of the items, each as likely as the others."""
        return items[self.index(len(items))]

    def shuffled(self, items: Sequence[ItemT]) -> list[ItemT]:
        """The items in random order."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.index(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def parts_of_one(self, count: int) -> list[float]:
        """Numbers that add up to 1: the lengths of a unit stick that is cut at random."""
        cuts = sorted(self._next() for _ in range(count - 1))
        return [end - start for start, end in zip([0.0, *cuts], [*cuts, 1.0], strict=True)]
