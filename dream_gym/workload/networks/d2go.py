"""D2Go's Faster R-CNN: object detection on a phone."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

# Kernel, expansion, channels, stride, blocks, squeeze-and-excite.
_Stage = tuple[int, int, int, int, int, bool]
_TRUNK: tuple[_Stage, ...] = (
    (3, 1, 16, 1, 2, False),
    (5, 4, 24, 2, 1, False),
    (5, 3, 24, 1, 3, False),
    (5, 4, 32, 2, 1, True),
    (3, 3, 32, 1, 3, True),
    (5, 4, 64, 2, 1, False),
    (3, 3, 64, 1, 3, False),
    (5, 4, 112, 1, 1, True),
    (5, 3, 112, 1, 5, True),
)
_PROPOSALS: tuple[_Stage, ...] = _TRUNK[-1:]
_REGION: tuple[_Stage, ...] = (
    (5, 4, 184, 2, 1, True),
    (3, 4, 184, 1, 4, True),
    (5, 6, 200, 1, 1, True),
)
_ANCHORS = 15
_CLASSES = 80


def d2go_faster_rcnn() -> Network:
    """Faster R-CNN with FBNetV3-A as its trunk, at 299×224.

    The box head is counted for one region, as in XRBench; D2Go runs it on up to 30.
    """
    net = ChainBuilder(3, 224, 299)
    net.conv("stem", 16, 3, 2)
    _stages(net, "trunk", _TRUNK)
    trunk = net.shape
    _stages(net, "proposals", _PROPOSALS)
    proposals = net.shape
    net.conv("proposals.objectness", _ANCHORS, 1)
    net.at(proposals).conv("proposals.boxes", 4 * _ANCHORS, 1)

    net.at(trunk).resize(6, 6)
    _stages(net, "region", _REGION)
    region = net.global_pool()
    net.fc("region.classes", _CLASSES + 1)
    net.at(region).fc("region.boxes", 4 * _CLASSES)
    return Network(
        "d2go_faster_rcnn",
        tuple(net.layers),
        source="Dai et al., FBNetV3: Joint Architecture-Recipe Search, CVPR 2021; as the detector "
        "faster_rcnn_fbnetv3a_C4 of D2Go",
    )


def _stages(net: ChainBuilder, name: str, stages: tuple[_Stage, ...]) -> None:
    for stage, (*row, squeeze_excite) in enumerate(stages, start=1):
        net.mbconv_stage(f"{name}.stage{stage}", *row, squeeze_excite=squeeze_excite)
