"""Networks that estimate depth from one image."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

# Channels and number of the 3×3 convolutions before each pooling.
_VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def focal_length_depth_substitute() -> Network:
    """A stand-in for FocalLengthDepth: VGG-16 at 224×224 and a decoder of up-convolutions."""
    net = ChainBuilder(3, 224, 224)
    for stage, (channels, convs) in enumerate(_VGG16, start=1):
        for index in range(1, convs + 1):
            net.conv(f"encoder{stage}.conv{index}", channels, 3)
        net.pool(2)
    for stage, channels in enumerate((256, 128, 64, 32), start=1):
        net.upsample()
        net.conv(f"decoder{stage}", channels, 5)
    net.conv("depth", 1, 3)
    return Network(
        "focal_length_depth_substitute",
        tuple(net.layers),
        source="Substitute for He et al., Learning Depth from Single Images with Deep Neural "
        "Network Embedding Focal Length, IEEE TIP 2018, of like structure and size",
    )
