"""Statistics: means and paired comparisons with bootstrap intervals."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval.

    Args:
        mean: The estimate.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


def mean_interval(
    values: ArrayLike, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval:
    """The mean of a sample and its percentile bootstrap interval.

    The resampling is seeded, so the same sample always gives the same interval; so do two
    samples of one size, whose resamples are therefore paired.

    Args:
        values: The sample, shape (n,), n ≥ 1, such as one figure per seed.
        confidence: Coverage aimed at.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: The sample is empty or not one-dimensional.
    """
    return _bootstrap(_sample(values), float, confidence, resamples)


def paired_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of ``values - baseline``, pair by pair; see `mean_interval`.

    Args:
        values: Shape (n,), one figure per seed.
        baseline: Shape (n,), the figures of the other policy on the same seeds.
        confidence: Coverage aimed at.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: The samples are empty or differ in length.
    """
    first, second = _pair(values, baseline)
    return _bootstrap(first - second, float, confidence, resamples)


def paired_ratio(
    values: ArrayLike,
    baseline: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """The geometric mean of ``values / baseline``, pair by pair; see `mean_interval`.

    Args:
        values: Shape (n,), one positive figure per seed.
        baseline: Shape (n,), the positive figures of the other policy on the same seeds.
        confidence: Coverage aimed at.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: The samples are empty, differ in length or hold a figure that is not positive.
    """
    first, second = _pair(values, baseline)
    if min(first.min(), second.min()) <= 0:
        raise ValueError("ratios need positive figures")
    return _bootstrap(np.log(first / second), math.exp, confidence, resamples)


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"expected a sample of shape (n,) with n ≥ 1, got {sample.shape}")
    return sample


def _pair(
    values: ArrayLike, baseline: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = _sample(values), _sample(baseline)
    if first.shape != second.shape:
        raise ValueError(f"expected pairs, got {first.size} and {second.size} figures")
    return first, second


def _bootstrap(
    sample: NDArray[np.float64],
    scale: Callable[[float], float],
    confidence: float,
    resamples: int,
) -> Interval:
    tail = (1 - confidence) / 2
    means = _resamples(sample.size, resamples) @ sample / sample.size
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(scale(sample.mean()), scale(low), scale(high))


@functools.lru_cache(maxsize=8)
def _resamples(size: int, count: int) -> NDArray[np.float64]:
    """How often each of a sample's figures is in each resample, shape (count, size)."""
    picks = np.random.default_rng(0).integers(size, size=(count, size))
    rows = np.arange(count)[:, None] * size
    drawn = np.bincount((rows + picks).ravel(), minlength=picks.size)
    return drawn.reshape(picks.shape).astype(np.float64)
