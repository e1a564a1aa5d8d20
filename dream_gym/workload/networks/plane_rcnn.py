"""PlaneRCNN: finding the planes of a room."""

from __future__ import annotations

import math

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape
from dream_gym.workload.networks.resnet import resnet_stage, resnet_stem

_LEVELS = (5, 4, 3, 2)  # of the feature pyramid: the image halved so many times
_CHANNELS = 256
_CLASSES = 8  # seven typical normals, and background
_ANCHORS = 3


def plane_rcnn() -> Network:
    """Mask R-CNN on ResNet-101-FPN with a depth decoder and a refinement of the planes' masks.

    In the size that XRBench uses: the image and the regions have a quarter of their height and
    width (160×160), regions are proposed on the coarsest map only, and the heads and the
    refinement count once, for one region. The trunk's bottlenecks have the stride on their
    3×3 convolution, not on the 1×1 in front.
    """
    net = ChainBuilder(3, 160, 160)
    resnet_stem(net)
    stages = {}
    for stage in range(1, 5):
        resnet_stage(net, 101, stage)
        stages[stage + 1] = net.shape
    laterals = {
        level: net.at(stages[level]).conv(f"fpn.lateral{level}", _CHANNELS, 1) for level in _LEVELS
    }
    pyramid = {
        level: net.at(laterals[level]).conv(f"fpn.out{level}", _CHANNELS, 3) for level in _LEVELS
    }
    coarsest = net.at(pyramid[5]).pool(1, 2, "same")
    _depth(net, coarsest, pyramid)
    _proposals(net, coarsest)
    _region(net)
    _refinement(net)
    return Network(
        "plane_rcnn",
        tuple(net.layers),
        source="Liu et al., PlaneRCNN: 3D Plane Detection and Reconstruction from a Single Image, "
        "CVPR 2019; reduced as in Kwon et al., XRBench, MLSys 2023",
    )


def _depth(net: ChainBuilder, coarsest: Shape, pyramid: dict[int, Shape]) -> None:
    """The image's depth, from all levels; the finer ones lose the rows that pad the image."""
    net.at(coarsest).conv("depth.lateral6", 128, 3)
    upsampled = net.resize(pyramid[5].height, pyramid[5].width)
    net.conv("depth.up6", 128, 3)
    for level in _LEVELS:
        shape = pyramid[level]
        if level < 5:
            shape = shape._replace(height=math.ceil(shape.height * 3 / 4))
        lateral = net.at(shape).conv(f"depth.lateral{level}", 128, 3)
        net.concat(upsampled, lateral)
        net.upsample()
        upsampled = net.conv(f"depth.up{level}", 128 if level > 2 else 64, 3)
    net.conv("depth", 1, 3)


def _proposals(net: ChainBuilder, shape: Shape) -> None:
    shared = net.at(shape).conv("proposals", 512, 3)
    net.conv("proposals.objectness", 2 * _ANCHORS, 1)
    net.at(shared).conv("proposals.boxes", 4 * _ANCHORS, 1)


def _region(net: ChainBuilder) -> None:
    """Class, box, plane and mask of one region; its features come with 64 of its coordinates."""
    net.at(Shape(3, 40, 40)).conv("region.coordinates", 64, 1)
    net.at(Shape(_CHANNELS + 64, 2, 2)).conv("region.conv1", 1024, 2, padding="valid")
    features = net.conv("region.conv2", 1024, 1)
    for head, outputs in (("classes", 1), ("boxes", 4), ("planes", 3)):
        net.at(features).fc(f"region.{head}", outputs * _CLASSES)
    net.at(Shape(_CHANNELS, 4, 4))
    for index in range(1, 5):
        net.conv(f"mask.conv{index}", _CHANNELS, 3)
    net.deconv("mask.up", _CHANNELS, 2)
    net.conv("mask", _CLASSES, 1)


def _refinement(net: ChainBuilder) -> None:
    """A U-Net on the image and a plane's mask, which also sees the mean over all other planes."""
    net.at(Shape(10, 48, 64))
    full = net.conv("refine.conv0", 32, 3)
    net.concat(full, full)
    half = net.conv("refine.conv1", 64, 3, 2)
    net.concat(half, half)
    half = net.conv("refine.conv1b", 64, 3)
    net.concat(half, half)
    quarter = net.conv("refine.conv2", 128, 3, 2)
    net.concat(quarter, quarter)
    quarter = net.conv("refine.conv2b", 128, 3)
    for scope, outputs in (("plane", ("mask",)), ("scene", ("mask", "depth"))):
        net.at(quarter).deconv(f"refine.{scope}.up2", 64, 4)
        net.concat(net.shape, half)
        net.deconv(f"refine.{scope}.up1", 32, 4)
        merged = net.concat(net.shape, full)
        for output in outputs:
            net.at(merged).conv(f"refine.{scope}.{output}.conv", 16, 3)
            net.conv(f"refine.{scope}.{output}", 1, 3)
