"""Emformer: speech recognition."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

_WIDTH = 512


def emformer(frames: int = 128) -> Network:
    """EM-24L: 24 transformer blocks of width 512.

    The products of queries, keys and values have no weights and are left out, as XRBench does.

    Args:
        frames: Frames of speech in one request, all rows of the matrix products.
    """
    net = ChainBuilder(_WIDTH, frames)
    for block in range(1, 25):
        source = net.shape
        net.conv(f"block{block}.query", _WIDTH, 1)
        net.at(source).conv(f"block{block}.key_value", 2 * _WIDTH, 1)
        net.at(source).conv(f"block{block}.attention", _WIDTH, 1)
        net.conv(f"block{block}.expand", 4 * _WIDTH, 1)
        net.conv(f"block{block}.contract", _WIDTH, 1)
    return Network(
        "emformer",
        tuple(net.layers),
        source="Shi et al., Emformer: Efficient Memory Transformer Based Acoustic Model for Low "
        "Latency Streaming Speech Recognition, ICASSP 2021",
    )
