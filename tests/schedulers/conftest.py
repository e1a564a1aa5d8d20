"""Tiny workloads with given costs, under any built-in scheduler and its twin in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dream_gym
from tests.handmade import Given, make_platform, make_scenario
from tests.schedulers.twins import twin


@pytest.fixture
def play() -> Callable[..., list[tuple[str, int, int, int]]]:
    """Run models, and return the dispatches as frame, number of layers, accelerator and start.

    `tests.handmade` says what costs what: a switch takes 10 ns, 30 where the frame left behind has
    to be written out.
    """

    def play(
        *models: Given,
        scheduler: str,
        accelerators: int = 1,
        horizon_ns: int = 10_000,
        **options: Any,
    ) -> list[tuple[str, int, int, int]]:
        cell = make_scenario(models), make_platform(accelerators, models)
        run = {"seconds": horizon_ns / 1e9, "record": True, "validate": True}
        result = dream_gym.simulate(*cell, scheduler, **run, **options)
        again = dream_gym.simulate(*cell, twin(scheduler, options), **run)
        assert result.timeline is not None
        assert again.timeline is not None
        assert again.timeline.tolist() == result.timeline.tolist()
        return [
            (f"{models[row['model']].name}{row['frame']}", row["layers"], row["accelerator"], start)
            for row, start in zip(result.timeline, result.timeline["start_ns"], strict=True)
        ]

    return play
