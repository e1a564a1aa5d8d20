"""The stages of ResNet, from which several networks of the catalogue are made."""

from __future__ import annotations

from dream_gym.workload.networks.builder import ChainBuilder

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
}
"""Residual blocks in each of the four stages, by depth."""


def resnet_stem(net: ChainBuilder) -> None:
    """The layers before the first stage."""
    net.conv("stem", 64, 7, 2)
    net.pool(3, 2, "same")


def resnet_stage(net: ChainBuilder, depth: int, stage: int) -> list[range]:
    """One stage (1 to 4): basic blocks up to depth 34, bottlenecks above.

    Where a block changes the size of the map, a projection does so on its shortcut; it comes
    first. Bottlenecks have the stride on their 3×3 convolution, as in most implementations.

    Returns:
        The layers of each block, without its projection.
    """
    width = 32 * 2**stage
    bottleneck = depth > 34
    channels = 4 * width if bottleneck else width
    residuals = []
    for block in range(1, BLOCKS[depth][stage - 1] + 1):
        name = f"stage{stage}.block{block}"
        stride = 2 if block == 1 and stage > 1 else 1
        shortcut = net.shape
        if stride > 1 or shortcut.channels != channels:
            net.conv(f"{name}.projection", channels, 1, stride)
        first = len(net.layers)
        net.at(shortcut)
        if bottleneck:
            net.conv(f"{name}.reduce", width, 1)
            net.conv(f"{name}.conv", width, 3, stride)
            net.conv(f"{name}.expand", channels, 1)
        else:
            net.conv(f"{name}.conv1", width, 3, stride)
            net.conv(f"{name}.conv2", width, 3)
        residuals.append(range(first, len(net.layers)))
    return residuals
