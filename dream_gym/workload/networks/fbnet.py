"""FBNet-C: gaze estimation."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

# Kernel, expansion, channels and stride of each block.
_STAGES = (
    ((3, 1, 16, 1),),
    ((3, 6, 24, 2), (3, 1, 24, 1), (3, 1, 24, 1)),
    ((5, 6, 32, 2), (5, 3, 32, 1), (5, 6, 32, 1), (3, 6, 32, 1)),
    ((5, 6, 64, 2), (5, 3, 64, 1), (5, 6, 64, 1), (5, 6, 64, 1)),
    ((5, 6, 112, 1), (5, 6, 112, 1), (5, 6, 112, 1), (5, 3, 112, 1)),
    ((5, 6, 184, 2), (5, 6, 184, 1), (5, 6, 184, 1), (5, 6, 184, 1)),
    ((3, 6, 352, 1),),
)


def fbnet_c(height: int = 224, width: int = 224) -> Network:
    """FBNet-C, as found by the search for a Samsung S8.

    Args:
        height: Of the image; 160 for the eye images of XRBench.
        width: Of the image; 100 there.
    """
    net = ChainBuilder(3, height, width)
    net.conv("stem", 16, 3, 2)
    for stage, blocks in enumerate(_STAGES, start=1):
        for block, (kernel, expansion, channels, stride) in enumerate(blocks, start=1):
            net.mbconv(f"stage{stage}.block{block}", kernel, expansion, channels, stride)
    net.conv("head", 1984, 1)
    net.global_pool()
    net.fc("classifier", 1000)
    return Network(
        "fbnet_c",
        tuple(net.layers),
        source="Wu et al., FBNet: Hardware-Aware Efficient ConvNet Design via Differentiable "
        "Neural Architecture Search, CVPR 2019",
    )
