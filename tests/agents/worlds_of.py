"""Recorded runs for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.recordings import Recording
from agents.rollouts import play
from agents.worlds import Run
from dream_gym import Cell
from dream_gym.players import CompiledPlayer, ManyResults
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.schedulers.learned.recording import CAPACITY, NOISE, RECORDING, TEMPERATURE
from dream_gym.schedulers.learned.sampling import sampler
from dream_gym.simulator import Floats

CELLS = [
    Cell(scenario="ar_social", platform="4k_1ws_2os", load=2.0),
    Cell(scenario="ar_social", platform="8k_2ws", load=6.0, jitter=0.1, expiry="firm"),
    *(Cell.generated(seed) for seed in (3, 8)),
]
SECONDS = 0.1


def runs_of(scheduler: BuiltinScheduler, cells: Sequence[Cell] = CELLS, seed: int = 5) -> list[Run]:
    player = CompiledPlayer(scheduler)
    return [
        Run(cell, cell.simulation(player.engine(cell.workload, cell.hardware)), seed)
        for cell in cells
    ]


def drawn(
    parameters: Floats, hidden: int, temperature: float, noise: int = 1, capacity: int = 4000
) -> tuple[list[Recording], ManyResults]:
    """Runs of a sampler."""
    point = np.zeros(RECORDING + len(parameters))
    point[TEMPERATURE], point[NOISE], point[CAPACITY] = temperature, noise, capacity
    point[RECORDING:] = parameters
    runs = runs_of(sampler(hidden, capacity))
    return play(runs, point[np.newaxis], SECONDS, hidden, capacity)
