"""Runs that are recorded, and how much better each choice went than in other runs of its world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agents.recordings import Recording, read_recording
from agents.worlds import Objective, Run
from dream_gym.compiling.threads import cores
from dream_gym.players import ManyResults
from dream_gym.players.many import run_many
from dream_gym.schedulers.learned.recording import (
    CAPACITY,
    FROM_NS,
    GRID,
    NOISE,
    RECORDING,
    TEMPERATURE,
)
from dream_gym.simulator import Floats, Simulation
from dream_gym.units import NS_PER_S

_COUNTING: Mapping[Objective, tuple[float, float]] = {
    "uxcost": (1.0, 1.0),
    "violations": (1.0, 0.0),
    "energy": (0.0, 1.0),
}
"""Which of UXCost's factors count."""


def play(
    runs: Sequence[Run], points: Floats, seconds: float, hidden: int, capacity: int
) -> tuple[list[Recording], ManyResults]:
    """Play worlds with a scheduler that records, and read what it has.

    Args:
        runs: The worlds, whose simulations are of that scheduler.
        points: Parameters of each, or one row for all.
        seconds: Simulated time of a run.
        hidden: Hidden units of a sampler; 0 for others.
        capacity: How many choices of a run are kept.
    """
    recordings: list[Recording | None] = [None] * len(runs)

    def keep(world: int, simulation: Simulation) -> None:
        recordings[world] = read_recording(simulation, hidden, capacity)

    simulations, seeds = [run.simulation for run in runs], [run.seed for run in runs]
    played = run_many(simulations, seeds, points, seconds, cores(), keep)
    return [recording for recording in recordings if recording is not None], played


def points_of(parameters: Floats, runs: int, capacity: int, random: np.random.Generator) -> Floats:
    """Parameters of a `sampler` for some runs, each with a seed of its own, (runs, parameters)."""
    points = np.empty((runs, RECORDING + len(parameters)))
    points[:, TEMPERATURE], points[:, CAPACITY] = 1.0, capacity
    points[:, FROM_NS] = 0.0
    points[:, NOISE] = random.integers(2**52, size=runs)
    points[:, RECORDING:] = parameters
    return points


def costs_to_go(
    recordings: Sequence[Recording], objective: Objective, seconds: float, horizon_s: float
) -> Floats:
    """What follows each time of the grid in several runs of one world, discounted by time.

    The cost of an interval is what it adds to UXCost's factors, each over its mean at the end of
    all these runs: to first order what it adds to log UXCost. It counts exp(-t / horizon) where it
    comes t later.

    Args:
        recordings: The runs.
        objective: Which of the factors count.
        seconds: Their simulated time.
        horizon_s: Time by which costs fade.

    Returns:
        float64 (runs, GRID + 1).
    """
    factors = np.array([recording.factors for recording in recordings])
    added = np.diff(factors, axis=1) / factors[:, -1].mean(axis=0) @ _COUNTING[objective]
    fading = np.exp(-seconds / GRID / horizon_s)
    costs = np.zeros((len(recordings), GRID + 1))
    for at in range(GRID - 1, -1, -1):
        costs[:, at] = added[:, at] + fading * costs[:, at + 1]
    return costs


def advantages(
    recordings: Sequence[Recording], objective: Objective, seconds: float, horizon_s: float
) -> list[Floats]:
    """How much less followed each choice than on average after that time in runs of its world.

    Worlds are exogenous: what differs between the runs comes from their choices alone (baselines
    that depend on the input, Mao et al., "Variance reduction for reinforcement learning in
    input-driven environments", ICLR 2019).

    Args:
        recordings: Several runs of one world.
        objective: See `costs_to_go`.
        seconds: Their simulated time.
        horizon_s: See `costs_to_go`.

    Returns:
        For each run float64 (choices,).
    """
    costs = costs_to_go(recordings, objective, seconds, horizon_s)
    better = costs.mean(axis=0) - costs
    found = []
    for row, recording in zip(better, recordings, strict=True):
        times = recording.choices.times_ns / (seconds * NS_PER_S) * GRID
        found.append(row[np.minimum(times.astype(np.int64) + 1, GRID)])
    return found
