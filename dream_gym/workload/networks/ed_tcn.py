"""ED-TCN: segmenting a video into actions."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder


def ed_tcn() -> Network:
    """Encoder-decoder temporal convolutional network: 668 time steps of 128 features.

    Every step is classified as one of the 48 actions of the Breakfast data set.
    """
    net = ChainBuilder(128, 668)
    net.conv("encoder1", 64, (25, 1))
    net.pool((2, 1))
    net.conv("encoder2", 96, (25, 1))
    net.pool((2, 1))
    net.upsample((2, 1))
    net.conv("decoder1", 96, (25, 1))
    net.upsample((2, 1))
    net.conv("decoder2", 64, (25, 1))
    net.conv("classifier", 48, 1)
    return Network(
        "ed_tcn",
        tuple(net.layers),
        source="Lea et al., Temporal Convolutional Networks for Action Segmentation and "
        "Detection, CVPR 2017",
    )
