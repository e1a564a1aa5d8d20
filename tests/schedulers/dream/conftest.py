from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dream_gym.schedulers import get_scheduler
from dream_gym.schedulers.dream.online import ALPHA_NOW, BETA_NOW
from dream_gym.simulator import Simulation
from tests.handmade import Given, RunByHand, make_platform, make_scenario
from tests.simulator.conftest import run

__all__ = ["run"]

MS = 1_000_000


@pytest.fixture
def points(run: RunByHand) -> Callable[..., list[tuple[float, float]]]:
    """Alpha and beta of `dream_online` just after some times in ms.

    The reference must have given the same dispatches.
    """

    def points(
        *models: Given,
        at_ms: Sequence[float],
        accelerators: int = 1,
        apps: Sequence[tuple[str, int | None]] = (),
    ) -> list[tuple[float, float]]:
        times_ns = [round(time * MS) + 1 for time in at_ms]
        horizon_ns = times_ns[-1] + 3000 * MS  # so that frames released last are still due
        run(
            *models,
            scheduler="dream_online",
            accelerators=accelerators,
            horizon_ns=horizon_ns,
            apps=apps,
        )
        simulation = Simulation(
            make_scenario(models, apps),
            make_platform(accelerators, models),
            get_scheduler("dream_online").engine,
        )
        simulation.reset(seed=0, seconds=horizon_ns / 1e9)
        found = []
        for time_ns in times_ns:
            simulation.advance(time_ns)
            memory = simulation.state.memory
            found.append((float(memory[ALPHA_NOW]), float(memory[BETA_NOW])))
        return found

    return points
