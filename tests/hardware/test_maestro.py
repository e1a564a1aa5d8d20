"""The cost model against its reference table, against hand-computed layers, and its laws."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_gym.hardware import LayerCost, layer_cost, maestro
from dream_gym.hardware.maestro import EDGES, Edges

DATAFLOWS = ("WS", "OS", "RS")
TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "maestro_layers.csv"
SIZES = ("K", "C", "Y", "X", "R", "S", "stride", "num_pes")


def read_table(dataflow: str) -> tuple[dict[str, Any], LayerCost]:
    """The layers of the reference table under one dataflow, and what they cost there."""
    if not TABLE.exists():
        pytest.skip(f"the reference table is not at {TABLE}")
    with TABLE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataflow"] == dataflow]
    layers: dict[str, Any] = {name: np.array([int(row[name]) for row in rows]) for name in SIZES}
    layers["noc_bandwidth"] = np.array([int(row["noc_bw"]) for row in rows])
    layers["depthwise"] = np.array([row["type"] == "DSCONV" for row in rows])
    latency = np.array([int(row["latency_cycles"]) for row in rows])
    energy = np.array([float(row["energy_nJ"]) for row in rows])
    return layers, LayerCost(latency, energy)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_agrees_with_the_reference_table(dataflow):
    layers, expected = read_table(dataflow)
    cost = layer_cost(dataflow, **layers)
    assert expected.latency_cycles.size == 1320
    assert np.mean(cost.latency_cycles == expected.latency_cycles) >= 0.99
    assert np.mean(np.abs(cost.latency_cycles / expected.latency_cycles - 1)) <= 0.002
    assert np.mean(np.abs(cost.energy_nj / expected.energy_nj - 1)) <= 0.001


def layer(**changes: Any) -> dict[str, Any]:
    """Keyword arguments of an ordinary layer on an ordinary accelerator."""
    usual = {"K": 64, "C": 32, "Y": 30, "X": 30, "R": 3, "S": 3, "stride": 1, "depthwise": False}
    return usual | {"num_pes": 1024, "noc_bandwidth": 128} | changes


# Worked out on paper, with A clusters, n steps, N steps of a loop, and loads W and I.
#
# WS, A = 2: only X is tiled, n_X = 4/2 = 2, so there are the start and N_X = 1.
#   A tile computes for max(1, ceil((16 + 1)·16 / 64)) = 5 cycles.
#   Start: W = 256 (shared), I = 2·16, and 288/64 < 5. Step in X: I = 32 only.
#   Latency = 5 + 5. Traffic = 288 + 32 = 320, fills = 2·(256 + 16) + 2·16 = 576.
#   M = 16·16·4 = 1024; L2 = 320 + 64 + 256 + 64 = 704;
#   L1 = 2·1024 + 576 + 2·(2 steps · 256) - 2 = 3646.
POINTWISE_ON_WS = (
    "WS",
    {"K": 16, "C": 16, "Y": 1, "X": 4, "R": 1, "S": 1, "num_pes": 512, "noc_bandwidth": 64},
    10,
    0.00288 * (1024 + 6 * 704 + 0.55 * 3646),
)
# OS, A = 2: 3 × 4 outputs, only Y is tiled, n_Y = ceil(3/2) = 2; one cluster works in the second.
#   A tile computes for max(9, ceil((16·3·6 + 16·9) / 64)) = 9 cycles.
#   Start: W = 144, I = 16·3·6 + 16·1·6 = 384, ceil(528/64) = 9. Step in Y: I = 288, W stays.
#   Latency = 9 + 9. Traffic = 528 + 288 = 816, fills = 2·(144 + 288) + 1·288 = 1152.
#   M = 16·9·12 = 1728; L2 = 816 + 480 + 144 + 192 = 1632;
#   L1 = 2·1728 + 1152 + 2·(2 steps · 16·4·9) - 2 = 6910.
DEPTHWISE_ON_OS = (
    "OS",
    {"K": 1, "C": 16, "Y": 5, "X": 6, "depthwise": True, "num_pes": 128, "noc_bandwidth": 64},
    18,
    0.00288 * (1728 + 6 * 1632 + 0.55 * 6910),
)
# RS, A = 2: n_Y = 2, n_X = 1, n_C = 8/4 = 2, n_K = ceil(3/2) = 2; one cluster has the third filter.
#   A tile computes for max(4, ceil((4·16 + 4) / 16)) = 5 cycles; no load takes longer.
#   Start, N_Y = 1 and N_C = 2 load W = 2·4 and I = 64 into both clusters; N_K = 2·2 loads W = 4.
#   Latency = (1 + 1 + 2 + 4)·5. Traffic = 4·72 + 4·4 = 304, fills = 4·2·(4 + 64) + 4·4 = 560.
#   M = 3·8·2·16 = 768; L2 = 304 + 256 + 24 + 96 = 680;
#   L1 = 2·768 + 560 + 2·(8 steps · 64) - 8 = 3112.
UNEVEN_ON_RS = (
    "RS",
    {"K": 3, "C": 8, "Y": 2, "X": 16, "R": 1, "S": 1, "num_pes": 128, "noc_bandwidth": 16},
    40,
    0.00288 * (768 + 6 * 680 + 0.55 * 3112),
)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize(
    ("dataflow", "changes", "latency", "energy"), [POINTWISE_ON_WS, DEPTHWISE_ON_OS, UNEVEN_ON_RS]
)
def test_agrees_with_paper_and_pencil(dataflow, changes, latency, energy, edges):
    cost = layer_cost(dataflow, **layer(**changes), edges=edges)
    assert cost.latency_cycles == latency
    assert cost.energy_nj == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize(("edges", "outputs"), [("physical", 4), ("reference", 7)])
def test_the_reference_alone_counts_outputs_without_their_stride(edges, outputs):
    # The first layer again, but every second of 7 columns is read: only |I| and |O| differ.
    dataflow, changes, latency, _ = POINTWISE_ON_WS
    cost = layer_cost(dataflow, **layer(**changes | {"X": 7, "stride": 2}), edges=edges)
    l2_accesses = 320 + 16 * 7 + 256 + 16 * outputs
    assert cost.latency_cycles == latency
    assert cost.energy_nj == pytest.approx(0.00288 * (1024 + 6 * l2_accesses + 0.55 * 3646))


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_arguments_broadcast(dataflow):
    cost = layer_cost(dataflow, **layer(C=[[16], [32], [48]], num_pes=[1024, 2048]))
    assert cost.latency_cycles.shape == cost.energy_nj.shape == (3, 2)
    assert cost.latency_cycles.dtype == np.int64
    assert cost.energy_nj.dtype == np.float64
    one = layer_cost(dataflow, **layer(C=48, num_pes=2048))
    assert one.latency_cycles.shape == one.energy_nj.shape == ()
    assert cost.latency_cycles[2, 1] == one.latency_cycles
    assert cost.energy_nj[2, 1] == one.energy_nj


def test_no_layers_cost_nothing():
    cost = layer_cost("WS", **layer(C=np.array([], dtype=np.int64)))
    assert cost.latency_cycles.shape == cost.energy_nj.shape == (0,)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_arguments_are_left_alone(dataflow):
    sizes = {name: np.array([7, 3]) for name in ("C", "Y", "X", "R")}
    layer_cost(dataflow, **layer(**sizes))
    assert all(np.array_equal(size, [7, 3]) for size in sizes.values())


@st.composite
def some_layers(draw: st.DrawFn, count: int = 4, largest_filter: int = 7) -> dict[str, Any]:
    """A batch of `count` layers of any kind on accelerators of any size."""

    def numbers(low: int, high: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    R, S = numbers(1, largest_filter), numbers(1, largest_filter)
    depthwise = numbers(0, 1).astype(bool)
    return {
        "K": np.where(depthwise, 1, numbers(1, 300)),
        "C": numbers(1, 300),
        "Y": R + numbers(0, 70),
        "X": S + numbers(0, 70),
        "R": R,
        "S": S,
        "stride": numbers(1, 4),
        "depthwise": depthwise,
        "num_pes": numbers(256, 8192),
        "noc_bandwidth": numbers(1, 300),
    }


each_dataflow = pytest.mark.parametrize("dataflow", DATAFLOWS)
quick = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@each_dataflow
@quick
@given(layers=some_layers())
def test_a_layer_costs_the_same_alone_and_in_any_order(dataflow, layers):
    batch = layer_cost(dataflow, **layers)
    backwards = layer_cost(dataflow, **{name: values[::-1] for name, values in layers.items()})
    assert np.array_equal(backwards.latency_cycles, batch.latency_cycles[::-1])
    assert np.array_equal(backwards.energy_nj, batch.energy_nj[::-1])
    alone = layer_cost(dataflow, **{name: values[0].item() for name, values in layers.items()})
    assert alone.latency_cycles == batch.latency_cycles[0]
    assert alone.energy_nj == batch.energy_nj[0]


@each_dataflow
@quick
@given(layers=some_layers())
def test_costs_are_positive(dataflow, layers):
    cost = layer_cost(dataflow, **layers)
    assert np.all(cost.latency_cycles >= 1)
    assert np.all(cost.energy_nj > 0)


@each_dataflow
@quick
@given(layers=some_layers())
def test_more_bandwidth_never_takes_longer_and_leaves_energy_alone(dataflow, layers):
    narrow = layer_cost(dataflow, **layers)
    wide = layer_cost(dataflow, **layers | {"noc_bandwidth": 2 * layers["noc_bandwidth"]})
    assert np.all(wide.latency_cycles <= narrow.latency_cycles)
    assert np.array_equal(wide.energy_nj, narrow.energy_nj)


def macs_done(layers: dict[str, Any]) -> Any:
    """The MACs of layers that are no smaller than their filters."""
    free = layers["Y"] - layers["R"], layers["X"] - layers["S"]
    outputs = [each // layers["stride"] + 1 for each in free]
    return np.prod([*(layers[size] for size in "KCRS"), *outputs], axis=0)


def macs_charged(dataflow: str, edges: Edges, layers: dict[str, Any]) -> Any:
    """The MACs in the energy, which is all of it where memory takes none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maestro, "L1_ACCESS_MACS", 0)
        patch.setattr(maestro, "L2_ACCESS_MACS", 0)
        return layer_cost(dataflow, **layers, edges=edges).energy_nj / maestro.MAC_NJ


@each_dataflow
@pytest.mark.parametrize(("edges", "largest_filter"), [("reference", 1), ("physical", 7)])
@quick
@given(data=st.data())
def test_no_pe_does_two_macs_in_a_cycle(dataflow, edges, largest_filter, data):
    # Of wider filters, the reference undercounts the smallest layers.
    layers = data.draw(some_layers(largest_filter=largest_filter))
    cost = layer_cost(dataflow, **layers, edges=edges)
    assert np.all(cost.latency_cycles * layers["num_pes"] >= macs_done(layers))


@each_dataflow
@quick
@given(layers=some_layers())
def test_physical_energy_is_that_of_the_macs_done(dataflow, layers):
    charged = macs_charged(dataflow, "physical", layers)
    assert charged == pytest.approx(macs_done(layers), rel=1e-12)


@pytest.mark.parametrize(
    ("dataflow", "changes", "factor"),
    [
        ("OS", {"Y": 113, "X": 113, "stride": 2}, 1.5),
        ("RS", {"Y": 113, "X": 113, "stride": 2}, 1.875),
        ("OS", {"K": 1, "depthwise": True, "Y": 13, "X": 13, "R": 7, "S": 7}, 5 / 49),
        ("WS", {"Y": 8, "X": 8, "R": 8, "S": 8, "num_pes": 2048}, 8),
    ],
)
def test_the_reference_charges_macs_that_are_not_done(dataflow, changes, factor):
    layers = layer(**changes)
    done = macs_done(layers)
    assert macs_charged(dataflow, "reference", layers) == pytest.approx(factor * done)
    assert macs_charged(dataflow, "physical", layers) == pytest.approx(done)


@pytest.mark.parametrize(
    ("edges", "cycles"), [("reference", [286_784, 163_904]), ("physical", [143_424, 163_904])]
)
def test_the_reference_alone_charges_a_7x7_map_more_than_an_8x8_one(edges, cycles):
    inputs = [7 + 2, 8 + 2]
    cost = layer_cost("WS", **layer(K=512, C=512, Y=inputs, X=inputs, num_pes=2048), edges=edges)
    assert cost.latency_cycles.tolist() == cycles
    assert (cost.energy_nj[0] < cost.energy_nj[1]) == (edges == "physical")


def test_the_reference_alone_walks_a_narrow_map_twice():
    narrow = layer(X=5)
    once = layer_cost("OS", **narrow, edges="physical")
    twice = layer_cost("OS", **narrow, edges="reference")
    assert twice.latency_cycles == 2 * once.latency_cycles
    assert twice.energy_nj == once.energy_nj


@each_dataflow
@pytest.mark.parametrize("size", ["K", "C", "Y", "X"])
@quick
@given(layers=some_layers(count=1))
def test_a_smaller_layer_never_costs_more(dataflow, size, layers):
    sizes = np.arange(1, 71)
    if size == "K":
        layers = layers | {"depthwise": False}
    elif size in "YX":
        sizes = (sizes - 1) * layers["stride"] + layers[{"Y": "R", "X": "S"}[size]]
    cost = layer_cost(dataflow, **layers | {size: sizes}, edges="physical")
    assert np.all(np.diff(cost.latency_cycles) >= 0)
    assert np.all(np.diff(cost.energy_nj) > 0)


@each_dataflow
def test_pes_that_fill_no_cluster_are_idle(dataflow):
    whole = layer_cost(dataflow, **layer(num_pes=1024))
    assert layer_cost(dataflow, **layer(num_pes=1024 + 63)) == whole


def test_unknown_dataflow_is_named():
    with pytest.raises(ValueError, match=r"one of WS, OS, RS, got 'NLR'"):
        layer_cost("NLR", **layer())


def test_unknown_edges_are_named():
    with pytest.raises(ValueError, match=r"edges must be one of reference, physical, got 'round'"):
        layer_cost("WS", **layer(), edges="round")


def test_edges_are_those_of_the_reference_unless_stated():
    small = layer(Y=9, X=9, num_pes=2048)
    assert layer_cost("WS", **small) == layer_cost("WS", **small, edges="reference")
    assert layer_cost("WS", **small) != layer_cost("WS", **small, edges="physical")


@pytest.mark.parametrize("name", [*SIZES, "noc_bandwidth"])
def test_sizes_below_one_are_named(name):
    with pytest.raises(ValueError, match=rf"^{name} must be at least 1, got 0"):
        layer_cost("WS", **layer(**{name: [1024, 0]}))


def test_fractions_are_refused():
    with pytest.raises(ValueError, match=r"^noc_bandwidth must be whole numbers, got float64"):
        layer_cost("WS", **layer(noc_bandwidth=12.5))


def test_depthwise_layers_have_one_filter():
    with pytest.raises(ValueError, match=r"^K must be 1 where depthwise is set"):
        layer_cost("WS", **layer(K=[1, 64], depthwise=True))


@pytest.mark.parametrize(("dataflow", "cluster"), [("WS", 256), ("OS", 64), ("RS", 64)])
def test_accelerators_have_at_least_one_cluster(dataflow, cluster):
    layer_cost(dataflow, **layer(num_pes=cluster))
    with pytest.raises(
        ValueError, match=rf"^num_pes must be at least {cluster}.* got {cluster - 1}"
    ):
        layer_cost(dataflow, **layer(num_pes=[1024, cluster - 1]))


@each_dataflow
def test_sizes_beyond_int64_do_not_wrap(dataflow):
    # 2^65 MACs; int64 arithmetic makes 0 of them.
    wide = layer(K=2**32, C=2**33, Y=1, X=1, R=1, S=1, num_pes=2**20, noc_bandwidth=2**20)
    cost = layer_cost(dataflow, **wide)
    assert int(cost.latency_cycles) * 2**20 >= 2**65
    assert cost.energy_nj >= 0.00288 * 2**65
    with pytest.raises(ValueError, match="digits of cycles: it is too large"):
        layer_cost(dataflow, **wide | {"K": 2**60, "C": 2**60})
