"""Tables over random workloads, groups of cells, and platforms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from dream_gym import generate
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.suite_tables import cost_table, energy_table
from dream_gym.analysis.report.where_tables import group_table, platform_table
from tests.analysis.report.made_up import made_up


def drawn(costs: dict[str, Any], **columns: Any) -> Outcome:
    """An outcome on the first random workloads."""
    count = len(next(iter(costs.values())))
    places = [(f"generated:{seed}", f"generated:{seed}") for seed in range(count)]
    loads = tuple(generate(seed).load for seed in range(count))
    return made_up(costs, loads, places=places, **columns)


def test_intervals_are_over_workloads_where_these_are_drawn() -> None:
    # Seeds do not differ, workloads do.
    costs = np.geomspace(1, 4, 12)[:, None] * np.ones(3)
    outcome = drawn({"edf": costs, "dream_full": 2 * costs})
    assert outcome.drawn
    assert cost_table(outcome).rows[0][1].startswith("2 [1.")
    assert cost_table(outcome).rows[1][2] == "2"  # on every workload
    cells = outcome.about["suite"]["cells"]
    changes = (
        {"load": 1.0},
        {"platform": "4k_2ws"},
        {"jitter": 0.1},
        {"scenario": "generated:1", "platform": "generated:1", "load": generate(1).load},
    )
    for change in changes:  # not as drawn, or drawn twice
        others = [{**cells[0], **change}, *cells[1:]]
        suite = {**outcome.about["suite"], "cells": others}
        assert not replace(outcome, about={**outcome.about, "suite": suite}).drawn
    same = made_up({"edf": costs, "dream_full": 2 * costs})
    assert cost_table(same).rows[0][1] == "2"
    single = drawn({"edf": costs[:, :1]})
    assert single.has_intervals
    assert not made_up({"edf": costs[:, :1]}).has_intervals


def test_drawn_workloads_are_told_of_by_stratum() -> None:
    costs = {"edf": np.ones((30, 2)), "sjf": np.full((30, 2), 2.0)}
    costs["sjf"][:5] = 0.5  # the first five have a utilisation of 0.6 to 0.7
    violated = {"edf": np.zeros((30, 2)), "sjf": np.zeros((30, 2))}
    violated["sjf"][::5] = 0.5  # these have two accelerators
    table = group_table(drawn(costs, violation_rate=violated))
    rows = {row[0]: row[1:] for row in table.rows}
    assert len(rows) == 11
    assert rows["utilisation 0.6 to 0.7"][0] == "5"
    assert rows["utilisation 0.6 to 0.7"][3:] == ("sjf", "5")
    assert rows["2 accelerators"][0] == "6"
    assert rows["2 accelerators"][2].startswith("50.00%")
    assert rows["3 accelerators"][2].startswith("0.00%")
    assert rows["3 accelerators"][3:] == ("edf", "5")


def test_a_group_of_drawn_workloads_has_the_interval_of_workloads() -> None:
    costs = np.geomspace(1, 4, 30)[:, None] * np.ones(2)  # seeds do not differ
    table = group_table(drawn({"edf": costs, "sjf": 2 * costs}))
    assert all(re.search(r"; [\d.]+ \[", row[2]) for row in table.rows)


def test_energies_are_averaged_as_logarithms() -> None:
    outcome = made_up(
        {"edf": np.ones((1, 4))}, energy_multiple={"edf": np.array([[1.0, 1.0, 4.0, 4.0]])}
    )
    ((_, multiple, *_),) = energy_table(outcome).rows
    assert multiple.startswith("2 [")


def test_platforms_are_ranked_by_violations_and_power_not_by_uxcost() -> None:
    places = [("s", "good"), ("t", "good"), ("s", "bad"), ("t", "bad"), ("s", "hot"), ("t", "hot")]
    costs = {"edf": [[9.0] * 2] * 2 + [[1.0] * 2] * 4, "sjf": [[8.0] * 2] * 2 + [[2.0] * 2] * 4}
    violated = {"edf": [[0.2] * 2] * 6, "sjf": [[0.1] * 2] * 2 + [[0.3] * 2] * 2 + [[0.1] * 2] * 2}
    power = {name: [[5.0] * 2] * 4 + [[7.0] * 2] * 2 for name in costs}
    outcome = made_up(costs, places=places, violation_rate=violated, power_mw=power)
    table = platform_table(outcome)
    assert table is not None
    assert [row[:2] for row in table.rows] == [("good", "sjf"), ("hot", "sjf"), ("bad", "edf")]
    assert [row[3] for row in table.rows] == ["5", "7", "5"]
    assert platform_table(made_up(costs, places=places[:5], violation_rate=violated)) is None
    assert platform_table(made_up({"edf": np.ones((2, 2))})) is None


def test_both_bounds_where_a_supernet_may_switch() -> None:
    outcome = made_up({"edf": np.ones((2, 2))})
    assert "bound with lightest" not in str(cost_table(outcome).headings)
    lighter = replace(outcome, rows=outcome.rows.with_columns(lower_bound_lightest=0.5))
    lighter = replace(lighter, rows=lighter.rows.with_columns(multiple_lightest=2.0))
    assert "UXCost ÷ bound with lightest variants, geometric mean" in cost_table(lighter).headings
    assert cost_table(lighter).rows[0][1:3] == ("1", "2")
    assert "energy ÷ least with lightest variants" in energy_table(lighter).headings
