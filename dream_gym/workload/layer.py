"""Layers and networks: the static description of what a model computes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution or matrix product, in the loop dimensions of the cost model.

    Sizes are in elements (one element is one byte, int8). A matrix product of a (rows × C) input
    with (C × K) weights is the convolution with ``Y=rows`` and ``X=R=S=1``.

    Args:
        name: What the layer is called in timelines and cost tables; unique in its network.
        K: Output channels; 1 for a depthwise layer.
        C: Input channels.
        Y: Input height with its padding, ``(output height - 1) * stride + R``.
        X: Input width with its padding, ``(output width - 1) * stride + S``.
        R: Filter height.
        S: Filter width.
        stride: Stride in both directions.
        depthwise: Whether each channel has its own filter and the output has C channels.
    """

    name: str
    K: int
    C: int
    Y: int
    X: int
    R: int = 1
    S: int = 1
    stride: int = 1
    depthwise: bool = False

    def __post_init__(self) -> None:
        for field in ("K", "C", "Y", "X", "R", "S", "stride"):
            if getattr(self, field) < 1:
                raise ValueError(f"layer {self.name!r}: {field} must be at least 1")
        if self.depthwise and self.K != 1:
            raise ValueError(f"layer {self.name!r}: a depthwise layer has K = 1, got {self.K}")

    @property
    def output_height(self) -> int:
        """Rows of the output."""
        return max((self.Y - self.R) // self.stride + 1, 1)

    @property
    def output_width(self) -> int:
        """Columns of the output."""
        return max((self.X - self.S) // self.stride + 1, 1)

    @property
    def output_channels(self) -> int:
        """Channels of the output."""
        return self.C if self.depthwise else self.K

    @property
    def weights(self) -> int:
        """Weight elements, without bias."""
        return self.K * self.C * self.R * self.S

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.weights * self.output_height * self.output_width

    @property
    def input_elements(self) -> int:
        """Input elements, padding included."""
        return self.C * self.Y * self.X

    @property
    def output_elements(self) -> int:
        """Output elements."""
        return self.output_channels * self.output_height * self.output_width


@dataclass(frozen=True, slots=True)
class SkippableBlock:
    """Consecutive layers that a gate may skip for one frame (SkipNet).

    Args:
        first: Index of the block's first layer.
        stop: Index after its last layer.
        probability: Probability in [0, 1] that the block is skipped.
    """

    first: int
    stop: int
    probability: float


@dataclass(frozen=True, slots=True)
class EarlyExit:
    """A point at which a frame may be complete before the last layer (RAPID-RL).

    Args:
        layer: Index of the layer after which the frame may leave.
        probability: Probability in [0, 1] that a frame that gets here leaves here.
    """

    layer: int
    probability: float


@dataclass(frozen=True, slots=True)
class Network:
    """A neural network as the chain of layers that a frame executes.

    Args:
        name: A name for people. In the catalogue it includes the sizes that are not the default,
            such as ``fbnet_c(height=160, width=100)``. The `digest` identifies the network.
        layers: The layers in order of execution.
        source: Where the structure was published, or why it is a substitute.
        blocks: Skippable blocks, in order and disjoint; the first layer is in none of them.
        exits: Early exits, in order.
        variants: Lighter networks that may run in its place, heaviest first (a Supernet); they
            have no variants themselves.
        top1: ImageNet top-1 accuracy in percent, where variants are to be compared.
    """

    name: str
    layers: tuple[Layer, ...]
    source: str
    blocks: tuple[SkippableBlock, ...] = ()
    exits: tuple[EarlyExit, ...] = ()
    variants: tuple[Network, ...] = ()
    top1: float | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError(f"network {self.name!r} has no layers")
        names = [layer.name for layer in self.layers]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"network {self.name!r}: two layers are called {twice!r}")
        self._check_forks()

    def _check_forks(self) -> None:
        stop = 1
        for index, block in enumerate(self.blocks):
            if not stop <= block.first < block.stop <= len(self.layers):
                raise ValueError(
                    f"network {self.name!r}: blocks.{index}: layers {block.first} to {block.stop} "
                    f"do not lie in order between {stop} and {len(self.layers)}"
                )
            stop = block.stop
        after = -1
        for index, early_exit in enumerate(self.exits):
            if not after < early_exit.layer < len(self.layers):
                raise ValueError(
                    f"network {self.name!r}: exits.{index}.layer: {early_exit.layer} does not lie "
                    f"in order between {after + 1} and {len(self.layers) - 1}"
                )
            after = early_exit.layer
        for probability in (fork.probability for fork in self.forks):
            if not 0 <= probability <= 1:
                raise ValueError(
                    f"network {self.name!r}: probability: {probability} is not in [0, 1]"
                )
        for variant in self.variants:
            if variant.variants:
                raise ValueError(
                    f"network {self.name!r}: variant {variant.name!r} has variants of its own"
                )

    @property
    def forks(self) -> tuple[SkippableBlock | EarlyExit, ...]:
        """The points at which the path of a frame is drawn."""
        return (*self.blocks, *self.exits)

    @property
    def family(self) -> tuple[Network, ...]:
        """The network and its variants, by the number of the variant."""
        return (self, *self.variants)

    @property
    def digest(self) -> str:
        """A hash of what its costs depend on, the names and sizes of its layers: 16 hex digits.

        Cost tables identify a network by it, whatever its name.
        """
        layers = [
            (one.name, one.K, one.C, one.Y, one.X, one.R, one.S, one.stride, one.depthwise)
            for one in self.layers
        ]
        return hashlib.sha256(json.dumps(layers).encode()).hexdigest()[:16]

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of one frame that runs every layer."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weights(self) -> int:
        """Weight elements fetched by one frame that runs every layer."""
        return sum(layer.weights for layer in self.layers)
