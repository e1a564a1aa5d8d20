"""The draws, from their published definition: SplitMix64 chained over the words of a counter."""

from __future__ import annotations

from fractions import Fraction

MASK = 2**64 - 1
JITTER, TRIGGER, SKIP, EXIT = range(4)


def splitmix64(state: int) -> int:
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def draw(seed: int, stream: int, model: int, frame: int, index: int = 0) -> int:
    h = splitmix64(seed)
    for word in (stream, model, frame, index):
        h = splitmix64(h ^ word)
    return h


def happens(h: int, probability: float) -> bool:
    """Whether something of this probability happens, the probability taken as it is written."""
    return h >> 2 < int(Fraction(str(probability)) * 2**62)
