"""What schedulers record is what they saw and did."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from numpy.typing import NDArray

from agents.mirror import Batch, Mirror
from agents.recordings import Choices, decided, joined
from agents.rollouts import play
from dream_gym import simulate_many
from dream_gym.players import CompiledPlayer
from dream_gym.schedulers import get_scheduler
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.network import DISPATCHES, DROPS, WAITS
from dream_gym.schedulers.learned.sampling import recorded
from dream_gym.schedulers.learned.weights import first_parameters
from dream_gym.simulator import Floats
from tests.agents.worlds_of import CELLS, SECONDS, drawn, runs_of
from tests.schedulers.learned.random_weights import random_parameters

pytestmark = pytest.mark.compiled

NEAR = 1e-3
MOST = 12_000


def scores_of(parameters: Floats, choices: Choices) -> NDArray[np.float32]:
    batch = Batch.of(choices)
    with torch.no_grad():
        scores: NDArray[np.float32] = Mirror(parameters)(batch.inputs, batch.kinds).numpy()
    return scores


@pytest.mark.parametrize("hidden", [0, 5])
def test_without_randomness_it_decides_like_learned_and_so_does_the_mirror(hidden: int) -> None:
    decisions, same, kinds = 0, 0, np.zeros(3, dtype=int)
    for seed in range(4):
        parameters = random_parameters(seed, hidden, block_ms=0.0, variants=False)
        recordings, played = drawn(parameters, hidden, temperature=0.0)
        plain = simulate_many(CELLS, learned_with(parameters), 5, seconds=SECONDS)
        assert np.array_equal(played.uxcost, plain.uxcost)
        assert np.array_equal(played.dispatches, plain.dispatches)
        choices = joined([recording.choices for recording in recordings])
        kinds += np.bincount(choices.kinds[choices.taken_options], minlength=3)
        batch, scores = Batch.of(choices), scores_of(parameters, choices)
        best = np.maximum.reduceat(scores, np.cumsum(choices.sizes) - choices.sizes)
        near = best - scores[choices.taken_options] < NEAR
        assert near.all()
        decisions += len(near)
        same += int((best == scores[batch.taken]).sum())
    assert decisions > 10_000
    assert same > 0.99 * decisions
    assert min(kinds[[DISPATCHES, DROPS, WAITS]]) > 50


def test_choices_are_drawn_by_their_chances() -> None:
    parameters = random_parameters(1, 0, block_ms=0.0, variants=False)
    recordings, _ = drawn(parameters, 0, temperature=1.0)
    choices = joined([recording.choices for recording in recordings])
    batch = Batch.of(choices)
    chances = batch.log_chances(torch.from_numpy(scores_of(parameters, choices))).exp().numpy()
    assert np.allclose(np.bincount(choices.choice, chances), 1.0, atol=1e-4)
    taken = np.zeros(len(chances))
    taken[choices.taken_options] = 1.0
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)):
        inside = (chances >= low) & (chances < high)
        spread = np.sqrt((chances * (1 - chances))[inside].sum())
        assert abs((taken - chances)[inside].sum()) < 4 * spread
    other, _ = drawn(parameters, 0, temperature=1.0, noise=2)
    assert not np.array_equal(other[0].choices.times_ns[:50], recordings[0].choices.times_ns[:50])


@pytest.mark.parametrize("name", ["edf", "dream_full", "herald"])
def test_a_teacher_decides_as_without_a_recording(name: str) -> None:
    teacher = get_scheduler(name)
    scheduler = recorded(teacher, MOST)
    runs = runs_of(scheduler)
    points = CompiledPlayer(scheduler).parameters[np.newaxis]
    recordings, played = play(runs, points, SECONDS, 0, MOST)
    plain = simulate_many(CELLS, teacher, 5, seconds=SECONDS)
    assert np.array_equal(played.uxcost, plain.uxcost)
    assert np.array_equal(played.dispatches, plain.dispatches)
    for recording, dispatches in zip(recordings, plain.dispatches, strict=True):
        taken = recording.choices.kinds[recording.choices.taken_options]
        assert recording.seen <= MOST, "all are kept"
        assert (taken == DISPATCHES).sum() + recording.unknown >= dispatches


def test_a_uniform_sample_is_kept() -> None:
    parameters = first_parameters(0, 0.0, False, 0)
    every, _ = drawn(parameters, 0, temperature=1.0, capacity=20_000)
    some, _ = drawn(parameters, 0, temperature=1.0, capacity=200)
    for whole, part in zip(every, some, strict=True):
        assert whole.seen == part.seen == len(whole.choices.sizes)
        assert len(part.choices.sizes) == min(200, part.seen)
        assert set(part.choices.times_ns) <= set(whole.choices.times_ns)
        mean = whole.choices.times_ns.mean()
        spread = whole.choices.times_ns.std() / np.sqrt(len(part.choices.sizes))
        assert abs(part.choices.times_ns.mean() - mean) < 4 * spread


def test_factors_are_those_of_uxcost() -> None:
    recordings, played = drawn(first_parameters(0, 0.0, False, 0), 0, temperature=1.0)
    for recording, uxcost in zip(recordings, played.uxcost, strict=True):
        assert recording.factors[-1].prod() == pytest.approx(uxcost)
        assert (np.diff(recording.factors, axis=0) >= 0).all()
        assert recording.factors[0, 1] == 0.0


def two_choices() -> Choices:
    """The first: waiting, and a frame on an idle and a busy accelerator; the second: two frames."""
    inputs = np.zeros((6, 46), dtype=np.float32)
    inputs[2, 5] = 1.0  # busy
    kinds = np.array([WAITS, DISPATCHES, DISPATCHES, DROPS, DISPATCHES, DISPATCHES])
    return Choices(
        times_ns=np.array([10, 20]),
        sizes=np.array([3, 3]),
        taken=np.array([1, 0]),
        inputs=inputs,
        kinds=kinds,
        frames=np.array([-1, 0, 0, 0, 0, 1]),
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0, 1, -1, 5, 2, 3], [1, 0]),
        ([0, 1, 2, 1, 2, 3], [0, 2]),  # the frame waits for the busy one
        ([3, 1, 2, 4, 5, 3], [0, 1]),
    ],
)
def test_who_waits_for_a_busy_accelerator_is_passed_over(
    scores: list[float], expected: list[int]
) -> None:
    assert decided(two_choices(), np.array(scores, dtype=np.float32)).tolist() == expected


def test_some_of_the_choices() -> None:
    choices = two_choices()
    again = choices.some(np.array([1, 0, 1]))
    assert again.sizes.tolist() == [3, 3, 3]
    assert again.kinds.tolist() == [*choices.kinds[3:], *choices.kinds[:3], *choices.kinds[3:]]
    assert again.taken_options.tolist() == [0, 4, 6]
    assert again.choice.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    whole = joined([choices, choices])
    assert whole.taken_options.tolist() == [1, 3, 7, 9]
