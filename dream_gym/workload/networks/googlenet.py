"""GoogLeNet: telling cars apart."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

# Channels of each module's branches: 1×1; reduce, 3×3; reduce, 5×5; behind the pooling.
_INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet() -> Network:
    """GoogLeNet (Inception v1) at 224×224, without the auxiliary classifiers."""
    net = ChainBuilder(3, 224, 224)
    net.conv("conv1", 64, 7, 2)
    net.pool(3, 2, "same")
    net.conv("conv2.reduce", 64, 1)
    net.conv("conv2", 192, 3)
    net.pool(3, 2, "same")
    for name, channels in _INCEPTIONS.items():
        if name in ("4a", "5a"):
            net.pool(3, 2, "same")
        _inception(net, f"inception{name}", *channels)
    net.global_pool()
    net.fc("classifier", 1000)
    return Network(
        "googlenet",
        tuple(net.layers),
        source="Szegedy et al., Going Deeper with Convolutions, CVPR 2015",
    )


def _inception(
    net: ChainBuilder,
    name: str,
    one: int,
    three_reduce: int,
    three: int,
    five_reduce: int,
    five: int,
    pooled: int,
) -> None:
    source = net.shape
    branches = [net.conv(f"{name}.1x1", one, 1)]
    net.at(source).conv(f"{name}.3x3.reduce", three_reduce, 1)
    branches.append(net.conv(f"{name}.3x3", three, 3))
    net.at(source).conv(f"{name}.5x5.reduce", five_reduce, 1)
    branches.append(net.conv(f"{name}.5x5", five, 5))
    branches.append(net.at(source).conv(f"{name}.pooled", pooled, 1))
    net.concat(*branches)
