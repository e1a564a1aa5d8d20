from __future__ import annotations

import numpy as np
import pytest

from dream_gym import resources
from dream_gym.errors import ConfigError
from dream_gym.hardware import MaestroCosts, Platform, cost_table, layer_cost, load_platform
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
    ("name", "dataflows"),
    [
        ("4k_1ws_2os", ["OS", "OS", "WS"]),
        ("4k_1os_2ws", ["OS", "WS", "WS"]),
        ("4k_2ws", ["WS", "WS"]),
        ("4k_2os", ["OS", "OS"]),
    ],
)
def test_platforms_hold_what_their_names_say(name, dataflows):
    accelerators = load_platform(name).accelerators
    assert sorted(item.dataflow for item in accelerators) == dataflows
    assert sum(item.num_pes for item in accelerators) == 4096


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
        ("dram_bandwidth_gb_s: 90", "bandwidth: 90", "dram_bandwidth_gb_s"),
    ],
)
def test_bad_input_names_file_and_field(old, new, field):
    with pytest.raises(ConfigError, match=rf"^p\.yaml: {field}: "):
        resources.parse(TEXT.replace(old, new, 1), Platform, origin="p.yaml")
