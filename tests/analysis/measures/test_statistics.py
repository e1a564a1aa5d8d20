import itertools
import math

import numpy as np
import pytest

from dream_gym.analysis.measures.statistics import (
    Interval,
    mean_interval,
    paired_difference,
    paired_ratio,
    rate_interval,
)


@pytest.mark.parametrize("count", [1, 3])
def test_figures_that_do_not_differ_have_no_interval(count: int) -> None:
    for interval, mean in (
        (mean_interval([0.1] * count), 0.1),
        (rate_interval([0.1] * count), 0.1),
        (paired_difference([3.0] * count, [1.0] * count), 2.0),
        (paired_ratio([0.3] * count, [0.1] * count), 3.0),
    ):
        assert interval.mean == pytest.approx(mean)
        assert not interval.known
        assert interval.ends == (interval.mean, interval.mean)


def test_rates_that_are_all_0_or_all_1_have_clopper_and_pearsons_interval() -> None:
    # Of three seeds none shows a miss. With a share p of such seeds that happens with probability
    # (1 - p)^3, which is 0.025 at p = 0.70760.
    none = rate_interval([0.0] * 3)
    assert (none.mean, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.70760, abs=1e-5)
    every = rate_interval([1.0] * 3)
    assert (every.mean, every.low, every.high) == pytest.approx((1.0, 1 - none.high, 1.0))
    # From tables: 0 of 20 and 0 of 100.
    assert rate_interval([0.0] * 20).high == pytest.approx(0.1684, abs=1e-4)
    assert rate_interval([0.0] * 100).high == pytest.approx(0.0362, abs=1e-4)
    assert not rate_interval([0.0]).known
    # Where a bootstrap has something to resample, it does.
    rates = [0.4, 0.5, 0.6, 0.7]
    assert rate_interval(rates) == mean_interval(rates)
    assert rate_interval([0.0, 0.0, 0.1, 0.2]).low == 0.0  # and never less
    assert mean_interval([0.0, 0.0, 0.1, 0.2]).low < 0.0


def test_that_interval_covers_whatever_frames_of_a_seed_have_in_common() -> None:
    # The worst case: in a share of worlds all frames are missed, in the others none is.
    generator, count, share = np.random.default_rng(6), 8, 0.2
    covered = 0
    for _ in range(2000):
        interval = rate_interval((generator.random(count) < share).astype(float))
        covered += interval.low <= share <= interval.high
    # A bootstrap alone would miss every sample without such a world, 0.8^8 = 17 % of all.
    assert covered / 2000 > 0.93


def test_an_interval_is_known_or_not() -> None:
    assert Interval(1.0, 0.5, 2.0).ends == (0.5, 2.0)
    assert Interval(1.0).ends == (1.0, 1.0)


def test_three_figures_are_too_few() -> None:
    assert not mean_interval([0.0, 1.0, 5.0]).known
    assert mean_interval([0.0, 1.0, 5.0, 2.0]).known


def test_a_worked_example_of_bootstrap_t() -> None:
    # Of four figures 0, 0, 0, 1 the mean is 1/4 and its standard error sqrt(3/16/4) = 0.21651.
    # Resamples with k ones are off by (k - 1)/4, with standard error sqrt(k (4 - k) / 64), or that
    # of the sample if k is 0 or 4: by -1.1547 (31.6 %), 0 (42.2 %), 1 (21.1 %), 2.3094 (4.7 %) and
    # 3.4641 (0.4 %) standard errors. The tails of 2.5 % begin at -1.1547 and 2.3094.
    interval = mean_interval([0.0, 0.0, 0.0, 1.0])
    assert interval.low == pytest.approx(0.25 - 2.3094 * 0.21651, rel=1e-3)
    assert interval.high == pytest.approx(0.25 + 1.1547 * 0.21651, rel=1e-3)


def test_figures_that_nearly_agree_leave_intervals_of_use() -> None:
    # Resamples of the first three alone hardly vary: by them the mean would be off by thousands of
    # standard errors.
    interval = mean_interval([1.0, 1.0001, 1.0002, 2.0])
    assert interval.low > -2
    assert interval.high < 5


def test_width_is_that_of_the_normal_approximation() -> None:
    sample = np.random.default_rng(1).normal(10, 2, size=400)
    interval = mean_interval(sample)
    half = 1.96 * sample.std() / np.sqrt(sample.size)
    assert interval.mean == pytest.approx(sample.mean())
    assert interval.low == pytest.approx(sample.mean() - half, abs=0.03)
    assert interval.high == pytest.approx(sample.mean() + half, abs=0.03)


@pytest.mark.parametrize(
    ("units", "normal", "skewed"),
    [(10, (0.93, 0.97), 0.90), (20, (0.93, 0.97), 0.915), (200, (0.93, 0.97), 0.925)],
)
def test_coverage(units: int, normal: tuple[float, float], skewed: float) -> None:
    """Intervals hold: their percentiles alone cover 92, 93 and 95 %, and 80, 85 and 92 %."""
    generator, samples = np.random.default_rng(2), 2000
    covered = {"normal": 0, "lognormal": 0}
    for _ in range(samples):
        found = mean_interval(generator.normal(size=units), resamples=1000)
        covered["normal"] += found.low <= 0 <= found.high
        found = mean_interval(generator.lognormal(size=units), resamples=1000)
        covered["lognormal"] += found.low <= np.exp(0.5) <= found.high
    assert normal[0] <= covered["normal"] / samples <= normal[1]
    assert covered["lognormal"] / samples >= skewed


def test_confidence_widens() -> None:
    sample = np.arange(20.0)
    narrow, wide = mean_interval(sample, confidence=0.5), mean_interval(sample, confidence=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_same_sample_same_interval() -> None:
    sample = np.random.default_rng(3).random(30)
    assert mean_interval(sample) == mean_interval(sample)


def test_paired_difference_ignores_what_pairs_share() -> None:
    worlds = np.random.default_rng(4).normal(0, 100, size=30)
    interval = paired_difference(worlds + np.linspace(1.9, 2.1, 30), worlds)
    assert interval.mean == pytest.approx(2.0)
    assert 0 < interval.high - interval.low < 0.06


def test_paired_ratio_is_a_geometric_mean() -> None:
    assert paired_ratio([2.0, 8.0], [1.0, 1.0]).mean == pytest.approx(4.0)
    base = np.random.default_rng(5).lognormal(size=20)
    interval = paired_ratio(0.8 * base, base)  # equal but for rounding
    assert interval.mean == pytest.approx(0.8)
    assert not interval.known
    forth, back = paired_ratio([1.0, 3.0, 2.0], [2.0, 2.0, 2.0]), paired_ratio([2.0] * 3, [1, 3, 2])
    assert forth.mean * back.mean == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "baseline", "message"),
    [
        ([], [], "n ≥ 1"),
        ([1.0], [1.0, 2.0], "pairs"),
        ([[1.0]], [[1.0]], "shape"),
        ([1.0], [0.0], "positive"),
    ],
)
def test_bad_samples(values: list[float], baseline: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_ratio(values, baseline)


def test_few_figures_have_all_their_resamples() -> None:
    """As many as there are ways to draw them, each as likely as that; none is drawn by chance."""
    sample = np.array([1.0, 2.0, 4.0, 9.0])
    mean, error = sample.mean(), math.sqrt(sample.var() / 4)
    off = []
    for picks in itertools.product(sample, repeat=4):
        variance = float(np.var(picks)) / 4 or error**2
        off.append((np.mean(picks) - mean) / math.sqrt(max(variance, 0.02 * error**2)))
    off.sort()
    low, high = off[math.ceil(0.025 * 256) - 1], off[math.ceil(0.975 * 256) - 1]
    expected = mean - high * error, mean - low * error
    assert mean_interval(sample).ends == pytest.approx(expected)
    assert mean_interval(sample, resamples=1) == mean_interval(sample)
