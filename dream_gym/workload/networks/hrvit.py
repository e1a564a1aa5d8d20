"""HRViT: semantic segmentation with a transformer that keeps high resolution."""

from __future__ import annotations

import math

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape

_CHANNELS = (32, 64, 128, 256)
# Transformer blocks on each branch, by stage; the branches halve in size from the first on.
_STAGES = ((1,), (1, 1), (1, 1, 6), (1, 1, 6), (1, 1, 6, 2), (1, 1, 2, 2))


def hrvit_b1() -> Network:
    """HRViT-b1 at 224×224 with the SegFormer head, for the 150 classes of ADE20K.

    The products of queries and keys within the attention windows have no weights and are left
    out, as XRBench does.
    """
    net = ChainBuilder(3, 224, 224)
    net.conv("stem.conv1", 32, 3, 2)
    maps = [net.conv("stem.conv2", 64, 3, 2)]
    for index, blocks in enumerate(_STAGES, start=1):
        name = f"stage{index}"
        if index > 1:
            maps = _fuse(net, f"{name}.fuse", maps, branches=len(blocks))
        maps = [
            _branch(net.at(shape), f"{name}.branch{branch + 1}", _CHANNELS[branch], blocks[branch])
            for branch, shape in enumerate(maps)
        ]

    top = maps[0]
    embedded = []
    for branch, shape in enumerate(maps, start=1):
        net.at(shape).conv(f"head.embed{branch}", 256, 1)
        embedded.append(net.resize(top.height, top.width))
    net.concat(*embedded)
    net.conv("head.fuse", 256, 1)
    net.conv("head.classes", 150, 1)
    return Network(
        "hrvit_b1",
        tuple(net.layers),
        source="Gu et al., Multi-Scale High-Resolution Vision Transformer for Semantic "
        "Segmentation, CVPR 2022",
    )


def _fuse(net: ChainBuilder, name: str, maps: list[Shape], branches: int) -> list[Shape]:
    """Make every branch the sum of all maps, each brought to its size; a new one is half as big."""
    fused = maps.copy()
    for target in range(branches):
        for source, shape in enumerate(maps):
            step = f"{name}.{source + 1}to{target + 1}"
            net.at(shape)
            if source < target:
                factor = 2 ** (target - source)
                net.depthwise(f"{step}.depthwise", factor + 1, factor)
            if source != target:
                net.conv(step, _CHANNELS[target], 1)
        if target == len(maps):
            fused.append(net.shape)
    return fused


def _branch(net: ChainBuilder, name: str, channels: int, blocks: int) -> Shape:
    """Patch embedding, and transformer blocks."""
    net.conv(f"{name}.embed", channels, 1)
    net.depthwise(f"{name}.embed.depthwise", 3)
    for block in range(1, blocks + 1):
        _attention(net, f"{name}.block{block}")
        _mixed_ffn(net, f"{name}.block{block}")
    return net.shape


def _attention(net: ChainBuilder, name: str) -> None:
    """Cross-shaped attention with keys equal to values, and its diversity-enhanced shortcut."""
    source = net.shape
    net.conv(f"{name}.query_value", 2 * source.channels, 1)
    net.at(source).depthwise(f"{name}.parallel", 3)
    net.conv(f"{name}.project", source.channels, 1)

    # The shortcut is a linear layer factored as a Kronecker product of two small matrices.
    right = 2 ** math.ceil(math.log2(source.channels) / 2)
    left = source.channels // right
    net.at(Shape(right, source.height * left, source.width)).conv(f"{name}.shortcut1", right, 1)
    net.at(Shape(left, source.height * right, source.width)).conv(f"{name}.shortcut2", left, 1)
    net.at(source)


def _mixed_ffn(net: ChainBuilder, name: str) -> None:
    """A feed-forward layer whose hidden channels pass a 3×3 and a 5×5 convolution, half each."""
    channels = net.shape.channels
    hidden = net.conv(f"{name}.expand", 4 * channels, 1)
    half = hidden._replace(channels=hidden.channels // 2)
    three = net.at(half).depthwise(f"{name}.mix3", 3)
    five = net.at(half).depthwise(f"{name}.mix5", 5)
    net.concat(three, five)
    net.conv(f"{name}.contract", channels, 1)
