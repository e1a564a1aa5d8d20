from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dream_gym.api import simulate
from dream_gym.hardware import Platform, TableCosts, cost_table, load_platform
from dream_gym.hardware.export import main, networks_of
from dream_gym.reading import resources
from dream_gym.workload import build_network, load_scenario

ROOT = Path(__file__).parents[2]


def test_the_networks_of_a_scenario_simulate_on_its_export(tmp_path):
    path = tmp_path / "costs.csv"
    assert main(["4k_2ws", str(path), "ar_call"]) == 0
    platform = load_platform("4k_2ws")
    again: Platform = platform.model_copy(update={"costs": TableCosts(path=path)})
    for model in load_scenario("ar_call").models:
        direct = cost_table(model.built_network, platform)
        read = cost_table(model.built_network, again)
        assert (direct.latency_ns == read.latency_ns).all()
        assert (direct.energy_pj == read.energy_pj).all()


TWICE = """
schema: 1
name: twice
models:
  - {name: small, network: {onnx: a/net.onnx, sizes: {side: 8}}, rate: 30}
  - {name: large, network: {onnx: a/net.onnx, sizes: {side: 32}}, rate: 30}
  - {name: other, network: {onnx: b/net.onnx, sizes: {side: 32}}, rate: 30}
  - {name: named, network: {onnx: b/net.onnx, sizes: {side: 32}, name: mine}, rate: 30}
"""


def test_one_file_at_two_sizes_and_two_files_of_one_name_have_their_own_costs(tmp_path):
    parser = pytest.importorskip("onnx.parser", reason="needs the package onnx")
    for folder, filters in (("a", 4), ("b", 640)):
        (tmp_path / folder).mkdir()
        model = parser.parse_model(
            '<ir_version: 8, opset_import: ["" : 17]> '
            f"net (float[N,3,side,side] x, float[{filters},3,3,3] w) => (float[] y) "
            "{ [n] y = Conv(x, w) }"
        )
        (tmp_path / folder / "net.onnx").write_bytes(model.SerializeToString())
    path, table = tmp_path / "twice.yaml", tmp_path / "costs.csv"
    path.write_text(TWICE)
    networks = load_scenario(path).networks
    assert [network.name for network in networks] == [
        "net(side=8)",
        "net(side=32)",
        "net(side=32)",
        "mine",
    ]
    assert main(["4k_2ws", str(table), str(path)]) == 0
    platform = load_platform("4k_2ws")
    again: Platform = platform.model_copy(update={"costs": TableCosts(path=table)})
    costs = [cost_table(network, again).latency_ns.tolist() for network in networks]
    assert costs == [cost_table(network, platform).latency_ns.tolist() for network in networks]
    assert costs[0] != costs[1] != costs[2] == costs[3]


def test_each_network_is_there_once_with_every_size_it_runs_at():
    names = [network.name for network in networks_of(resources.names("scenarios"))]
    assert len(set(names)) == len(names)
    assert {"fbnet_c", "fbnet_c(height=160, width=100)"} <= set(names)


def test_bad_arguments_are_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["4k_2ws", str(tmp_path / "costs.csv"), "no_scenario"]) == 2
    assert "'no_scenario' is neither" in capsys.readouterr().err
    assert main([]) == 2
    assert main(["no_platform", str(tmp_path / "costs.csv")]) == 2
    assert main(["4k_2ws", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())


def test_the_shipped_table_covers_all_shipped_scenarios():
    platform = load_platform("ar_prototype_2acc")
    for network in networks_of(resources.names("scenarios")):
        for item in (network, *network.variants):
            costs = cost_table(item, platform)
            macs = np.array([layer.macs for layer in item.layers])
            shortest = macs / 1024 / 0.7  # 1024 MACs a cycle, 0.7 cycles a ns
            assert (costs.latency_ns >= shortest[:, None]).all(), item.name
            assert (costs.energy_pj >= 0.04 * macs[:, None]).all(), item.name


def test_its_accelerators_are_good_at_different_things():
    costs = cost_table(build_network("d2go_faster_rcnn"), load_platform("ar_prototype_2acc"))
    assert set(costs.latency_ns.argmin(axis=1).tolist()) == {0, 1}


@pytest.mark.parametrize("scenario", resources.names("scenarios"))
def test_every_scenario_simulates_on_the_shipped_table(scenario):
    result = simulate(scenario, "ar_prototype_2acc", "fcfs", seconds=0.5)
    assert result.uxcost > 0


@pytest.mark.skipif(
    importlib.util.find_spec("zigzag") is None,
    reason='zigzag-dse is not installed: pip install "dream_gym[zigzag]" (Python 3.11 or later)',
)
def test_the_shipped_table_is_what_zigzag_gives(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAM_GYM_CACHE", str(tmp_path))
    source = load_platform(ROOT / "configs" / "zigzag" / "ar_prototype_2acc.yaml")
    shipped = load_platform("ar_prototype_2acc")
    kept = set(Platform.model_fields) - {"costs", "description"}
    assert source.model_dump(include=kept) == shipped.model_dump(include=kept)
    network = build_network("fbnet_c")
    few = replace(network, layers=network.layers[-1:])
    expected, table = cost_table(few, source), cost_table(network, shipped)
    assert (expected.latency_ns == table.latency_ns[-1:]).all()
    assert (expected.energy_pj == table.energy_pj[-1:]).all()
