"""Networks that find the pose of a hand."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape

_CHANNELS = 256
_JOINTS = 21
_VERTICES = 80  # of the mesh at its coarsest; each refinement has four times as many


def hand_pose_net_substitute() -> Network:
    """A stand-in for HandPoseNet: a shared trunk and six branches on a 96×96 depth image."""
    net = ChainBuilder(1, 96, 96)
    net.conv("conv1", 32, 5)
    net.pool(2)
    net.conv("conv2", 64, 3)
    net.conv("conv3", 64, 3)
    net.pool(2)
    net.conv("conv4", 128, 3)
    net.conv("conv5", 128, 3)
    trunk = net.pool(2)
    branches = []
    for branch in range(1, 7):
        net.at(trunk).conv(f"branch{branch}.conv", 128, 3)
        net.fc(f"branch{branch}.fc1", 1024)
        branches.append(net.fc(f"branch{branch}.fc2", 1024))
    net.concat(*branches)
    net.fc("pose", 60)
    return Network(
        "hand_pose_net_substitute",
        tuple(net.layers),
        source="Substitute for Madadi et al., End-to-end Global to Local CNN Learning for Hand "
        "Pose Recovery in Depth Data, arXiv:1705.09606, 2017, of like structure and size",
    )


def hand_graph_cnn() -> Network:
    """Two stacked hourglasses, a residual net and graph convolutions on a 128×128 crop.

    As published, except for the size of the crop, which XRBench halves. A graph convolution is the
    product with its three Chebyshev terms; the sparse products that make them are not layers.
    """
    net = ChainBuilder(3, 128, 128)
    net.conv("stem", 64, 7, 2)
    _residual(net, "residual1", 128)
    net.pool(2)
    _residual(net, "residual2", 128)
    _residual(net, "residual3", _CHANNELS)

    for stack in (1, 2):
        name = f"stack{stack}"
        _hourglass(net, name, levels=4)
        _residuals(net, f"{name}.out", _CHANNELS)
        encoding = net.conv(f"{name}.linear", _CHANNELS, 1)
        heatmaps = net.conv(f"{name}.heatmaps", _JOINTS, 1)
        net.at(encoding).conv(f"{name}.merge_encoding", _CHANNELS, 1)
        net.at(heatmaps).conv(f"{name}.merge_heatmaps", _CHANNELS, 1)

    for block in range(1, 5):
        _residuals(net, f"feature{block}", _CHANNELS)
        net.pool(2)
    net.fc("mesh.fc1", 512)
    net.fc("mesh.fc2", 64 * _VERTICES)
    net.at(Shape(64, 4 * _VERTICES))
    _graph_conv(net, "mesh.graph1", 64)
    _graph_conv(net, "mesh.graph2", 32)
    net.upsample((4, 1))
    _graph_conv(net, "mesh.graph3", 32)
    _graph_conv(net, "mesh.vertices", 3)

    _graph_conv(net, "pose.graph1", 32)
    _graph_conv(net, "pose.graph2", 32)
    net.pool((4, 1))
    _graph_conv(net, "pose.graph3", 64)
    _graph_conv(net, "pose.graph4", 64)
    net.pool((4, 1))
    net.fc("pose.fc1", 512)
    net.fc("pose.depths", _JOINTS - 1)
    return Network(
        "hand_graph_cnn",
        tuple(net.layers),
        source="Ge et al., 3D Hand Shape and Pose Estimation from a Single RGB Image, CVPR 2019",
    )


def _hourglass(net: ChainBuilder, name: str, levels: int) -> None:
    """Halve the map, continue there, and add the result to what was computed at full size."""
    top = net.shape
    _residuals(net, f"{name}.level{levels}.skip", _CHANNELS)
    net.at(top).pool(2)
    _residuals(net, f"{name}.level{levels}.down", _CHANNELS)
    if levels > 1:
        _hourglass(net, name, levels - 1)
    else:
        _residuals(net, f"{name}.bottom", _CHANNELS)
    _residuals(net, f"{name}.level{levels}.up", _CHANNELS)
    net.upsample()


def _residuals(net: ChainBuilder, name: str, channels: int) -> None:
    for index in (1, 2):
        _residual(net, f"{name}{index}", channels)


def _residual(net: ChainBuilder, name: str, channels: int) -> None:
    if net.shape.channels != channels:
        source = net.shape
        net.conv(f"{name}.projection", channels, 1)
        net.at(source)
    net.conv(f"{name}.reduce", channels // 2, 1)
    net.conv(f"{name}.conv", channels // 2, 3)
    net.conv(f"{name}.expand", channels, 1)


def _graph_conv(net: ChainBuilder, name: str, channels: int) -> None:
    net.concat(net.shape, net.shape, net.shape)
    net.conv(name, channels, 1)
