"""Every network against the totals known for it: layers, multiply-accumulates, weights.

`published` is what is printed of the network everywhere, `computed` was worked out from the
published stage list, `recalled` is from memory and so has a wider tolerance. Where nothing else
is said, the tolerance is the rounding of the figure as printed.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from dream_gym.workload import NETWORKS, Network, build_network

SCALES = {"M": 1e6, "G": 1e9}


class Totals(NamedTuple):
    network: str
    parameters: dict[str, int]
    layers: int
    macs: str
    weights: str
    tag: str = "computed"
    tolerance: float = 0.0

    @property
    def id(self) -> str:
        return "-".join([self.network, *(f"{k}{v}" for k, v in self.parameters.items())])


TOTALS = [
    Totals("fbnet_c", {}, 63, "378 M", "5.53 M"),
    Totals("fbnet_c", {"height": 160, "width": 100}, 63, "140 M", "5.53 M"),
    Totals("ssdlite_mobilenetv2", {}, 86, "661 M", "3.33 M"),
    Totals("once_for_all", {}, 90, "566 M", "7.61 M"),
    Totals("kws_res8", {}, 8, "37 M", "0.11 M"),
    Totals("kws_res8_narrow", {}, 8, "7 M", "0.02 M"),
    Totals("gnmt", {"tokens": 1}, 19, "210 M", "210 M"),
    Totals("gnmt", {}, 8 * 19, "1.68 G", "1.68 G"),
    Totals("gnmt", {"rows": 8}, 19, "1.68 G", "210 M"),
    Totals("skipnet", {"depth": 18}, 21, "1.81 G", "11.7 M", "published"),
    Totals("skipnet", {}, 37, "3.66 G", "21.8 M", "published"),
    Totals("skipnet", {"depth": 50}, 54, "4.09 G", "25.5 M", "published"),
    Totals("skipnet", {"depth": 101}, 105, "7.80 G", "44.4 M", "published"),
    Totals("trailnet", {}, 22, "2.64 G", "11.2 M"),
    Totals("sosnet", {}, 7, "39 M", "1.33 M"),
    Totals("sosnet", {"patches": 3}, 21, "117 M", "4.00 M"),
    Totals("vgg_voxceleb", {}, 8, "3.19 G", "17.9 M"),
    Totals("ed_tcn", {}, 5, "0.37 G", "0.75 M"),
    Totals("googlenet", {}, 58, "1.58 G", "6.99 M"),
    Totals("rapid_rl", {}, 5, "20 M", "1.28 M"),
    Totals("hand_pose_net_substitute", {}, 24, "0.51 G", "121 M"),
    Totals("focal_length_depth_substitute", {}, 18, "17.9 G", "19.1 M"),
    Totals("midas_small", {}, 97, "3.45 G", "16.5 M"),
    Totals("emformer", {}, 120, "9.7 G", "75 M"),
    Totals("ritnet", {}, 42, "0.94 G", "0.23 M", "recalled", 0.1),
    Totals("hand_graph_cnn", {}, 224, "4 G", "19 M", "recalled", 0.1),
    Totals("plane_rcnn", {}, 153, "7.5 G", "56 M", "recalled", 0.1),
    Totals("d2go_faster_rcnn", {}, 138, "0.44 G", "5.3 M", "recalled", 0.1),
    Totals("hrvit_b1", {}, 408, "2.7 G", "8.2 M", "recalled", 0.1),
    Totals("rgbd_200", {}, 34, "15 G", "13.7 M", "recalled", 0.1),
]

OFA_VARIANTS = [
    Totals("k5_e4_d3_r224", {}, 69, "251 M", "4.52 M"),
    Totals("k3_e4_d2_r224", {}, 48, "155 M", "3.75 M"),
    Totals("k3_e3_d2_r160", {}, 48, "63 M", "3.39 M"),
]


def assert_agrees(value: int, printed: str, tolerance: float) -> None:
    """The value is the printed figure to its last digit, or within the relative tolerance."""
    digits, unit = printed.split()
    decimals = len(digits.partition(".")[2])
    figure = float(digits) * SCALES[unit]
    allowed = max(0.5 * SCALES[unit] / 10**decimals, tolerance * figure)
    assert abs(value - figure) <= allowed, f"{value:,} is not {printed} ± {allowed:,.0f}"


def assert_totals(network: Network, totals: Totals) -> None:
    assert len(network.layers) == totals.layers
    assert_agrees(network.macs, totals.macs, totals.tolerance)
    assert_agrees(network.weights, totals.weights, totals.tolerance)


@pytest.mark.parametrize("totals", TOTALS, ids=lambda totals: totals.id)
def test_totals(totals: Totals) -> None:
    assert_totals(build_network(totals.network, **totals.parameters), totals)


@pytest.mark.parametrize("index", range(3))
def test_totals_of_supernet_variants(index: int) -> None:
    variant = build_network("once_for_all").variants[index]
    assert variant.name == f"once_for_all.{OFA_VARIANTS[index].network}"
    assert_totals(variant, OFA_VARIANTS[index])


def test_ritnet_has_the_published_parameters() -> None:
    """248,900 with biases (32 for each convolution but the last) and five batch normalisations."""
    network = build_network("ritnet", height=640, width=400)
    biases = sum(layer.output_channels for layer in network.layers)
    assert network.weights + biases + 5 * 2 * 32 == 248_900


def test_midas_small_has_the_published_parameters_less_a_unit_that_never_runs() -> None:
    """Published: 21 M. The coarsest scale has no skip to refine, but the weights to do so."""
    never_run = 2 * 512 * 512 * 3 * 3
    assert_agrees(build_network("midas_small").weights + never_run, "21 M", 0.0)


def test_every_network_has_totals() -> None:
    assert {totals.network for totals in TOTALS} == set(NETWORKS)


def test_only_recalled_totals_have_a_wide_tolerance() -> None:
    for totals in TOTALS:
        assert totals.tag in ("published", "computed", "recalled")
        assert (totals.tolerance > 0) == (totals.tag == "recalled")


@pytest.mark.parametrize("value", [377_499_999, 378_500_001])
def test_a_total_beyond_its_rounding_is_refused(value: int) -> None:
    with pytest.raises(AssertionError, match="is not 378 M"):
        assert_agrees(value, "378 M", 0.0)
