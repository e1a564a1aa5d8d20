"""Figures over many cells, as rliable defines them, with stratified bootstrap intervals.

After "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021) and its
package. *Scores* here are an array (cells, seeds); lower is better. A resample draws as many seeds
as there are, with replacement and separately in each cell. It draws the same seeds for every
policy: all have played the same worlds, so comparisons stay paired. If seeds do not differ in any
cell, resamples do not differ either, and there is no interval.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dream_gym.analysis.measures.statistics import CONFIDENCE, Interval, differ, unanimous

Scores = NDArray[np.float64]

RESAMPLES = 2000


class Bootstrap:
    """Intervals over cells and seeds; the same resamples every time.

    Args:
        cells: Number of cells.
        seeds: Number of seeds.
        resamples: Number of resamples.
    """

    def __init__(self, cells: int, seeds: int, *, resamples: int = RESAMPLES) -> None:
        self.shape = cells, seeds
        picks = np.random.default_rng(0).integers(seeds, size=(resamples, cells, seeds))
        place = np.arange(resamples * cells).reshape(resamples, cells, 1) * seeds
        counts = np.bincount((place + picks).ravel(), minlength=picks.size)
        once = np.ones((1, cells, seeds))
        self._weights = np.concatenate([once, counts.reshape(picks.shape)])

    def mean(self, scores: ArrayLike) -> Interval | None:
        """The mean over all runs whose score is defined (not NaN); None if there are none."""
        values = self._checked(scores)
        defined = ~np.isnan(values)
        if not defined.any():
            return None
        total = self._sum(np.where(defined, values, 0.0))
        count = self._sum(defined.astype(np.float64))
        if defined.sum() == 1:
            return Interval(float(values[defined][0]))
        # If few scores are defined, a resample may draw none of them: leave it out.
        means = total[count > 0] / count[count > 0]
        return _interval(means, values if defined.all() else values[defined][None])

    def rate(self, scores: ArrayLike) -> Interval | None:
        """The mean of rates, in [0, 1]; see `mean`, and `unanimous` where all are 0 or all 1."""
        values = self._checked(scores)
        defined = values[~np.isnan(values)]
        certain = unanimous(defined) if defined.size and self.shape[1] > 1 else None
        return certain or self.mean(values)

    def geometric_mean(self, scores: ArrayLike) -> Interval:
        """The geometric mean over all runs; scores are positive."""
        values = self._checked(scores)
        if not values.min() > 0:
            raise ValueError("a geometric mean needs positive scores")
        return _interval(np.exp(self._sum(np.log(values)) / values.size), values)

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
        return _interval(middle / (values.size - 2 * cut), self._checked(scores))

    def probability_of_improvement(self, scores: ArrayLike, baseline: ArrayLike) -> Interval:
        """How likely a run is better than one of the baseline on the same cell; ties count half.

        The mean over cells of the share of pairs of runs, whatever their seeds. Policies that are
        alike with every seed have no interval, since no resample tells them apart.
        """
        first, second = self._checked(scores), self._checked(baseline)
        first, second = first[:, :, None], second[:, None, :]
        better = (first < second) + 0.5 * (first == second)
        cells, seeds = self.shape
        certain = unanimous(np.diagonal(better, axis1=1, axis2=2)) if seeds > 1 else None
        if certain and (better == certain.mean).all():
            return certain
        left = np.einsum("bci,cij->bcj", self._weights, better, optimize=True)
        shares = np.einsum("bcj,bcj->b", left, self._weights, optimize=True) / (cells * seeds**2)
        return _interval(shares, shares)

    def performance_profile(self, scores: ArrayLike, limits: ArrayLike) -> list[Interval]:
        """The share of runs whose score is at most the limit, for each limit."""
        values = self._checked(scores)
        shares = (values <= np.asarray(limits, dtype=np.float64)[:, None, None]).astype(np.float64)
        return [_interval(self._sum(share) / share.size, share) for share in shares]

    def of_cell_means(
        self, scores: ArrayLike, statistic: Callable[[NDArray[np.float64]], float]
    ) -> Interval:
        """Any statistic of the cells' means."""
        values = self._checked(scores)
        means = np.einsum("bcs,cs->bc", self._weights, values) / self.shape[1]
        return _interval(np.array([statistic(row) for row in means]), values)

    def _checked(self, scores: ArrayLike) -> Scores:
        values = np.asarray(scores, dtype=np.float64)
        if values.shape != self.shape:
            raise ValueError(f"expected scores of shape {self.shape}, got {values.shape}")
        return values

    def _sum(self, values: Scores) -> Scores:
        """The sum over all runs, first as they are and then in each resample."""
        total: Scores = np.tensordot(self._weights, values, axes=2)
        return total


def _interval(values: Scores, scores: Scores) -> Interval:
    """The estimate, which is the first value, and the interval by the percentiles of the rest.

    There is none where the scores, shape (..., n), do not differ within any row.
    """
    if len(values) == 1 or not differ(scores):
        return Interval(float(values[0]))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail])
    return Interval(float(values[0]), float(low), float(high))
