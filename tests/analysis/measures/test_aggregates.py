"""Held to values that rliable 1.2.0 gave once for these scores."""

import numpy as np
import pytest

from dream_gym.analysis.measures.aggregates import Bootstrap
from dream_gym.analysis.measures.statistics import Interval, mean_interval

X = np.array(
    [
        [3.687, 0.739, 6.55, 1.151, 2.259, 1.911],
        [0.961, 3.089, 5.917, 3.93, 1.376, 4.629],
        [5.757, 1.981, 2.904, 1.042, 9.231, 3.917],
        [6.963, 2.673, 8.392, 6.543, 2.329, 4.107],
        [0.386, 1.158, 4.338, 2.586, 1.771, 4.182],
    ]
)
Y = np.array(
    [
        [3.687, 9.29, 6.317, 3.739, 4.011, 1.586],
        [0.961, 2.681, 5.171, 7.181, 5.648, 2.282],
        [5.757, 1.297, 1.544, 3.757, 0.7, 13.396],
        [6.963, 1.317, 3.789, 5.923, 2.182, 1.264],
        [0.386, 5.758, 3.376, 3.214, 1.877, 7.911],
    ]
)
BOOTSTRAP = Bootstrap(5, 6, resamples=20_000)


def assert_near(
    found: Interval | None, mean: float, low: float, high: float, within: float = 0.03
) -> None:
    """The estimate is exact; the ends depend on the resamples."""
    assert found is not None
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.low == pytest.approx(low, abs=within)
    assert found.high == pytest.approx(high, abs=within)


def test_interquartile_mean_is_rliables() -> None:
    assert_near(BOOTSTRAP.iqm(X), 3.1433125, 2.3574140625, 4.1393296875)
    assert BOOTSTRAP.iqm(Y).mean == pytest.approx(3.6571875)


def test_mean_is_rliables() -> None:
    # Its interval, by percentiles, is [2.822, 4.322]: with six seeds a cell it is too narrow.
    found = BOOTSTRAP.mean(X)
    assert found is not None
    assert found.mean == pytest.approx(3.5486333333333335, rel=1e-12)
    assert 2.4 < found.low < 2.822
    assert 4.322 < found.high < 4.8


@pytest.mark.parametrize(("cells", "seeds"), [(1, 10), (4, 5), (40, 5)])
def test_coverage_within_these_cells(cells: int, seeds: int) -> None:
    generator, bootstrap, covered = np.random.default_rng(3), Bootstrap(cells, seeds), 0
    worth = generator.normal(size=(cells, 1))
    for _ in range(1000):
        found = bootstrap.mean(worth + generator.normal(size=(cells, seeds)))
        assert found is not None
        covered += found.low <= worth.mean() <= found.high
    assert 0.93 <= covered / 1000 <= 0.97


def test_three_seeds_are_too_few_however_many_cells_there_are() -> None:
    scores = np.random.default_rng(0).lognormal(size=(50, 3))
    bootstrap = Bootstrap(50, 3)
    assert not bootstrap.enough
    found = bootstrap.mean(scores), bootstrap.iqm(scores), bootstrap.geometric_mean(scores)
    assert not any(interval and interval.known for interval in found)
    assert not bootstrap.rate(np.zeros((50, 3))).known
    assert Bootstrap(50, 3, drawn=True).geometric_mean(scores).known


def test_an_amount_is_never_negative() -> None:
    scores = np.array([[0.0, 0.0, 0.1, 9.0]])
    bootstrap = Bootstrap(1, 4)
    mean, amount = bootstrap.mean(scores), bootstrap.amount(scores)
    assert mean is not None
    assert amount is not None
    assert mean.low < 0 == amount.low
    assert (mean.mean, mean.high) == (amount.mean, amount.high)
    assert bootstrap.amount(np.full((1, 4), np.nan)) is None


@pytest.mark.parametrize("cells", [20, 200])
def test_coverage_of_workloads_in_general(cells: int) -> None:
    """Cells that are drawn differ more than seeds do, and claims are about all of them."""
    generator, seeds, samples = np.random.default_rng(4), 3, 500
    drawn, given = Bootstrap(cells, seeds, drawn=True), Bootstrap(cells, seeds)
    covered = {"drawn": 0, "given": 0}
    for _ in range(samples):
        scores = generator.normal(size=(cells, 1)) + 0.3 * generator.normal(size=(cells, seeds))
        for name, bootstrap in (("drawn", drawn), ("given", given)):
            found = bootstrap.mean(scores)
            assert found is not None
            covered[name] += found.low <= 0 <= found.high
    assert 0.92 <= covered["drawn"] / samples <= 0.98
    assert covered["given"] / samples < 0.5


def test_drawn_cells_are_resampled_as_a_whole() -> None:
    bootstrap = Bootstrap(5, 6, drawn=True, resamples=20_000)
    means = X.mean(axis=1)
    plain = mean_interval(means)
    found = bootstrap.mean(X)
    assert found is not None
    assert_near(found, plain.mean, plain.low, plain.high, within=0.1)
    chance = bootstrap.probability_of_improvement(X, Y)
    assert chance.mean == pytest.approx(np.mean((X < Y) + 0.5 * (X == Y)))
    assert chance.low < chance.mean < chance.high
    assert bootstrap.iqm(X).mean == pytest.approx(3.1433125)
    same = np.tile(X[:1], (5, 1))
    assert not bootstrap.geometric_mean(same).known
    unseen = 1 - 0.025 ** (1 / 5)  # of five workloads, however many seeds each has
    assert bootstrap.rate(np.zeros((5, 6))).high == pytest.approx(unseen)
    with pytest.raises(ValueError, match="drawn"):
        bootstrap.of_cell_means(X, lambda means: 0.0)


def test_probability_of_improvement_compares_runs_in_the_same_world() -> None:
    better, same = X.copy(), X.copy()
    better[:, :3] -= 100
    better[:, 3:5] += 100
    same[2:] += 100
    chance = BOOTSTRAP.probability_of_improvement(better, X)
    assert chance.mean == pytest.approx(3.5 / 6)
    assert BOOTSTRAP.probability_of_improvement(X, better).mean == pytest.approx(2.5 / 6)
    assert chance.low < chance.mean < chance.high
    assert BOOTSTRAP.probability_of_improvement(same, X).mean == pytest.approx(0.2)


def test_policies_that_are_alike_have_no_interval() -> None:
    alike = BOOTSTRAP.probability_of_improvement(X, X)
    assert (alike.mean, alike.known) == (0.5, False)
    better = np.vstack([X[:4], X[4:] - 100])  # alike in four cells, always better in one
    mixed = BOOTSTRAP.probability_of_improvement(better, X)
    assert mixed.mean == pytest.approx(0.6)
    assert not mixed.known
    other = X.copy()
    other[0, 0] = 0.1  # one run differs
    assert BOOTSTRAP.probability_of_improvement(other, X).known


def test_performance_profile_is_rliables() -> None:
    profile = BOOTSTRAP.performance_profile(X, [1, 2, 4, 8])
    above = [0.9, 0.6666666666666666, 0.36666666666666664, 0.06666666666666667]
    low, high = [0.8, 0.5, 0.2, 0.0], [1.0, 0.8, 0.5333333333333333, 0.16666666666666666]
    for found, share, least, most in zip(profile, above, low, high, strict=True):
        assert_near(found, 1 - share, 1 - most, 1 - least, 1 / 30 + 1e-9)
    assert not any(share.known for share in BOOTSTRAP.performance_profile(X, [0.1, 100]))


def test_one_cell_is_the_plain_bootstrap() -> None:
    sample = np.random.default_rng(1).lognormal(size=40)
    ours = Bootstrap(1, 40, resamples=20_000).mean(sample[None, :])
    assert ours is not None
    plain = mean_interval(sample)
    assert_near(ours, plain.mean, plain.low, plain.high)


def test_strata_keep_cells_apart() -> None:
    # Cells that differ, and seeds that do not: no resample differs from the sample.
    scores = np.repeat([[1.0], [100.0]], 6, axis=1)
    bootstrap = Bootstrap(2, 6)
    for found in (bootstrap.mean(scores), bootstrap.iqm(scores), bootstrap.geometric_mean(scores)):
        assert found is not None
        assert not found.known


def test_ratios_are_paired() -> None:
    found = BOOTSTRAP.geometric_mean_ratio(0.8 * X, X)
    assert found.mean == pytest.approx(0.8)
    assert not found.known
    forth, back = BOOTSTRAP.geometric_mean_ratio(X, Y), BOOTSTRAP.geometric_mean_ratio(Y, X)
    assert forth.mean * back.mean == pytest.approx(1)
    assert forth.low * back.high == pytest.approx(1, rel=1e-3)


def test_undefined_scores_are_left_out() -> None:
    scores = np.where(X > 4, X, np.nan)
    found = BOOTSTRAP.mean(scores)
    assert found is not None
    assert found.mean == pytest.approx(X[X > 4].mean())
    assert BOOTSTRAP.mean(np.full_like(X, np.nan)) is None


def test_one_defined_score_has_no_interval() -> None:
    scores = np.full_like(X, np.nan)
    scores[2, 3] = 7.0
    found = BOOTSTRAP.mean(scores)
    assert found is not None
    assert found.mean == 7
    assert not found.known


def test_rates_without_a_miss_go_by_the_number_of_runs() -> None:
    unseen = 1 - 0.025 ** (1 / 30)
    none, some = np.zeros((5, 6)), np.full((5, 6), 0.5)
    some[0, 0] = 0.7
    found = BOOTSTRAP.rate(none)
    assert (found.mean, found.low, found.high) == pytest.approx((0.0, 0.0, unseen))
    assert BOOTSTRAP.rate(some) == BOOTSTRAP.mean(some)
    assert BOOTSTRAP.rate(some - 0.5).low == 0.0
    sure = BOOTSTRAP.probability_of_improvement(X, X + 100)
    assert sure.ends == pytest.approx((1 - unseen, 1.0))
    assert not Bootstrap(5, 1).rate(np.zeros((5, 1))).known


def test_any_statistic_of_cell_means() -> None:
    found = BOOTSTRAP.of_cell_means(X, lambda means: float(means.max()))
    assert found.mean == pytest.approx(X.mean(axis=1).max())
    assert found.low < found.mean < found.high


def test_bad_scores() -> None:
    with pytest.raises(ValueError, match=r"shape \(5, 6\)"):
        BOOTSTRAP.mean(X.T)
    with pytest.raises(ValueError, match="positive"):
        BOOTSTRAP.geometric_mean(X - 1)
