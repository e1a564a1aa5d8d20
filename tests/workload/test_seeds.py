import pytest

from dream_gym.errors import ConfigError
from dream_gym.workload.seeds import (
    EVALUATION,
    SELECTION,
    TRAINING,
    evaluation_seeds,
    selection_seeds,
    training_seeds,
)


def test_ranges_are_disjoint_and_adjacent() -> None:
    assert range(0, 10**9) == TRAINING
    assert range(10**9, 2 * 10**9) == SELECTION
    assert range(2 * 10**9, 3 * 10**9) == EVALUATION


def test_helpers_give_the_first_seeds() -> None:
    assert list(training_seeds(2)) == [0, 1]
    assert list(selection_seeds(2)) == [10**9, 10**9 + 1]
    assert list(evaluation_seeds(2)) == [2 * 10**9, 2 * 10**9 + 1]


@pytest.mark.parametrize("count", [0, -1, 10**9 + 1])
def test_impossible_count_is_an_error(count: int) -> None:
    with pytest.raises(ConfigError, match="count in"):
        evaluation_seeds(count)
