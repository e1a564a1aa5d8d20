from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable

import numba
import numpy as np
import pytest

from dream_gym.workload import chance
from tests.reference import chance as reference

# Published outputs of SplitMix64 for the seed 1234567.
SEED = 1234567
OUTPUTS = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]
GAMMA = 0x9E3779B97F4A7C15
WORDS = list(itertools.product((0, 1, 2**63 - 1), (0, 1), (0, 63), (0, 10**12), (0, 5)))

# The functions of the module can be called from compiled code only; what that returns to Python
# is a plain integer.
_draw, _splitmix64 = chance.draw, chance.splitmix64
_happens, _uniform_integer = chance.happens, chance.uniform_integer
draw_in_numba = numba.njit(lambda seed, *words: _draw(seed, *words))
splitmix64_in_numba = numba.njit(lambda counter: _splitmix64(counter))
happens_in_numba = numba.njit(lambda word, threshold: _happens(word, threshold))
uniform_in_numba = numba.njit(lambda word, largest: _uniform_integer(word, largest))


def splitmix64(state: int) -> int:
    return int(splitmix64_in_numba(np.uint64(state)))


def draw(*words: int) -> int:
    return int(draw_in_numba(*words))


def happens(word: int, threshold: int) -> bool:
    return bool(happens_in_numba(np.uint64(word), threshold))


def uniform_integer(word: int, largest: int) -> int:
    return int(uniform_in_numba(np.uint64(word), largest))


@pytest.mark.parametrize(
    "function",
    [splitmix64, reference.splitmix64],
    ids=["compiled", "reference"],
)
def test_published_outputs_of_splitmix64(function: Callable[[int], int]) -> None:
    states = [(SEED + step * GAMMA) % 2**64 for step in range(len(OUTPUTS))]
    assert [function(state) for state in states] == OUTPUTS


def test_a_draw_chains_the_words_of_its_counter() -> None:
    assert [draw(*words) for words in WORDS] == [reference.draw(*words) for words in WORDS]
    assert len({reference.draw(*words) for words in WORDS}) == len(WORDS)


def test_draws_are_the_same_without_compilation() -> None:
    script = (
        "import json, sys\n"
        "from dream_gym.workload.chance import draw, happens, uniform_integer\n"
        "words = [draw(*words) for words in json.load(sys.stdin)]\n"
        "print(json.dumps([\n"
        "    [int(word) for word in words],\n"
        "    [int(uniform_integer(word, 1000)) for word in words],\n"
        "    [happens(word, 2**61) for word in words],\n"
        "]))"
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        input=json.dumps(WORDS),
        capture_output=True,
        text=True,
        check=True,
    )
    words = [draw(*words) for words in WORDS]
    assert json.loads(process.stdout) == [
        words,
        [uniform_integer(word, 1000) for word in words],
        [happens(word, 2**61) for word in words],
    ]


@pytest.mark.parametrize(
    ("probability", "threshold"),
    [(0.0, 0), (1.0, 2**62), (0.5, 2**61), (0.1, 2**62 // 10), (1e-30, 0)],
)
def test_probabilities_are_taken_as_written(probability: float, threshold: int) -> None:
    assert chance.probability_threshold(probability) == threshold


def test_what_happens_is_settled_by_the_upper_bits() -> None:
    least, most = 0, 2**64 - 1
    assert not happens(least, 0)
    assert happens(least, 1)
    assert not happens(most, 2**62 - 1)
    assert happens(most, 2**62)
    assert happens(4 * 7 + 3, 8)
    assert not happens(4 * 8, 8)


def test_uniform_integers_include_both_ends() -> None:
    drawn = {uniform_integer(word, 3) for word in range(2**64 - 8, 2**64)}
    assert drawn == {0, 1, 2, 3}
    assert uniform_integer(2**64 - 1, 0) == 0


def test_frequencies_are_those_asked_for() -> None:
    threshold = chance.probability_threshold(0.3)
    hits = sum(happens(draw(5, chance.TRIGGER, 2, frame, 0), threshold) for frame in range(10_000))
    assert abs(hits - 3000) < 5 * (10_000 * 0.3 * 0.7) ** 0.5
