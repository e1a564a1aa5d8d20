"""Once-for-All: a Supernet, whose lighter variants share its weights."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

_SOURCE = (
    "Cai et al., Once-for-All: Train One Network and Specialize It for Efficient Deployment, "
    "ICLR 2020"
)
# Channels, stride, squeeze-and-excite.
_UNITS = (
    (24, 2, False),
    (40, 2, True),
    (80, 2, False),
    (112, 1, True),
    (160, 2, True),
)


def once_for_all() -> Network:
    """The Supernet in the space of MobileNetV3, and three lighter variants of it.

    The accuracies are estimates: the publication gives some 71 to 80 % over the whole space,
    and the ends of this list are put at the ends of that range.
    """
    return _subnet(
        kernel=7,
        expansion=6,
        depth=4,
        top1=80.0,
        variants=(
            _subnet(kernel=5, expansion=4, depth=3, top1=77.0),
            _subnet(kernel=3, expansion=4, depth=2, top1=74.0),
            _subnet(kernel=3, expansion=3, depth=2, resolution=160, top1=71.0),
        ),
    )


def _subnet(
    *,
    kernel: int,
    expansion: int,
    depth: int,
    top1: float,
    resolution: int = 224,
    variants: tuple[Network, ...] = (),
) -> Network:
    """One network of the space, with the same kernel, expansion and depth in all units."""
    net = ChainBuilder(3, resolution, resolution)
    net.conv("stem", 16, 3, 2)
    net.mbconv("unit0", 3, 1, 16, 1)
    for unit, (channels, stride, squeeze_excite) in enumerate(_UNITS, start=1):
        net.mbconv_stage(
            f"unit{unit}",
            kernel,
            expansion,
            channels,
            stride,
            depth,
            squeeze_excite=squeeze_excite,
        )
    net.conv("head", 960, 1)
    net.global_pool()
    net.fc("mix", 1280)
    net.fc("classifier", 1000)
    name = "once_for_all"
    if not variants:
        name += f".k{kernel}_e{expansion}_d{depth}_r{resolution}"
    return Network(name, tuple(net.layers), _SOURCE, variants=variants, top1=top1)
