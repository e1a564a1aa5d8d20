"""Counter-based randomness: every draw is a hash of its purpose, and depends on nothing else.

Two schedulers under one seed face the same world, whatever they do, and any draw can be repeated
at any time. The hash chains the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable
Pseudorandom Number Generators", OOPSLA 2014) over the words of the counter.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dream_gym.compiling.jit import inlined

JITTER, TRIGGER, SKIP, EXIT = range(4)
"""The streams: release jitter of a root frame, whether a dependent frame is triggered, whether a
block is skipped, and whether a frame leaves at an early exit."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_WORD = 0xFFFFFFFFFFFFFFFF


@inlined
def _multiply(a: np.uint64, b: np.uint64) -> np.uint64:
    # Python's integers do not wrap; Numba's do, and there the mask is a no-op.
    return np.uint64((int(a) * int(b)) & _WORD)


@inlined
def _add(a: np.uint64, b: np.uint64) -> np.uint64:
    return np.uint64((int(a) + int(b)) & _WORD)


@inlined
def splitmix64(counter: np.uint64) -> np.uint64:
    """The output of SplitMix64 for a state, the increment of the state included."""
    z = _add(counter, _GAMMA)
    z = _multiply(z ^ (z >> np.uint64(30)), _MIX_1)
    z = _multiply(z ^ (z >> np.uint64(27)), _MIX_2)
    return z ^ (z >> np.uint64(31))


@inlined
def draw(seed: int, stream: int, model: int, frame: int, index: int) -> np.uint64:
    """A uniform 64-bit word for one purpose: ``h = seed; h = splitmix64(h ^ word)`` for each word.

    Args:
        seed: The world's seed, in [0, 2^63).
        stream: One of the streams of this module.
        model: Index of the model.
        frame: Index of the frame in its model.
        index: Index of the draw in the frame.
    """
    h = splitmix64(np.uint64(seed))
    h = splitmix64(h ^ np.uint64(stream))
    h = splitmix64(h ^ np.uint64(model))
    h = splitmix64(h ^ np.uint64(frame))
    return splitmix64(h ^ np.uint64(index))


@inlined
def happens(word: np.uint64, threshold: int) -> bool:
    """Whether an event whose probability became `threshold` happens under this draw."""
    return bool(np.int64(word >> np.uint64(2)) < threshold)


def probability_threshold(probability: float) -> int:
    """The integer in [0, 2^62] that `happens` compares with: 0 is never, 2^62 always."""
    return int(Fraction(str(probability)) * 2**62)


@inlined
def uniform_integer(word: np.uint64, largest: int) -> np.int64:
    """A uniform integer in [0, largest] from a draw."""
    return np.int64(word % np.uint64(largest + 1))
