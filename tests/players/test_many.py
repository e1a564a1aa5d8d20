"""Many runs at once are what each is alone, for any number of threads."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

import dream_gym
from dream_gym import Cell, simulate_many
from dream_gym.errors import ConfigError
from dream_gym.players import make_player

pytestmark = pytest.mark.compiled

CELLS = (
    Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.5),
    Cell(scenario="ar_call", platform="4k_2ws", load=3, jitter=0.1, expiry="firm"),
    Cell(scenario="drone_indoor", platform="4k_2os", load=2),
)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_run_is_what_it_is_alone(threads: int) -> None:
    cells = [CELLS[index % 3] for index in range(12)]
    seeds = range(100, 112)
    many = simulate_many(cells, "dream_full", seeds, seconds=0.4, threads=threads, alpha=0.5)
    player = make_player("dream_full", {"alpha": 0.5})
    for world, (cell, seed) in enumerate(zip(cells, seeds, strict=True)):
        alone = player.run(cell, seed, 0.4)
        frames = list(alone.frame_count.values())
        own = slice(len(frames))
        assert many.uxcost[world] == alone.uxcost
        assert many.dispatches[world] == alone.dispatches
        assert many.frames[world, own].tolist() == frames
        assert many.spent_energy_pj[world, own].tolist() == list(alone.energy_spent.values())
        for counts, rates in (
            (many.violations, alone.violation_rate),
            (many.lost, alone.lost_rate),
        ):
            pairs = zip(rates.values(), frames, strict=True)
            expected = [round(rate * count) for rate, count in pairs]
            assert counts[world, own].tolist() == expected
        assert not many.frames[world, len(frames) :].any()
    assert len(set(many.uxcost)) == 12


def test_each_world_may_have_parameters_of_its_own() -> None:
    points = [[alpha, beta, late] for alpha in (0, 2) for beta in (0.5, 1) for late in (0, 2)]
    many = simulate_many(CELLS[0], "dream_full", 7, seconds=1, parameters=points)
    choices = ("floor", "one", "last")
    alone = [
        make_player("dream_full", {"alpha": a, "beta": b, "late_urgency": choices[int(late)]})
        .run(CELLS[0], 7, 1.0)
        .uxcost
        for a, b, late in points
    ]
    assert many.uxcost.tolist() == alone
    assert len(set(alone)) > 1
    one = simulate_many(CELLS[0], "dream_full", [7, 8], seconds=1, parameters=points[5])
    assert one.uxcost[0] == alone[5]


def test_a_plan_is_made_for_the_parameters_of_each_world() -> None:
    points = np.array([[1.1], [1000.0], [1.1]])
    many = simulate_many(CELLS[0], "herald", 3, seconds=1, parameters=points)
    alone = [
        make_player("herald", {"balance": b}).run(CELLS[0], 3, 1.0).uxcost for b in points[:, 0]
    ]
    assert many.uxcost.tolist() == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": [1, 2]}, "seeds: expected one, or one for each of 3; got 2"),
        ({"cells": []}, "cells: expected one, or one for each of 1; got 0"),
        ({"parameters": [[1.0, 1.0]]}, r"parameters: dream_full has 3 of them, .* shape \(1, 2\)"),
        ({"parameters": [[[1.0] * 3]]}, "parameters: dream_full has 3 of them"),
        ({"parameters": "many"}, "parameters: expected numbers"),
        ({"parameters": [1.0, float("nan"), 0.0]}, "parameters: expected finite numbers"),
        ({"threads": 0}, "threads: expected"),
        ({"seconds": 1e-6}, "seconds: no frame of ar_social is due"),
        ({"seeds": [1, -2, 3]}, "seed: expected"),
        ({"scheduler": "dream_ful"}, "did you mean dream_full"),
        ({"alpha": 3}, "alpha"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    given = {"cells": CELLS, "scheduler": "dream_full", "seeds": 1, "seconds": 0.2} | arguments
    with pytest.raises(ConfigError, match=message):
        simulate_many(**given)  # type: ignore[arg-type]


def test_a_scheduler_in_python_is_refused() -> None:
    class Mine(dream_gym.Scheduler):
        def select(self, view: dream_gym.View) -> None:
            return None

    with pytest.raises(ConfigError, match="Mine is not compiled"):
        simulate_many(CELLS[0], Mine(), 1, seconds=0.2)  # type: ignore[arg-type]


def test_an_error_ends_all_threads() -> None:
    seeds = [1, -1, *range(3000)]
    begun = time.perf_counter()
    with pytest.raises(ConfigError, match="seed: expected"):
        simulate_many(CELLS[0], "edf", seeds, seconds=20.0, threads=3)
    assert time.perf_counter() - begun < 10
    assert simulate_many(CELLS, "edf", range(3), seconds=0.2).uxcost.all()


def test_it_is_interrupted_between_runs() -> None:
    """Within seconds, though a minute's work is left, and nobody goes on in the background."""
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    simulate_many(CELLS[0], "edf", 1, seconds=0.2)  # compiled
    timer.start()
    begun = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        simulate_many(CELLS[0], "edf", range(3000), seconds=20.0, threads=2)
    assert time.perf_counter() - begun < 10
    used = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - used < 0.2
