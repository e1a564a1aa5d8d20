"""SOSNet: descriptors of image patches, for visual odometry."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape

# Channels and stride of the 3×3 convolutions.
_CONVS = ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1))


def sosnet(patches: int = 1) -> Network:
    """SOSNet with the body of L2-Net, on grey patches of 32×32.

    Args:
        patches: Patches to describe in one frame, one after another.
    """
    net = ChainBuilder(1, 32, 32)
    for patch in range(1, patches + 1):
        net.at(Shape(1, 32, 32))
        for index, (channels, stride) in enumerate(_CONVS, start=1):
            net.conv(f"patch{patch}.conv{index}", channels, 3, stride)
        net.conv(f"patch{patch}.conv7", 128, 8, padding="valid")
    return Network(
        "sosnet",
        tuple(net.layers),
        source="Tian et al., SOSNet: Second Order Similarity Regularization for Local Descriptor "
        "Learning, CVPR 2019",
    )
