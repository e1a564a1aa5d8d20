from __future__ import annotations

import pytest

from dream_gym.hardware import load_platform
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Simulation
from dream_gym.workload import load_scenario


def test_busy_share_counts_no_time_that_is_yet_to_come() -> None:
    simulation = Simulation(
        load_scenario("ar_social"), load_platform("4k_1ws_2os"), get_scheduler("fcfs").run, load=2
    )
    simulation.reset(seed=0, seconds=0.2, record=True)
    for tick_ns in (100_000, 20_000_000, simulation.horizon_ns):
        simulation.advance(tick_ns)
        result = simulation.result()
        assert result.timeline is not None
        for index, share in enumerate(result.busy_share.values()):
            rows = result.timeline[result.timeline["accelerator"] == index]
            busy_ns = sum(min(row["end_ns"], tick_ns) - row["start_ns"] for row in rows)
            assert share == pytest.approx(busy_ns / tick_ns, rel=1e-12)
