from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.worlds import SELECTION_RUNS, SELECTION_WORKLOADS, Worlds
from dream_gym import Cell, simulate
from dream_gym.errors import ConfigError
from dream_gym.generator import STRATA
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.weights import first_parameters
from dream_gym.workload import SELECTION, TRAINING

pytestmark = pytest.mark.compiled

CELLS = [
    {"scenario": "ar_social", "platform": "4k_1ws_2os", "load": 2.0},
    {"scenario": "ar_call", "platform": "8k_2ws", "load": 4.0, "expiry": "firm"},
]
POINTS = [first_parameters(hidden=2, block_ms=0.25, variants=False, seed=seed) for seed in (1, 2)]
POINTS[1][5:60] += 0.3
SCHEDULER = learned_with(POINTS[0])


def names(runs: Any) -> list[str]:
    return [run.cell.scenario for run in runs]


def test_training_and_selection_share_no_workload_and_no_seed() -> None:
    worlds = Worlds({"generated": 5}, SCHEDULER)
    drawn = [run for index in range(4) for run in worlds.draw(np.random.default_rng(index), 7)]
    assert all(run.seed in TRAINING for run in drawn)
    assert set(names(drawn)) == {f"generated:{seed}" for seed in range(5)}
    assert len(worlds.selection) == SELECTION_WORKLOADS
    assert all(run.seed in SELECTION for run in worlds.selection)
    seeds = [int(name.removeprefix("generated:")) for name in names(worlds.selection)]
    assert len(set(seeds)) == SELECTION_WORKLOADS
    assert all(seed in SELECTION for seed in seeds)


def test_loads_of_random_workloads_may_go_round() -> None:
    factors = (1.0, 0.5, 0.25)
    worlds = Worlds({"generated": 90, "load_factors": factors}, SCHEDULER)
    found: dict[int, set[float]] = {}
    for run in worlds.draw(np.random.default_rng(1), 90):
        seed = int(run.cell.scenario.removeprefix("generated:"))
        factor = run.cell.load / Cell.generated(seed).load
        assert any(factor == pytest.approx(each) for each in factors)
        found.setdefault(seed % STRATA, set()).add(round(factor, 3))
    assert found == {index: set(factors) for index in range(STRATA)}, "each in every stratum"


def test_given_cells_are_drawn_in_turn_and_selected_on_other_seeds() -> None:
    worlds = Worlds({"cells": CELLS}, SCHEDULER)
    drawn = worlds.draw(np.random.default_rng(3), 6)
    assert sorted(names(drawn)) == ["ar_call"] * 3 + ["ar_social"] * 3
    assert drawn != worlds.draw(np.random.default_rng(4), 6)
    assert drawn == worlds.draw(np.random.default_rng(3), 6)
    assert len(worlds.selection) == SELECTION_RUNS
    assert all(run.seed in SELECTION for run in worlds.selection)


@pytest.mark.parametrize("objective", ["uxcost", "violations", "energy"])
def test_costs_are_mean_logarithms_of_single_runs(objective: str) -> None:
    worlds = Worlds({"cells": CELLS, "episode_seconds": 0.1, "objective": objective}, SCHEDULER)
    runs = worlds.draw(np.random.default_rng(1), 3)
    costs = worlds.train(POINTS, runs)
    for point, cost in zip(POINTS, costs, strict=True):
        logs = [np.log(cost_alone(run, point, objective)) for run in runs]
        assert cost == pytest.approx(np.mean(logs), rel=1e-9)
    assert costs[0] != costs[1]


def cost_alone(run: Any, point: Any, objective: str) -> float:
    cell = run.cell
    result = simulate(
        cell.workload,
        cell.hardware,
        learned_with(point),
        seconds=0.1,
        seed=run.seed,
        load=cell.load,
        expiry=cell.expiry,
    )
    counts = result.frame_count
    if objective == "uxcost":
        return result.uxcost
    if objective == "energy":
        return sum(result.energy_spent.values()) + 1.0
    violations = sum(result.violation_rate[name] * count for name, count in counts.items())
    return max(violations, 0.5) / sum(counts.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"reward": "dense"}, "reward"),
        ({"objective": "speed"}, "objective"),
        ({"episode_seconds": 0}, "episode_seconds"),
        ({"episode_seconds": 1e-6}, "episode_seconds"),
        ({"scenario": "nowhere"}, "nowhere"),
        ({"cells": [{"scenario": "ar_call"}]}, "platform"),
        ({"generated": -1}, "generated"),
        ({"load_factors": [0.5]}, "give generated, too"),
    ],
)
def test_a_malformed_argument_is_one_error(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Worlds(arguments, SCHEDULER)
