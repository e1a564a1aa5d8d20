from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dream_gym.analysis.suites.calibrated import CalibratedCell, edge_cells
from dream_gym.analysis.suites.cells import Grid, sweep_loads
from dream_gym.analysis.suites.profile import full_load, profile
from dream_gym.analysis.suites.suite import Suite, load_suite
from dream_gym.errors import ConfigError
from dream_gym.generator import generate_workload
from dream_gym.players import make_player
from dream_gym.reading.resources import validate
from dream_gym.simulator import Cell, Simulation

GRID: dict[str, Any] = {"scenarios": ["ar_call", "vr_gaming"], "platforms": ["4k_2ws", "8k_2ws"]}


def suite_of(*cells: dict[str, Any]) -> Suite:
    content = {
        "schema": 1,
        "name": "x",
        "cells": list(cells),
        "policies": [{"scheduler": "fcfs"}],
    }
    return validate(content, Suite, origin="here")


def test_cells_that_differ_look_different() -> None:
    where = {"scenario": "ar_social", "platform": "4k_2ws"}
    fields: list[dict[str, Any]] = [{"load": 1}, {"load": 1.0000001}]
    fields += [{"jitter": 0.1}, {"jitter": 0.1000001}, {"cascade": 0.1}, {"cascade": 0.1000001}]
    titles = [cell.title for cell in suite_of(*(where | each for each in fields)).cells]
    assert titles[:2] == ["ar_social on 4k_2ws, load 1", "ar_social on 4k_2ws, load 1.0000001"]
    assert len(set(titles)) == len(titles)


def test_a_grid_is_a_product_in_order() -> None:
    grid = {**GRID, "loads": [1, 2], "expiry": ["soft", "firm"]}
    single = {"scenario": "ar_social", "platform": "4k_2ws"}
    cells = suite_of(grid, single).cells
    assert len(cells) == 2 * 2 * 2 * 2 + 1
    assert [cell.title for cell in cells[:3]] == [
        "ar_call on 4k_2ws, load 1, soft",
        "ar_call on 4k_2ws, load 2, soft",
        "ar_call on 4k_2ws, load 1, firm",
    ]
    assert cells[-1] == Cell(scenario="ar_social", platform="4k_2ws")


def test_edge_cells_at_their_loads() -> None:
    edges = {(cell.scenario, cell.platform): cell for cell in edge_cells()}
    suite = load_suite("edge")
    assert len(suite.cells) > 10
    for cell in suite.cells:
        assert cell.load == edges[cell.scenario, cell.platform].edge_load
    titles = {(cell.scenario, cell.platform) for cell in suite.cells}
    dreams = {(cell.scenario, cell.platform) for cell in load_suite("asplos23").cells}
    assert len(dreams) == 40
    assert titles == dreams & set(edges)
    assert {cell.expiry for cell in suite.cells} == {"soft", "firm"}


def test_what_was_contended_is_called_edge() -> None:
    with pytest.raises(ConfigError, match=r"^suites: contended is called edge now$"):
        load_suite("contended")
    with pytest.raises(ConfigError, match=r"loads: 'contended' is called 'edge' now"):
        suite_of({**GRID, "loads": "contended"})


def test_stress_is_a_share_of_what_can_be_served_at_all() -> None:
    cells = suite_of({**GRID, "loads": "stress", "jitter": [0.1]}).cells
    assert len(cells) == 2 * 2 * 3
    for trio in (cells[at : at + 3] for at in range(0, len(cells), 3)):
        full = full_load(trio[0])
        assert [cell.load for cell in trio] == [round(x * full, 3) for x in (0.8, 0.9, 0.95)]


@pytest.mark.parametrize("jitter", [None, 0.2])
@pytest.mark.parametrize("scenario", ["ar_social", "ar_call", "vr_gaming_swings"])
def test_beyond_the_full_load_something_fails(scenario: str, jitter: float | None) -> None:
    """On one accelerator at which it is limited, and with the whole chip for a single model."""
    cell = Cell(scenario=scenario, platform="4k_1ws_2os", jitter=jitter)
    full = full_load(cell)

    def hopeless(load: float) -> bool:
        at_load = cell.at_load(load)
        world = at_load.simulation()
        result = make_player("edf").run(at_load, 0, 3.0, record=True)
        assert result.frames is not None
        world.reset(seed=0, seconds=3.0)
        alone_end_ns = world.alone(result.frames)[:, 1]
        return bool((alone_end_ns > result.frames["deadline_ns"]).any())

    assert not hopeless(0.99 * full)
    assert hopeless(1.3 * full)


def test_explicit_deadlines_and_fixed_jitter_count_as_they_are(tmp_path: Path) -> None:
    text = """schema: 1
name: x
models:
  - {name: a, network: kws_res8, rate: 10, jitter_ms: 10}
  - {name: b, network: kws_res8, rate: 1, deadline_ms: 0.001}
"""
    (tmp_path / "x.yaml").write_text(text)
    cell = Cell(scenario=str(tmp_path / "x.yaml"), platform="4k_2ws")
    found = profile(cell.workload, cell.hardware)
    assert full_load(cell) == pytest.approx(100 / (10 + found.models[0].needed_ms))


def test_costs_of_a_grid_are_those_of_its_cells() -> None:
    costs = {"model": "maestro", "edges": "reference", "depthwise": "dense"}
    plain, other = (suite_of({**GRID, **given}).cells for given in ({}, {"costs": costs}))
    before, after = plain[-1], other[-1]  # of VR_Gaming, which has depthwise layers
    assert "costs maestro (" in after.title
    assert before.digest() != after.digest()
    exact, dense = (profile(cell.workload, cell.hardware) for cell in (before, after))
    assert dense.utilisation > 1.5 * exact.utilisation
    with pytest.raises(ConfigError, match="depthwise"):
        suite_of({**GRID, "costs": {**costs, "depthwise": "thick"}})


def test_a_sweep_goes_from_a_quarter_to_collapse() -> None:
    cell = CalibratedCell("s", "p", 1.25, 1.5, 1.4, 4.0, 1.375, "", float("nan"))
    loads = sweep_loads(cell)
    assert loads[:6] == (0.25, 0.45, 0.65, 0.85, 1.05, 1.25)
    assert len(loads) == 21
    assert loads[-1] == 4.0
    ratios = np.divide(loads[6:], loads[5:-1])
    assert ratios == pytest.approx((4 / 1.25) ** (1 / 15), rel=2e-3)
    nothing = CalibratedCell("s", "p", *[float("nan")] * 5, "", float("nan"))
    assert sweep_loads(nothing) == ()


def test_cascades_replace_those_of_the_scenario() -> None:
    for probability, share in ((0.0, 0.0), (1.0, 1.0)):
        cell = Cell(scenario="ar_call", platform="4k_2ws", cascade=probability)
        simulation = Simulation(cell.workload, cell.hardware, None)
        simulation.reset(seed=0, seconds=1)
        counts = simulation.result().frame_count
        assert counts["translation"] == share * counts["keyword_spotting"]
    assert cell.title == "ar_call on 4k_2ws, load 1, cascade 1"


@pytest.mark.parametrize("scenario", ["ar_call", "app_switches"])
def test_jitter_is_a_share_of_the_period_at_the_load(scenario: str) -> None:
    cell = Cell(scenario=scenario, platform="4k_2ws", jitter=0.25, load=2)
    simulation = Simulation(cell.workload, cell.hardware, None, load=cell.load)
    streams = simulation.problem.streams
    for stream in streams:
        expected = stream["period_quotient_ns"] / 4 if stream["parent"] < 0 else 0
        assert stream["jitter_ns"] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({**GRID, "scenarios": []}, r"cells.*scenarios"),
        ({**GRID, "loads": "wild"}, r"cells.*loads"),
        ({**GRID, "load": 1}, r"cells.*load"),
        ({**GRID, "platforms": ["nope"]}, r"cells\.0.*'nope'"),
        ({**GRID, "scenarios": ["app_switches"], "loads": "sweep"}, "no cell of the calibration"),
        ({"scenario": "ar_call", "platform": "4k_2ws", "jitter": 1}, r"cells\.0\.jitter"),
        ({"scenario": "ar_call", "platform": "4k_2ws", "cascade": 2}, r"cells\.0\.cascade"),
    ],
)
def test_mistakes_name_the_field(cell: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        suite_of(cell)
    assert "\n" not in str(caught.value)


def test_paths_in_a_grid_are_relative_to_the_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\nname: mine\nmodels: [{name: a, network: kws_res8, rate: 10}]\n"
    )
    (tmp_path / "suite.yaml").write_text(
        "schema: 1\nname: s\ncells: [{scenarios: [mine.yaml], platforms: [4k_2ws]}]\n"
        "policies: [{scheduler: edf}]\n"
    )
    assert load_suite(tmp_path / "suite.yaml").cells[0].workload.name == "mine"


def test_a_grid_has_a_schema() -> None:
    assert "Grid" in str(Suite.model_json_schema()["properties"]["cells"])
    assert Grid.model_validate(GRID).loads == (1.0,)


@pytest.mark.parametrize("loads", ["edge", "sweep"])
@pytest.mark.parametrize(
    ("name", "value"), [("costs", {"model": "maestro", "depthwise": "dense"}), ("contention", True)]
)
def test_a_calibration_is_not_for_other_costs(loads: str, name: str, value: object) -> None:
    grid = {"scenarios": ["drone_outdoor"], "platforms": ["4k_1ws_2os"], "loads": loads}
    assert suite_of(grid).cells
    with pytest.raises(ConfigError, match=f"loads: {loads} is from a calibration without {name}"):
        suite_of({**grid, name: value})
    assert suite_of({**grid, "loads": "stress", name: value}).cells


def test_an_option_of_another_cost_model_is_named() -> None:
    cell = {"scenario": "ar_social", "platform": "4k_2ws"}
    costs = {"model": "table", "path": "x.csv", "depthwise": "dense"}
    with pytest.raises(ConfigError, match=r"costs\.depthwise: does not go with the other keys"):
        suite_of({**cell, "costs": costs})


def test_cells_may_be_drawn() -> None:
    cells = suite_of(
        {"generate": {"purpose": "selection", "count": 3, "first": 2}},
        {"generate": {"purpose": "test", "count": 1}},
        {"generate": {"purpose": "training", "count": 1}},
    ).cells
    seeds = [10**9 + 2, 10**9 + 3, 10**9 + 4, 2 * 10**9, 0]
    assert [cell.digest() for cell in cells] == [Cell.generated(seed).digest() for seed in seeds]
    assert [cell.load for cell in cells] == [generate_workload(seed).load for seed in seeds]
    assert [cell.scenario for cell in cells] == [f"generated:{seed}" for seed in seeds]
    for wrong, words in (
        ({"purpose": "all", "count": 3}, "purpose"),
        ({"purpose": "test", "count": 0}, "count"),
        ({"purpose": "test", "count": 1, "first": 10**9}, "first"),
    ):
        with pytest.raises(ConfigError, match=words):
            suite_of({"generate": wrong})
