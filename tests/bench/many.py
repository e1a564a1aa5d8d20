"""Many runs at once, and the score that is trained in them."""

from __future__ import annotations

import dream_gym
from dream_gym import Cell, simulate_many
from dream_gym.compiling.threads import cores
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.weights import first_parameters
from tests.bench.environments import Row, busy_neighbour
from tests.bench.measuring import median_rate

WORLDS = 64


def many_rate(threads: int) -> float:
    """Worlds per second of `simulate_many`."""
    cell = Cell(scenario="ar_social", platform="4k_1ws_2os")

    def play() -> float:
        simulate_many(cell, "dream_mapscore", range(WORLDS), seconds=2.0, threads=threads)
        return WORLDS

    return median_rate(play)


def learned_rate(hidden: int) -> float:
    """Dispatches per second, each of which is a decision; those that wait are not counted."""
    scheduler = learned_with(first_parameters(hidden, block_ms=0.0, variants=False, seed=0))

    def play() -> float:
        result = dream_gym.simulate("ar_social", "4k_1ws_2os", scheduler, seconds=10.0)
        return float(result.dispatches)

    return median_rate(play)


def many_rows() -> list[Row]:
    """What, how fast, and the bar."""
    one, most = many_rate(1), cores()
    with busy_neighbour():
        crowded = many_rate(2)
    rows = [
        ("worlds of 2 s per second, simulate_many, one thread", f"{one:,.0f}", ""),
        (
            f"the same, {most} threads, times that",
            f"{many_rate(most) / one:.2f}",
            f"{0.9 * most:.1f}",
        ),
        (
            "the same, on two cores, while another process is busy on one of them",
            f"{crowded / one:.2f}",
            f"{0.4 * 0.9 * 2:.2f}",
        ),
    ]
    for hidden, bar in ((0, "500,000"), (16, "150,000")):
        what = f"dispatches per second, learned, {hidden} hidden units"
        rows.append((what, f"{learned_rate(hidden):,.0f}", bar))
    return rows
