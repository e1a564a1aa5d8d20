"""RITNet: segmenting an image of an eye into pupil, iris, sclera and the rest."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape

_CHANNELS = 32


def ritnet(height: int = 160, width: int = 100) -> Network:
    """A U-Net of dense blocks: five on the way down, four on the way up.

    Args:
        height: Of the image; published 640, a quarter of it in XRBench.
        width: Of the image; published 400, a quarter of it in XRBench.
    """
    net = ChainBuilder(1, height, width)
    skips = []
    for block in range(1, 6):
        if block > 1:
            skips.append(net.shape)
            net.pool(2, padding="same")
        source = net.shape
        first = net.conv(f"down{block}.conv1", _CHANNELS, 3)
        second = _dense_step(net, f"down{block}.conv2", source, first)
        _dense_step(net, f"down{block}.conv3", source, first, second)
    for block, skip in enumerate(reversed(skips), start=1):
        source = net.concat(net.shape, skip)
        first = _dense_step(net, f"up{block}.conv1", source)
        _dense_step(net, f"up{block}.conv2", source, first)
    net.conv("classes", 4, 1)
    return Network(
        "ritnet",
        tuple(net.layers),
        source="Chaudhary et al., RITnet: Real-time Semantic Segmentation of the Eye for Gaze "
        "Tracking, ICCV Workshops 2019",
    )


def _dense_step(net: ChainBuilder, name: str, *maps: Shape) -> Shape:
    """A 1×1 convolution that narrows all the maps before it, and then a 3×3 convolution."""
    net.concat(*maps)
    net.conv(f"{name}.reduce", _CHANNELS, 1)
    return net.conv(name, _CHANNELS, 3)
