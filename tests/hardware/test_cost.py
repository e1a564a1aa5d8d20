from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_gym.analysis.suites.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.hardware import (
    MaestroCosts,
    Platform,
    cost_table,
    dram_bytes,
    layer_cost,
    load_platform,
)
from dream_gym.hardware.cost import MAX_COST, rounded
from dream_gym.reading import resources
from dream_gym.simulator import Cell
from dream_gym.workload import Layer, Network, build_network

TEXT = """
schema: 1
name: example
clock_ghz: 0.7
dram_bandwidth_gb_s: 90
shared_memory_kib: 8192
accelerators:
  - {name: ws0, dataflow: WS, num_pes: 1024, noc_bandwidth: 128}
  - {name: os0, dataflow: OS, num_pes: 1024, noc_bandwidth: 128}
"""


def platform(**changes: object) -> Platform:
    return load_platform("4k_1ws_2os").model_copy(update=changes)


def table(layer: Layer, **changes: object):
    return cost_table(Network("one", (layer,), source="this test"), platform(**changes))


@pytest.mark.parametrize("name", resources.names("platforms"))
def test_shipped_platforms_load_under_their_own_name(name):
    assert load_platform(name).name == name


@pytest.mark.parametrize(
    "name", [name for name in resources.names("platforms") if name != "ar_prototype_2acc"]
)
def test_platforms_hold_what_their_names_say(name):
    pes, *kinds = name.removeprefix("xr_").split("_")
    dataflows = [kind[1:].upper() for kind in kinds for _ in range(int(kind[0]))]
    accelerators = load_platform(name).accelerators
    assert sorted(item.dataflow for item in accelerators) == sorted(dataflows)
    assert sum(item.num_pes for item in accelerators) == {"4k": 4096, "8k": 8192}[pes]


def test_weights_always_cross_the_off_chip_link():
    # A matrix-vector product of 4096 × 4096 fetches 16,777,216 bytes: at 90 bytes per ns that is
    # 186,413.5 ns, more than it computes for on any accelerator, rounded up.
    layer = Layer("fc", K=4096, C=4096, Y=1, X=1)
    pure = table(layer, costs=MaestroCosts(dram=False))
    costs = table(layer)
    cycles = layer_cost(
        "WS",
        K=4096,
        C=4096,
        Y=1,
        X=1,
        R=1,
        S=1,
        stride=1,
        depthwise=False,
        num_pes=2048,
        noc_bandwidth=128,
    )
    assert pure.latency_ns[0, 0] == int(np.ceil(int(cycles.latency_cycles) * 10 / 7))
    assert costs.latency_ns[0].tolist() == np.maximum(pure.latency_ns[0], 186_414).tolist()
    assert (costs.energy_pj - pure.energy_pj).tolist() == [[16_777_216 * 216] * 3]


def test_activations_cross_it_only_if_they_do_not_fit_on_the_chip():
    # Input and output of 64 × 256 × 256 are 4 MiB each: together exactly the 8 MiB on the chip.
    fits = Layer("fits", K=64, C=64, Y=256, X=256)
    spills = Layer("spills", K=65, C=64, Y=256, X=256)
    pure = {"costs": MaestroCosts(dram=False)}
    weights = 64 * 64
    assert (table(fits).energy_pj - table(fits, **pure).energy_pj == weights * 216).all()
    traffic = 65 * 64 + (64 + 65) * 256 * 256
    assert (table(spills).energy_pj - table(spills, **pure).energy_pj == traffic * 216).all()


def test_clock_scales_compute_time():
    layer = Layer("conv", K=64, C=64, Y=58, X=58, R=3, S=3)
    slow = table(layer, clock_ghz=platform().clock_ghz, costs=MaestroCosts(dram=False))
    fast = table(layer, clock_ghz=2 * platform().clock_ghz, costs=MaestroCosts(dram=False))
    assert np.allclose(slow.latency_ns, 2 * fast.latency_ns, rtol=0, atol=2)
    assert (slow.energy_pj == fast.energy_pj).all()


def test_accelerators_differ_layer_by_layer():
    costs = cost_table(build_network("once_for_all"), platform())
    fastest = costs.latency_ns.argmin(axis=1)
    assert {0, 1} <= set(fastest.tolist()), "both dataflows should win some layers"


def test_a_table_is_computed_once_and_cannot_be_written():
    network = build_network("kws_res8")
    costs = cost_table(network, platform())
    assert cost_table(network, platform()) is costs
    with pytest.raises(ValueError, match="read-only"):
        costs.latency_ns[0, 0] = 1


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("dataflow: WS", "dataflow: NVDLA", "accelerators.0.dataflow"),
        ("num_pes: 1024", "num_pes: 8", "accelerators.0.num_pes"),
        ("clock_ghz: 0.7", "clock_ghz: 0", "clock_ghz"),
        ("clock_ghz: 0.7", "clock_ghz: fast", "clock_ghz"),
        ("name: os0", "name: ws0", "accelerators.1.name"),
        ("shared_memory_kib: 8192", "shared_memory_kib: -1", "shared_memory_kib"),
        ("dram_bandwidth_gb_s: 90", "bandwidth: 90", "bandwidth"),
    ],
)
def test_bad_input_names_file_and_field(old, new, field):
    with pytest.raises(ConfigError, match=rf"^p\.yaml: {field}: "):
        resources.parse(TEXT.replace(old, new, 1), Platform, origin="p.yaml")


def test_shipped_platforms_state_the_edges_of_the_reference():
    for name in resources.names("platforms"):
        costs = load_platform(name).costs
        assert costs.model == "table" or costs.edges == "reference"


@pytest.mark.parametrize("stated", ["", "costs: {model: maestro}"])
def test_edges_are_physical_where_a_platform_states_nothing(stated):
    assert resources.parse(TEXT + stated, Platform, origin="p.yaml").costs.edges == "physical"


CELL = "scenario: ar_call, platform: 4k_1ws_2os"
GRID = "scenarios: [ar_call], platforms: [4k_1ws_2os]"
STEM = Layer("stem", K=32, C=3, Y=33, X=33, R=3, S=3, stride=2)
DEPTHWISE = Layer("depthwise", K=1, C=32, Y=33, X=33, R=3, S=3, stride=2, depthwise=True)
DENSE = replace(DEPTHWISE, K=32, depthwise=False)


def suite_of(cell: str, costs: str) -> Suite:
    text = f"""
schema: 1
name: example
cells: [{{{cell}, costs: {costs}}}]
policies: [{{scheduler: fcfs}}]
"""
    return resources.parse(text, Suite, origin="s.yaml")


@pytest.mark.parametrize("shared_memory_kib", [0, 8192])
@pytest.mark.parametrize("edges", ["physical", "reference"])
@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ("depthwise: exact, stride: exact", (STEM, DEPTHWISE)),
        ("depthwise: dense", (STEM, DENSE)),
        ("stride: ignored", (replace(STEM, stride=1), replace(DEPTHWISE, stride=1))),
        ("depthwise: dense, stride: ignored", (replace(STEM, stride=1), replace(DENSE, stride=1))),
    ],
)
def test_layers_cost_what_they_count_as(options, layers, edges, shared_memory_kib):
    costs = f"{{model: maestro, edges: {edges}, {options}}}"
    chips = [resources.parse(f"{TEXT}costs: {costs}", Platform, origin="p.yaml")]
    chips += [suite_of(cell, costs).cells[0].hardware for cell in (CELL, GRID)]
    for chip in chips:
        chip = chip.model_copy(update={"shared_memory_kib": shared_memory_kib})
        exact = chip.model_copy(update={"costs": MaestroCosts(edges=edges)})
        network = Network("one", (STEM, DEPTHWISE), source="this test")
        found = cost_table(network, chip)
        written_out = cost_table(Network("two", layers, source="this test"), exact)
        assert found.latency_ns.tolist() == written_out.latency_ns.tolist()
        assert found.energy_pj.tolist() == written_out.energy_pj.tolist()
        same = np.array_equal(found.energy_pj, cost_table(network, exact).energy_pj)
        assert same == (layers == network.layers)


def test_costs_of_a_cell_replace_those_of_its_platform():
    stated = Cell(scenario="ar_call", platform="4k_1ws_2os")
    replaced = suite_of(CELL, "{model: maestro}").cells[0]
    assert stated.hardware == platform()
    assert replaced.hardware == platform(costs=MaestroCosts())
    assert replaced.title != stated.title
    cells = stated, replaced
    tables = [cost_table(build_network("fbnet_c"), cell.hardware) for cell in cells]
    before, after = (table.latency_ns for table in tables)
    assert (after <= before).all()
    assert (after < before).any()


@pytest.mark.parametrize("field", ["edges", "depthwise", "stride"])
def test_an_unknown_option_is_one_error_that_names_it(field):
    costs = f"{{model: maestro, {field}: round}}"
    message = rf"costs\.{field}: expected '\w+' or '\w+', got 'round'$"
    with pytest.raises(ConfigError, match=rf"^p\.yaml: {message}"):
        resources.parse(f"{TEXT}costs: {costs}", Platform, origin="p.yaml")
    with pytest.raises(ConfigError, match=rf"^s\.yaml: cells\.0\.{message}"):
        suite_of(CELL, costs)
    with pytest.raises(ConfigError, match=rf"^s\.yaml: cells: 0: {message}"):
        suite_of(GRID, costs)


AWKWARD = ("0.6666666666666666", "33.333333333333336", "1/3", "1000000", "0.0000123456789012345")


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from(AWKWARD),
    st.sampled_from(AWKWARD),
    st.lists(st.integers(1, 2**13), min_size=4, max_size=4),
)
def test_costs_are_exact_whatever_the_digits(clock: str, bandwidth: str, sizes: list[int]):
    layer = Layer("a", **dict(zip("KCYX", sizes, strict=True)))
    chip = platform(clock_ghz=Fraction(clock), dram_bandwidth_gb_s=Fraction(bandwidth))
    refused = ""
    try:
        costs = cost_table(Network("one", (layer,), source="this test"), chip)
    except ConfigError as error:
        refused = str(error)
    needed = []
    for accelerator in chip.accelerators:
        fields = accelerator.model_dump(exclude={"name", "dataflow"})
        plain = {name: getattr(layer, name) for name in ("K", "C", "Y", "X", "R", "S", "stride")}
        cost = layer_cost(accelerator.dataflow, **plain, depthwise=False, **fields)
        compute_ns = math.ceil(int(cost.latency_cycles) / Fraction(clock))
        dram_ns = math.ceil(dram_bytes(layer, chip) / Fraction(bandwidth))
        energy_pj = float(cost.energy_nj) * 1000 + dram_bytes(layer, chip) * 216
        needed.append((max(compute_ns, dram_ns), energy_pj))
    if max(max(pair) for pair in needed) > MAX_COST:
        assert "layer 'a' of one needs more than 1e+15 " in refused
    else:
        assert not refused
        assert costs.latency_ns.tolist() == [[time_ns for time_ns, _ in needed]]
        assert costs.energy_pj[0] == pytest.approx([pj for _, pj in needed], rel=1e-12, abs=1)


@pytest.mark.parametrize(
    ("changes", "layer", "words"),
    [
        ({"clock_ghz": Fraction(1, 10**40)}, {}, "clock_ghz: costs on .*: layer 'a' of one needs"),
        (
            {"dram_bandwidth_gb_s": Fraction(1, 10**40)},
            {},
            "dram_bandwidth_gb_s: costs on ",
        ),
        ({}, {"K": 2**30, "C": 2**30}, "layer 'a' of one needs more than 1e.15"),
        ({}, {"K": 2**70, "Y": 2**70}, "accelerators.0: network one: a layer takes .* cycles"),
        ({}, {"K": 10**200, "Y": 10**200}, "accelerators.0: network one: "),
    ],
)
def test_what_cannot_be_costed_in_int64_is_refused(changes, layer, words):
    with pytest.raises(ConfigError, match=words):
        table(Layer("a", **{"K": 1, "C": 1, "Y": 1, "X": 1, **layer}), **changes)


def test_real_numbers_beyond_int64_are_refused():
    for wrong in (1e300, np.inf, np.nan, 1e19):
        values = np.array([[wrong, 0.2]])
        assert rounded(values, values).latency_ns.tolist() == [[MAX_COST + 1, 1]]
        assert rounded(values, values).energy_pj.tolist() == [[MAX_COST + 1, 1]]
