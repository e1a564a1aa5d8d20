"""Statistics: means and paired comparisons with bootstrap intervals."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
LEAST_UNITS = 4
"""Fewer give no interval: too many of their resamples are all the same."""
LEAST_OF_VARIANCE = 0.02
"""A resample of nearly equal figures counts as varying by this share of the sample's variance: with
four or five figures some resamples have hardly any, and make intervals that are wide beyond use."""
ROUNDING = 1e-12
_MOST_DIFFERENT = 2000
"""A sample with at most so many different resamples has all of them: one of up to 7 figures."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval, if there is one.

    Args:
        mean: The estimate.
        low: Lower end; NaN where nothing is known.
        high: Upper end, likewise.
    """

    mean: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends; the estimate itself where there is no interval."""
        return (self.low, self.high) if self.known else (self.mean, self.mean)

    def within(self, least: float, most: float) -> Interval:
        """The same, with ends no further than a figure of its kind can be."""
        if not self.known:
            return self
        return Interval(self.mean, max(self.low, least), min(self.high, most))


def mean_interval(
    values: ArrayLike, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval:
    """The mean of a sample and its studentised bootstrap interval.

    It is that of bootstrap-t (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    section 12.5): a resample says by how many of its own standard errors its mean is off. Unlike
    the interval of percentiles, it covers what it should with few units, and nearly so with skewed
    ones: a test simulates it. The resampling is seeded, so the same sample always gives the same
    interval, and the resamples of two samples of the same size are paired. A sample of fewer than
    `LEAST_UNITS` figures, or of equal ones, has no interval: its resamples say nothing.

    Args:
        values: The sample, shape (n,), n ≥ 1, such as one figure per seed.
        confidence: Coverage aimed at.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: The sample is empty or not one-dimensional.
    """
    return _bootstrap(_sample(values), float, confidence, resamples)


def amount_interval(values: ArrayLike) -> Interval:
    """The mean of amounts, none of which can be negative, and its 95 % interval.

    Args:
        values: The sample, shape (n,), n ≥ 1, such as one power per seed.

    Raises:
        ValueError: The sample is empty or not one-dimensional.
    """
    return mean_interval(values).within(0.0, math.inf)


def rate_interval(values: ArrayLike) -> Interval:
    """The mean of rates and its 95 % interval, even if all of them are 0 or all are 1.

    It is that of `mean_interval`, or of `unanimous` if all rates are 0 or all are 1.

    Args:
        values: The sample, shape (n,), n ≥ 1, in [0, 1], such as one rate per seed.

    Raises:
        ValueError: The sample is empty or not one-dimensional.
    """
    sample = _sample(values)
    return unanimous(sample) or mean_interval(sample).within(0.0, 1.0)


def unanimous(rates: NDArray[np.float64]) -> Interval | None:
    """The interval of a mean rate if two or more units all gave 0 or all gave 1, else None.

    A bootstrap has nothing to resample then. This is the interval of Clopper and Pearson for the
    share of units that give anything else, of which none was seen: as a rate lies in [0, 1], its
    mean is no further from 0, or from 1, than that share. It assumes that the units, seeds or runs,
    are independent. It assumes nothing about the frames within a unit, which are not independent,
    so it is wide.

    Args:
        rates: One rate per unit, of any shape.
    """
    rate = float(rates.flat[0])
    if rates.size < 2 or rate not in (0.0, 1.0) or not (rates == rate).all():
        return None
    unseen = 1 - ((1 - CONFIDENCE) / 2) ** (1 / rates.size)
    return Interval(0.0, 0.0, unseen) if rate == 0 else Interval(1.0, 1 - unseen, 1.0)


def differ(values: NDArray[np.float64]) -> bool:
    """Whether figures differ along the last axis, by more than they are rounded."""
    return bool((np.ptp(values, axis=-1) > ROUNDING * np.abs(values).max(axis=-1)).any())


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
    return ratio_interval(first / second, confidence=confidence, resamples=resamples)


def ratio_interval(
    ratios: ArrayLike, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval:
    """The geometric mean of positive ratios, whose interval is that of their logarithms.

    Args:
        ratios: The sample, shape (n,), n ≥ 1, such as one multiple of a bound per seed.
        confidence: Coverage aimed at.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: The sample is empty or not one-dimensional.
    """
    sample = _sample(ratios)
    if not differ(sample):  # their logarithms may, if one of these is 0
        return Interval(math.exp(np.log(sample).mean()))
    return _bootstrap(np.log(sample), math.exp, confidence, resamples)


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
    mean = float(sample.mean())
    if sample.size < LEAST_UNITS or not differ(sample):
        return Interval(scale(mean))
    error = float(np.sqrt(sample.var() / sample.size))
    (weights, shares), off = _resamples(sample.size, resamples), sample - mean
    means = weights @ off / sample.size
    variances = weights @ off**2 / sample.size - means**2
    low, high = studentised_ends(means, variances / sample.size, error**2, confidence, shares)
    return Interval(scale(mean), scale(mean - high * error), scale(mean - low * error))


def studentised_ends(
    errors: NDArray[np.float64],
    variances: NDArray[np.float64],
    variance: float,
    confidence: float = CONFIDENCE,
    shares: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Between what numbers of standard errors resampled means are off.

    Args:
        errors: By how much the mean of each resample is off.
        variances: The variance of that mean, as the resample itself tells it, but see
            `LEAST_OF_VARIANCE`. A resample of figures that are all the same tells nothing; it takes
            that of the sample.
        variance: The variance of the mean, as the sample tells it.
        confidence: Share of the resamples that are in between.
        shares: How likely each resample is, by default all alike.
    """
    least = LEAST_OF_VARIANCE * variance
    own = np.where(variances > ROUNDING * variance, np.maximum(variances, least), variance)
    tail = (1 - confidence) / 2
    off = errors / np.sqrt(own)
    if shares is None:
        low, high = np.quantile(off, [tail, 1 - tail])
    else:
        order = off.argsort()
        low, high = off[order][shares[order].cumsum().searchsorted([tail, 1 - tail])]
    return float(low), float(high)


@functools.lru_cache(maxsize=8)
def _resamples(size: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """How often each of a sample's figures is in each resample, shape (resamples, size).

    Of few figures there are few different resamples. Then these are all of them, which is faster
    and exact, and the second array says how likely each is.
    """
    if math.comb(2 * size - 1, size) <= _MOST_DIFFERENT:
        different = itertools.combinations_with_replacement(range(size), size)
        weights = np.array([np.bincount(picks, minlength=size) for picks in different])
        ways = [
            math.factorial(size) / math.prod(map(math.factorial, row)) for row in weights.tolist()
        ]
        return weights.astype(np.float64), np.array(ways) / size**size
    picks = np.random.default_rng(0).integers(size, size=(count, size))
    rows = np.arange(count)[:, None] * size
    drawn = np.bincount((rows + picks).ravel(), minlength=picks.size)
    return drawn.reshape(picks.shape).astype(np.float64), None
