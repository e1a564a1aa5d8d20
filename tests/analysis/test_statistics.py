import numpy as np
import pytest

from dream_gym.analysis.statistics import mean_interval, paired_difference, paired_ratio


def test_constant_sample_has_no_width() -> None:
    interval = mean_interval([3.0, 3.0, 3.0])
    assert (interval.mean, interval.low, interval.high) == (3.0, 3.0, 3.0)


def test_two_values_give_their_extremes() -> None:
    # A quarter of the resamples are (0, 0) and a quarter (1, 1), more than either tail.
    interval = mean_interval([0.0, 1.0])
    assert (interval.mean, interval.low, interval.high) == (0.5, 0.0, 1.0)


def test_width_is_that_of_the_normal_approximation() -> None:
    sample = np.random.default_rng(1).normal(10, 2, size=400)
    interval = mean_interval(sample)
    half = 1.96 * sample.std() / np.sqrt(sample.size)
    assert interval.mean == pytest.approx(sample.mean())
    assert interval.low == pytest.approx(sample.mean() - half, abs=0.03)
    assert interval.high == pytest.approx(sample.mean() + half, abs=0.03)


def test_coverage_is_what_was_asked_for() -> None:
    generator = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        interval = mean_interval(generator.exponential(1.0, size=60), resamples=1000)
        covered += interval.low <= 1.0 <= interval.high
    # The percentile bootstrap of a skewed mean falls a little short of 95 % at n = 60.
    assert 0.90 <= covered / 400 <= 0.97


def test_confidence_widens() -> None:
    sample = np.arange(20.0)
    narrow, wide = mean_interval(sample, confidence=0.5), mean_interval(sample, confidence=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_same_sample_same_interval() -> None:
    sample = np.random.default_rng(3).random(30)
    assert mean_interval(sample) == mean_interval(sample)


def test_paired_difference_ignores_what_pairs_share() -> None:
    worlds = np.random.default_rng(4).normal(0, 100, size=30)
    interval = paired_difference(worlds + 2.0, worlds)
    assert interval.mean == pytest.approx(2.0)
    assert interval.high - interval.low == pytest.approx(0.0, abs=1e-9)


def test_paired_ratio_is_a_geometric_mean() -> None:
    assert paired_ratio([2.0, 8.0], [1.0, 1.0]).mean == pytest.approx(4.0)
    base = np.random.default_rng(5).lognormal(size=20)
    interval = paired_ratio(0.8 * base, base)
    assert interval.low == pytest.approx(0.8)
    assert interval.high == pytest.approx(0.8)
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
