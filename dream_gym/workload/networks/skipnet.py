"""SkipNet: a residual network that skips blocks where the image allows it."""

from __future__ import annotations

from dream_gym.errors import ConfigError
from dream_gym.workload.layer import Network, SkippableBlock
from dream_gym.workload.networks.builder import ChainBuilder
from dream_gym.workload.networks.resnet import BLOCKS, resnet_stage, resnet_stem


def skipnet(depth: int = 34, skip_probability: float = 0.4) -> Network:
    """SkipNet on a ResNet at 224×224.

    Every block but the very first may be skipped; the projection on its shortcut, if it has one,
    runs all the same. The gates themselves are too small to count.

    Args:
        depth: Of the ResNet: 18, 34, 50 or 101.
        skip_probability: Probability that a block is skipped, the same for all blocks (we recall
            0.3 to 0.5 from the publication; the default is our choice).
    """
    if depth not in BLOCKS:
        raise ConfigError(f"skipnet: depth must be one of 18, 34, 50, 101, got {depth}")
    if not 0 <= skip_probability <= 1:
        raise ConfigError(f"skipnet: skip_probability must be in [0, 1], got {skip_probability}")
    net = ChainBuilder(3, 224, 224)
    resnet_stem(net)
    residuals = [span for stage in range(1, 5) for span in resnet_stage(net, depth, stage)]
    net.global_pool()
    net.fc("classifier", 1000)
    return Network(
        "skipnet",
        tuple(net.layers),
        source="Wang et al., SkipNet: Learning Dynamic Routing in Convolutional Networks, "
        "ECCV 2018",
        blocks=tuple(
            SkippableBlock(span.start, span.stop, skip_probability) for span in residuals[1:]
        ),
    )
