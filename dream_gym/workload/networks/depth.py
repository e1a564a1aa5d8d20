"""Networks that estimate depth from one image."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder
from dream_gym.workload.networks.resnet import resnet_stage, resnet_stem

# Channels and number of the 3×3 convolutions before each pooling.
_VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
# Kernel, expansion, channels, stride and blocks of each stage.
_EFFICIENTNET_LITE3 = (
    (3, 1, 24, 1, 1),
    (3, 6, 32, 2, 3),
    (5, 6, 48, 2, 3),
    (3, 6, 96, 2, 5),
    (5, 6, 136, 1, 5),
    (5, 6, 232, 2, 6),
    (3, 6, 384, 1, 1),
)


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


def midas_small() -> Network:
    """MiDaS v2.1 small at 256×192: EfficientNet-Lite3 and a decoder that refines four scales.

    The published count of parameters includes a residual unit of the coarsest scale that exists
    but never runs; it is left out here.
    """
    net = ChainBuilder(3, 192, 256)
    net.conv("stem", 32, 3, 2)
    outputs = []
    for stage, row in enumerate(_EFFICIENTNET_LITE3, start=1):
        outputs.append(net.mbconv_stage(f"stage{stage}", *row))

    scales = [outputs[1], outputs[2], outputs[4], outputs[6]]
    maps = [
        net.at(scale).conv(f"scale{index}", 64 * 2**index, 3) for index, scale in enumerate(scales)
    ]
    for index in (3, 2, 1, 0):
        channels = 64 * 2**index
        for unit in ("skip", "merged") if index < 3 else ("merged",):
            net.at(maps[index]).conv(f"refine{index}.{unit}.conv1", channels, 3)
            net.conv(f"refine{index}.{unit}.conv2", channels, 3)
        net.upsample()
        net.conv(f"refine{index}.out", 64 * 2 ** max(index - 1, 0), 1)
    net.conv("head.conv1", 32, 3)
    net.upsample()
    net.conv("head.conv2", 32, 3)
    net.conv("depth", 1, 1)
    return Network(
        "midas_small",
        tuple(net.layers),
        source="Ranftl et al., Towards Robust Monocular Depth Estimation, TPAMI 2022 (v2.1 small)",
    )


def rgbd_200() -> Network:
    """Sparse-to-dense depth: ResNet-18 with up-projections.

    It reads a 912×228 image and 200 measured depths as a fourth channel.
    """
    net = ChainBuilder(4, 228, 912)
    resnet_stem(net)
    for stage in range(1, 5):
        resnet_stage(net, 18, stage)
    net.conv("narrow", 256, 1)
    for stage, channels in enumerate((128, 64, 32, 16), start=1):
        source = net.upsample()
        net.conv(f"decoder{stage}.shortcut", channels, 5)
        net.at(source).conv(f"decoder{stage}.conv1", channels, 5)
        net.conv(f"decoder{stage}.conv2", channels, 3)
    net.conv("depth", 1, 3)
    return Network(
        "rgbd_200",
        tuple(net.layers),
        source="Ma and Karaman, Sparse-to-Dense: Depth Prediction from Sparse Depth Samples and a "
        "Single Image, ICRA 2018",
    )
