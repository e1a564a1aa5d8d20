"""What the layers of the catalogue's networks look like, beyond their totals."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from dream_gym.errors import ConfigError
from dream_gym.workload import NETWORKS, Layer, build_network
from dream_gym.workload.networks.builder import ChainBuilder, Shape, make_divisible
from dream_gym.workload.networks.gnmt import gnmt

# Networks without branches or merges: each layer reads what the one before it wrote.
CHAINS = [
    "ed_tcn",
    "fbnet_c",
    "focal_length_depth_substitute",
    "kws_res8",
    "rapid_rl",
    "vgg_voxceleb",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_network_says_what_it_is(name: str) -> None:
    network = build_network(name)
    assert network.name == name
    assert name.endswith("_substitute") == network.source.startswith("Substitute")
    assert re.search(r"\b(19|20)\d\d\b", network.source), "the source has a year"


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_plausible(name: str) -> None:
    for layer in build_network(name).layers:
        assert layer.Y >= layer.R
        assert layer.X >= layer.S
        assert (layer.Y - layer.R) % layer.stride == 0, "Y is exactly what the outputs need"
        assert (layer.X - layer.S) % layer.stride == 0, "X is exactly what the outputs need"
        assert layer.name.replace(".", "").replace("_", "").isalnum()


def readable(previous: Layer) -> set[int]:
    """The input channels a layer may have after this one, whose map may have been flattened."""
    return {previous.output_channels, previous.output_elements}


@pytest.mark.parametrize("name", CHAINS)
def test_chain_is_consistent(name: str) -> None:
    for previous, layer in itertools.pairwise(build_network(name).layers):
        assert layer.C in readable(previous), f"{layer} cannot read {previous}"


def test_map_shrinks_as_published() -> None:
    layers = {layer.name: layer for layer in build_network("fbnet_c").layers}
    sizes = {"stem": 112, "stage2.block1.depthwise": 56, "stage7.block1.project": 7, "head": 7}
    for name, size in sizes.items():
        assert (layers[name].output_height, layers[name].output_width) == (size, size)
    assert layers["stem"].Y == 111 * 2 + 3
    assert layers["stage3.block1.depthwise"].K == 1


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
def test_skippable_blocks(depth: int) -> None:
    network = build_network("skipnet", depth=depth, skip_probability=0.3)
    residual_blocks = {18: 8, 34: 16, 50: 16, 101: 33}[depth]
    assert len(network.blocks) == residual_blocks - 1
    stop = 0
    for block in network.blocks:
        assert stop <= block.first < block.stop <= len(network.layers)
        assert block.probability == 0.3
        stop = block.stop
        names = [layer.name for layer in network.layers[block.first : block.stop]]
        assert len({name.rsplit(".", 1)[0] for name in names}) == 1
        assert not any("projection" in name for name in names), "the shortcut always runs"
        assert "stage1.block1" not in names[0], "the first block always runs"


def test_supernet_variants_are_ever_lighter() -> None:
    network = build_network("once_for_all")
    assert len(network.variants) == 3
    for heavier, lighter in itertools.pairwise([network, *network.variants]):
        assert lighter.macs < heavier.macs
        assert lighter.weights < heavier.weights
        assert heavier.top1 is not None
        assert lighter.top1 is not None
        assert lighter.top1 < heavier.top1


def test_early_exits() -> None:
    network = build_network("rapid_rl", first_exit=0.8, second_exit=0.5)
    assert [network.layers[early.layer].name for early in network.exits] == ["conv1", "conv2"]
    conv1, conv2, *rest = (layer.macs / network.macs for layer in network.layers)
    mean = conv1 + 0.2 * conv2 + 0.2 * 0.5 * sum(rest)
    assert mean == pytest.approx(0.54, abs=0.005)
    # The published mean, a quarter, is out of reach: no frame computes less than this.
    assert conv1 == pytest.approx(0.434, abs=0.001)
    assert build_network("rapid_rl").exits == network.exits


def test_inception_modules_stack_their_branches() -> None:
    inputs = {layer.name: layer.C for layer in build_network("googlenet").layers}
    stacked = {"3a": 192, "3b": 256, "4a": 480, "4b": 512, "4e": 528, "5a": 832, "5b": 832}
    for module, channels in stacked.items():
        assert inputs[f"inception{module}.1x1"] == channels
    assert inputs["classifier"] == 1024


def test_ritnet_goes_down_and_up_again() -> None:
    layers = {layer.name: layer for layer in build_network("ritnet").layers}
    sizes = [
        (layers[f"{block}.conv2"].output_height, layers[f"{block}.conv2"].output_width)
        for block in ("down1", "down2", "down3", "down4", "down5", "up1", "up2", "up3", "up4")
    ]
    assert sizes[:5] == [(160, 100), (80, 50), (40, 25), (20, 13), (10, 7)]
    assert sizes[5:] == sizes[3::-1]
    assert layers["down2.conv3.reduce"].C == layers["up1.conv2.reduce"].C == 96


def test_hrvit_keeps_four_resolutions() -> None:
    layers = {layer.name: layer for layer in build_network("hrvit_b1").layers}
    for branch, (size, channels) in enumerate([(56, 32), (28, 64), (14, 128), (7, 256)], start=1):
        embed = layers[f"stage6.branch{branch}.embed"]
        assert embed.Y == embed.X == size
        assert embed.C == embed.K == channels
    assert layers["stage5.fuse.1to4.depthwise"].R == 9
    assert layers["head.fuse"].C == 4 * 256


def test_gnmt_is_matrix_vector_products() -> None:
    layers = build_network("gnmt", tokens=2).layers
    assert len(layers) == 2 * 19
    for layer in layers:
        assert (layer.Y, layer.X, layer.R, layer.S) == (1, 1, 1, 1)
    shapes = [(layer.C, layer.K) for layer in layers]
    assert shapes[:19] == shapes[19:]
    assert shapes[:19] == (
        [(2048, 4096)] * 9 + [(1024, 1024)] + [(3072, 4096)] * 8 + [(1024, 32_000)]
    )


@pytest.mark.parametrize("rows", [2, 4, 8])
def test_gnmt_rows_go_through_one_layer(rows: int) -> None:
    alone, together = build_network("gnmt"), build_network("gnmt", rows=rows)
    assert together.macs == alone.macs
    assert together.weights * rows == alone.weights
    assert len(together.layers) * rows == len(alone.layers)
    for one, many in zip(alone.layers, together.layers, strict=False):
        assert many == replace(one, Y=rows)


@pytest.mark.parametrize(("tokens", "rows"), [(8, 3), (8, 16), (8, 0)])
def test_gnmt_rows_divide_the_tokens(tokens: int, rows: int) -> None:
    with pytest.raises(ConfigError, match=f"rows: {rows} does not divide the {tokens} tokens"):
        gnmt(tokens, rows)


def test_padding() -> None:
    net = ChainBuilder(3, 9, 8)
    assert net.conv("same", 4, (5, 3), 2) == Shape(4, 5, 4)
    assert net.layers[-1].Y == 4 * 2 + 5
    assert net.layers[-1].X == 3 * 2 + 3
    assert net.at(Shape(3, 9, 8)).conv("valid", 4, 3, 2, padding="valid") == Shape(4, 4, 3)
    assert net.layers[-1].Y == 3 * 2 + 3
    assert net.layers[-1].X == 2 * 2 + 3, "the last column is not read"
    with pytest.raises(ValueError, match="late: a window of 5 does not fit on an input of 4"):
        net.conv("late", 4, 5, padding="valid")


def test_transposed_convolution_costs_what_it_does() -> None:
    net = ChainBuilder(128, 12, 16)
    assert net.deconv("up", 64, 4) == Shape(64, 24, 32)
    (layer,) = net.layers
    assert layer.weights == 4 * 4 * 128 * 64
    assert layer.macs == layer.weights * 12 * 16


def test_branches_and_merges() -> None:
    net = ChainBuilder(8, 6, 6)
    trunk = net.shape
    left = net.conv("left", 16, 3)
    right = net.at(trunk).conv("right", 4, 1)
    assert net.concat(left, right) == Shape(20, 6, 6)
    assert net.upsample((2, 1)) == Shape(20, 12, 6)
    assert net.pool((4, 2), 2) == Shape(20, 5, 3)
    assert net.fc("fc", 10) == Shape(10)
    assert net.layers[-1].C == 20 * 5 * 3
    assert net.lstm_step("lstm", 32) == Shape(32)
    assert (net.layers[-1].C, net.layers[-1].K) == (10 + 32, 4 * 32)


def test_squeeze_and_excite_weights_the_hidden_channels() -> None:
    net = ChainBuilder(24, 14, 14)
    assert net.mbconv("block", 5, 6, 40, 2, squeeze_excite=True) == Shape(40, 7, 7)
    assert [(layer.name, layer.C, layer.K, layer.Y) for layer in net.layers] == [
        ("block.expand", 24, 144, 14),
        ("block.depthwise", 144, 1, 17),
        ("block.squeeze", 144, 40, 1),
        ("block.excite", 40, 144, 1),
        ("block.project", 144, 40, 7),
    ]


@pytest.mark.parametrize(("channels", "rounded"), [(3, 8), (16, 16), (18, 16), (20, 24), (36, 40)])
def test_make_divisible(channels: float, rounded: int) -> None:
    assert make_divisible(channels) == rounded
