"""SSDLite on MobileNetV2: object, face and hand detection."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

# Expansion, channels, stride and blocks; the kernel is 3 throughout.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 2, 3),
    (6, 64, 2, 4),
    (6, 96, 1, 3),
    (6, 160, 2, 3),
    (6, 320, 1, 1),
)
# Bottleneck and output channels of the maps behind the trunk.
_EXTRAS = ((256, 512), (128, 256), (128, 256), (64, 64))
_ANCHORS = 6
_CLASSES = 21


def ssdlite_mobilenetv2() -> Network:
    """SSDLite at 300×300 with MobileNetV2 as its trunk, for 20 classes and background.

    Class and box heads read six maps: the expansion of the first block at stride 32, the last of
    the trunk, and four smaller ones.
    """
    net = ChainBuilder(3, 300, 300)
    maps = []
    net.conv("stem", 32, 3, 2)
    for stage, (expansion, channels, stride, blocks) in enumerate(_STAGES, start=1):
        if channels == 160:
            maps.append(net.shape._replace(channels=expansion * net.shape.channels))
        net.mbconv_stage(f"stage{stage}", 3, expansion, channels, stride, blocks)
    maps.append(net.conv("head", 1280, 1))
    for index, (bottleneck, channels) in enumerate(_EXTRAS, start=1):
        net.conv(f"extra{index}.reduce", bottleneck, 1)
        net.depthwise(f"extra{index}.depthwise", 3, 2)
        maps.append(net.conv(f"extra{index}.expand", channels, 1))

    for index, shape in enumerate(maps, start=1):
        for head, outputs in (("classes", _ANCHORS * _CLASSES), ("boxes", _ANCHORS * 4)):
            net.at(shape)
            if shape is not maps[-1]:
                net.depthwise(f"map{index}.{head}.depthwise", 3)
            net.conv(f"map{index}.{head}", outputs, 1)
    return Network(
        "ssdlite_mobilenetv2",
        tuple(net.layers),
        source="Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018",
    )
