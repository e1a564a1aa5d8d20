"""Figures over many cells, as rliable defines them, with bootstrap intervals.

After "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021) and its
package. *Scores* here are an array (cells, seeds); lower is better. A resample draws as many seeds
as there are, with replacement and separately in each cell; or, where cells are a sample of
workloads in general, as many cells as there are, each with all its seeds. It draws the same for
every policy: all have played the same worlds, so comparisons stay paired. If scores do not differ
between what is drawn, resamples do not differ either, and there is no interval; nor is there one if
fewer than `LEAST_UNITS` are drawn.

Means have studentised intervals, see `mean_interval`; the others those of percentiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dream_gym.analysis.measures.statistics import (
    CONFIDENCE,
    LEAST_UNITS,
    Interval,
    differ,
    studentised_ends,
    unanimous,
)

Scores = NDArray[np.float64]

RESAMPLES = 2000


class Bootstrap:
    """Intervals over cells and seeds; the same resamples every time.

    Args:
        cells: Number of cells.
        seeds: Number of seeds.
        drawn: Whether cells are drawn from a distribution that claims are about; else claims are
            about these cells, and seeds alone are resampled.
        resamples: Number of resamples.
    """

    def __init__(
        self, cells: int, seeds: int, *, drawn: bool = False, resamples: int = RESAMPLES
    ) -> None:
        self.shape = cells, seeds
        self._drawn = drawn
        strata, units = (1, cells) if drawn else (cells, seeds)
        self.enough = units >= LEAST_UNITS
        """Whether as many are drawn as an interval needs."""
        picks = np.random.default_rng(0).integers(units, size=(resamples, strata, units))
        place = np.arange(resamples * strata).reshape(resamples, strata, 1) * units
        counts = np.bincount((place + picks).ravel(), minlength=picks.size)
        once = np.ones((1, strata, units))
        self._counts = np.concatenate([once, counts.reshape(picks.shape)])
        """How often each unit is in the sample, and then in each resample: [., stratum, unit]."""
        self._weights = self._counts
        if drawn:
            self._weights = np.repeat(self._counts.reshape(-1, cells, 1), seeds, axis=2)

    def mean(self, scores: ArrayLike) -> Interval | None:
        """The mean over all runs whose score is defined (not NaN); None if there are none."""
        values = self._checked(scores)
        defined = ~np.isnan(values)
        if not defined.any():
            return None
        if defined.all():
            return self._mean_of_all(values)
        total = self._sum(np.where(defined, values, 0.0))
        count = self._sum(defined.astype(np.float64))
        if defined.sum() == 1:
            return Interval(float(values[defined][0]))
        # If few scores are defined, a resample may draw none of them: leave it out.
        means = total[count > 0] / count[count > 0]
        return self._percentiles(means, values[defined][None])

    def amount(self, scores: ArrayLike) -> Interval | None:
        """The mean of amounts, none of which can be negative; see `mean`."""
        mean = self.mean(scores)
        return None if mean is None else mean.within(0.0, math.inf)

    def rate(self, scores: ArrayLike) -> Interval:
        """The mean of rates, in [0, 1]; see `unanimous` for where all are 0 or all 1."""
        values = self._checked(scores)
        units = values.mean(axis=1) if self._drawn else values  # runs of a workload are alike
        certain = unanimous(units) if self.enough else None
        return certain or self._mean_of_all(values).within(0.0, 1.0)

    def geometric_mean(self, scores: ArrayLike) -> Interval:
        """The geometric mean over all runs; scores are positive."""
        values = self._checked(scores)
        if not values.min() > 0:
            raise ValueError("a geometric mean needs positive scores")
        mean = self._mean_of_all(np.log(values))
        return Interval(*(math.exp(end) for end in (mean.mean, mean.low, mean.high)))

    def geometric_mean_ratio(self, scores: ArrayLike, baseline: ArrayLike) -> Interval:
        """The geometric mean of ``scores / baseline``, run by run."""
        return self.geometric_mean(self._checked(scores) / self._checked(baseline))

    def iqm(self, scores: ArrayLike) -> Interval:
        """The interquartile mean: of the middle half of all runs."""
        values = self._checked(scores).ravel()
        order = np.argsort(values)
        weights = self._weights.reshape(len(self._weights), -1)[:, order]
        above = np.cumsum(weights, axis=1)
        cut = values.size // 4
        inside = np.minimum(above, values.size - cut) - np.maximum(above - weights, cut)
        middle = np.maximum(inside, 0.0) @ values[order]
        return self._percentiles(middle / (values.size - 2 * cut), self._checked(scores))

    def probability_of_improvement(self, scores: ArrayLike, baseline: ArrayLike) -> Interval:
        """How likely a run is better than the baseline's in the same world; ties count half.

        That of rliable compares runs of all seeds; but here two runs of one seed have the world in
        common, and resamples that draw a seed twice would compare worlds with themselves more
        often than the sample does. Policies that are alike have no interval.
        """
        first, second = self._checked(scores), self._checked(baseline)
        return self.rate((first < second) + 0.5 * (first == second))

    def performance_profile(self, scores: ArrayLike, limits: ArrayLike) -> list[Interval]:
        """The share of runs whose score is at most the limit, for each limit."""
        values = self._checked(scores)
        shares = (values <= np.asarray(limits, dtype=np.float64)[:, None, None]).astype(np.float64)
        return [self._percentiles(self._sum(share) / share.size, share) for share in shares]

    def of_cell_means(
        self, scores: ArrayLike, statistic: Callable[[NDArray[np.float64]], float]
    ) -> Interval:
        """Any statistic of the cells' means."""
        if self._drawn:
            raise ValueError("cells that are drawn have no place in an order")
        values = self._checked(scores)
        means = np.einsum("bcs,cs->bc", self._weights, values) / self.shape[1]
        return self._percentiles(np.array([statistic(row) for row in means]), values)

    def _mean_of_all(self, values: Scores) -> Interval:
        """The mean over all runs and its studentised interval."""
        units = values.mean(axis=1)[None] if self._drawn else values
        mean, off = float(values.mean()), units - values.mean()
        if not self.enough or not differ(units):
            return Interval(mean)
        sums = np.einsum("bcu,cu->bc", self._counts, off)
        squares = np.einsum("bcu,cu->bc", self._counts, off**2)
        strata, count = units.shape
        variances = (squares / count - (sums / count) ** 2).sum(axis=1) / count / strata**2
        errors, error = sums[1:].sum(axis=1) / units.size, math.sqrt(variances[0])
        low, high = studentised_ends(errors, variances[1:], float(variances[0]))
        return Interval(mean, mean - high * error, mean - low * error)

    def _percentiles(self, values: Scores, scores: Scores) -> Interval:
        """The estimate, which is the first value, and the interval by percentiles of the rest.

        There is none where the scores, shape (..., n), do not differ within any row, or at all if
        cells are drawn.
        """
        if self._drawn:
            scores = scores.reshape(1, -1)
        if len(values) == 1 or not self.enough or not differ(scores):
            return Interval(float(values[0]))
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(values[1:], [tail, 1 - tail])
        return Interval(float(values[0]), float(low), float(high))

    def _checked(self, scores: ArrayLike) -> Scores:
        values = np.asarray(scores, dtype=np.float64)
        if values.shape != self.shape:
            raise ValueError(f"expected scores of shape {self.shape}, got {values.shape}")
        return values

    def _sum(self, values: Scores) -> Scores:
        """The sum over all runs, first as they are and then in each resample."""
        total: Scores = np.tensordot(self._weights, values, axes=2)
        return total
