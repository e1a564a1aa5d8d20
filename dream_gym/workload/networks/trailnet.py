"""TrailNet: steering a drone along a trail."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder


def trailnet() -> Network:
    """S-ResNet-18 at 320×180, which estimates the drone's angle and its offset from the trail.

    Unlike in ResNet-18, the stride of a stage is on the second convolution of its first block.
    """
    net = ChainBuilder(3, 180, 320)
    net.conv("stem", 64, 7, 2, padding="valid")
    net.pool(3, 2, "same")
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            name = f"stage{stage}.block{block}"
            shortcut = net.shape
            stride = 2 if channels != shortcut.channels else 1
            if stride > 1:
                net.conv(f"{name}.projection", channels, 1, stride)
            net.at(shortcut).conv(f"{name}.conv1", channels, 3)
            net.conv(f"{name}.conv2", channels, 3, stride)
    features = net.global_pool()
    net.fc("rotation", 3)
    net.at(features).fc("translation", 3)
    return Network(
        "trailnet",
        tuple(net.layers),
        source="Smolyanskiy et al., Toward Low-Flying Autonomous MAV Trail Navigation Using Deep "
        "Neural Networks for Environmental Awareness, IROS 2017",
    )
