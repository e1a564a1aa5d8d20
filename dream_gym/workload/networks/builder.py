"""A builder that writes a network down as its publication prints it, stage by stage."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dream_gym.workload.layer import Layer

Kernel = int | tuple[int, int]
Padding = Literal["same", "valid"]


class Shape(NamedTuple):
    """The size of a feature map."""

    channels: int
    height: int = 1
    width: int = 1


class ChainBuilder:
    """Writes layers down in order of execution and keeps track of the feature map.

    Every layer reads the current map (`shape`), and its output becomes the current map. A branch
    returns to an earlier map with `at`, and a merge states its result with `concat`. Pooling,
    upsampling and element-wise steps change the map but are not layers. Padding is ``same`` (the
    output is the input divided by the stride, rounded up) or ``valid`` (none).

    Args:
        channels: Channels of the network's input.
        height: Height of the input; the number of rows or time steps where it has no width.
        width: Width of the input.
    """

    def __init__(self, channels: int, height: int = 1, width: int = 1) -> None:
        self.shape = Shape(channels, height, width)
        self.layers: list[Layer] = []

    def at(self, shape: Shape) -> ChainBuilder:
        """Continue from another map: the start of a branch, or a skip connection."""
        self.shape = shape
        return self

    def concat(self, *maps: Shape) -> Shape:
        """Continue from these maps, stacked along their channels; all are as large as the last."""
        self.shape = maps[-1]._replace(channels=sum(shape.channels for shape in maps))
        return self.shape

    def conv(
        self,
        name: str,
        channels: int,
        kernel: Kernel,
        stride: int = 1,
        padding: Padding = "same",
    ) -> Shape:
        """A convolution with this many output channels."""
        return self._convolve(name, channels, kernel, stride, padding, depthwise=False)

    def depthwise(self, name: str, kernel: Kernel, stride: int = 1) -> Shape:
        """A convolution with one filter for each channel."""
        return self._convolve(name, 1, kernel, stride, "same", depthwise=True)

    def deconv(self, name: str, channels: int, kernel: int) -> Shape:
        """A transposed convolution of stride 2 with an even kernel.

        Each of the four outputs of an input reads a quarter of the kernel: that is a convolution
        with half the kernel's sides and four times the channels.
        """
        self.conv(name, 4 * channels, kernel // 2)
        self.shape = Shape(channels, 2 * self.shape.height, 2 * self.shape.width)
        return self.shape

    def mbconv(
        self,
        name: str,
        kernel: int,
        expansion: int,
        channels: int,
        stride: int,
        *,
        squeeze_excite: bool = False,
    ) -> Shape:
        """An inverted residual: expand (unless by 1), depthwise, project.

        Args:
            name: Prefix of the layers' names.
            kernel: Of the depthwise convolution.
            expansion: Hidden channels per input channel.
            channels: Output channels.
            stride: Of the depthwise convolution.
            squeeze_excite: Whether squeeze-and-excite, through a quarter of the hidden channels,
                follows the depthwise convolution.
        """
        if expansion != 1:
            self.conv(f"{name}.expand", expansion * self.shape.channels, 1)
        hidden = self.depthwise(f"{name}.depthwise", kernel, stride)
        if squeeze_excite:
            self.global_pool()
            self.fc(f"{name}.squeeze", make_divisible(hidden.channels / 4))
            self.fc(f"{name}.excite", hidden.channels)
        return self.at(hidden).conv(f"{name}.project", channels, 1)

    def mbconv_stage(
        self,
        name: str,
        kernel: int,
        expansion: int,
        channels: int,
        stride: int,
        blocks: int,
        *,
        squeeze_excite: bool = False,
    ) -> Shape:
        """Equal inverted residuals one after another, the stride on the first."""
        for block in range(1, blocks + 1):
            self.mbconv(
                f"{name}.block{block}",
                kernel,
                expansion,
                channels,
                stride if block == 1 else 1,
                squeeze_excite=squeeze_excite,
            )
        return self.shape

    def fc(self, name: str, features: int) -> Shape:
        """A fully connected layer on the flattened map."""
        channels, height, width = self.shape
        self.shape = Shape(channels * height * width)
        return self.conv(name, features, 1)

    def lstm_step(self, name: str, units: int) -> Shape:
        """One time step of an LSTM: all four gates, on the input and the layer's own state."""
        self.concat(self.shape, self.shape._replace(channels=units))
        self.conv(name, 4 * units, 1)
        self.shape = self.shape._replace(channels=units)
        return self.shape

    def pool(self, kernel: Kernel, stride: Kernel = 0, padding: Padding = "valid") -> Shape:
        """Pooling; the stride is the kernel's size unless given."""
        channels, height, width = self.shape
        kernel_y, kernel_x = _pair(kernel)
        stride_y, stride_x = _pair(stride or kernel)
        self.shape = Shape(
            channels,
            _outputs("pool", height, kernel_y, stride_y, padding),
            _outputs("pool", width, kernel_x, stride_x, padding),
        )
        return self.shape

    def global_pool(self) -> Shape:
        """Pooling of the whole map to one value a channel."""
        return self.resize(1, 1)

    def resize(self, height: int, width: int) -> Shape:
        """Interpolate or pool the map to this size."""
        self.shape = Shape(self.shape.channels, height, width)
        return self.shape

    def upsample(self, factor: Kernel = 2) -> Shape:
        """Enlarge the map by this factor."""
        factor_y, factor_x = _pair(factor)
        return self.resize(self.shape.height * factor_y, self.shape.width * factor_x)

    def _convolve(
        self,
        name: str,
        filters: int,
        kernel: Kernel,
        stride: int,
        padding: Padding,
        *,
        depthwise: bool,
    ) -> Shape:
        channels, height, width = self.shape
        kernel_y, kernel_x = _pair(kernel)
        layer = Layer(
            name,
            K=filters,
            C=channels,
            Y=(_outputs(name, height, kernel_y, stride, padding) - 1) * stride + kernel_y,
            X=(_outputs(name, width, kernel_x, stride, padding) - 1) * stride + kernel_x,
            R=kernel_y,
            S=kernel_x,
            stride=stride,
            depthwise=depthwise,
        )
        self.layers.append(layer)
        self.shape = Shape(layer.output_channels, layer.output_height, layer.output_width)
        return self.shape


def _pair(size: Kernel) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _outputs(name: str, size: int, kernel: int, stride: int, padding: Padding) -> int:
    """Number of outputs along one direction."""
    if padding == "same":
        return -(-size // stride)
    if size < kernel:
        raise ValueError(f"{name}: a window of {kernel} does not fit on an input of {size}")
    return (size - kernel) // stride + 1


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round a channel count to the nearest multiple, as the MobileNet family does."""
    return max(divisor, int(channels + divisor / 2) // divisor * divisor)
