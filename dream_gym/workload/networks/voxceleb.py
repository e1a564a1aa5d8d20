"""VGG-VoxCeleb: recognising a person by face or voice."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder


def vgg_voxceleb() -> Network:
    """VGG-M on a 512×300 spectrogram (three seconds), for 1,251 identities.

    Convolutions and poolings pad to the input divided by the stride, rounded up; the publication
    pads by one, and its maps are a little smaller (2.84 instead of 3.19 G multiply-accumulates).
    The map in front of fc6 is the published 9×8.
    """
    net = ChainBuilder(1, 512, 300)
    net.conv("conv1", 96, 7, 2)
    net.pool(3, 2, "same")
    net.conv("conv2", 256, 5, 2)
    net.pool(3, 2, "same")
    net.conv("conv3", 384, 3)
    net.conv("conv4", 256, 3)
    net.conv("conv5", 256, 3)
    net.resize(9, 8)
    net.conv("fc6", 4096, (9, 1), padding="valid")
    net.global_pool()
    net.fc("fc7", 1024)
    net.fc("fc8", 1251)
    return Network(
        "vgg_voxceleb",
        tuple(net.layers),
        source="Nagrani et al., VoxCeleb: a large-scale speaker identification dataset, "
        "Interspeech 2017",
    )
