"""What a node of an ONNX graph costs: its layers, from the shapes of what it reads and writes.

Every mapping is exact in MACs and in the elements of the operand that is held (the weights).
Where a `Layer` cannot be exact, the function that maps the node says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dream_gym.workload.layer import Layer
from dream_gym.workload.onnx.nodes import FOLDED, CannotCostError, Node

RECURRENT = ("GRU", "LSTM", "RNN")
MAX_STEPS = 10_000
"""Time steps and directions of one recurrent node, each of which becomes a layer."""
MAX_COUNT = 2**50
"""MACs, input or output elements of one layer: what the cost model counts without overflow."""


def layers_of(node: Node) -> tuple[Layer, ...]:
    """The layers of a node, in order; none for what is folded.

    Raises:
        CannotCostError: The operator is unknown, or its shapes are unknown or do not fit.
    """
    if node.kind in FOLDED:
        if node.misfit:
            raise CannotCostError(f"it cannot take {node.reads}: {node.problem}")
        return ()
    mapping = COSTED.get(node.kind)
    if mapping is None:
        raise CannotCostError("unknown operator")
    if node.is_constant:
        return ()
    try:
        layers = mapping(node)
    except (CannotCostError, ValueError) as error:
        raise CannotCostError(f"{error}; it reads {node.reads or 'nothing'}") from error
    for layer in layers:
        if max(layer.macs, layer.input_elements, layer.output_elements) > MAX_COUNT:
            raise CannotCostError("it is larger than 2**50 MACs or elements")
    return layers


def _convolution(node: Node) -> tuple[Layer, ...]:
    """A convolution over rows and columns, or over rows alone (time steps).

    With dilation, R and S are still the taps of the filter, and the input is as large as if there
    were no gaps between them.
    """
    x, y = node.input(0), node.output()
    w = node.input(3 if node.kind == "QLinearConv" else 1)
    group = node.number("group", 1)
    _check_spatial(x, w)
    if len(y) != len(x) or group < 1 or w[0] % group or x[1] != w[1] * group or y[1] != w[0]:
        raise CannotCostError(f"weights of {w} in {group} groups do not fit {x} to {y}")
    return _layer(
        node,
        batch=y[0],
        outputs=_pair(y[2:]),
        kernel=_pair(w[2:]),
        strides=_strides(node, len(w) - 2),
        group=group,
        channels=x[1],
        filters=w[0],
    )


def _transposed_convolution(node: Node) -> tuple[Layer, ...]:
    """A transposed convolution as the convolution that has the same MACs.

    Where the stride divides the kernel, each output reads ``kernel / stride`` inputs: that is a
    convolution of the input with ``stride`` times the channels, exact in its outputs too.
    Elsewhere the kernel stays whole, and the output is as large as the input. Both count the
    outputs that padding crops.
    """
    x, w = node.input(0), node.input(1)
    group = node.number("group", 1)
    _check_spatial(x, w)
    if group < 1 or w[0] % group or x[1] != w[0]:
        raise CannotCostError(f"weights of {w} in {group} groups do not fit {x}")
    filters, kernel = w[1] * group, []
    for size, stride in zip(_pair(w[2:]), _strides(node, len(w) - 2), strict=True):
        phases = stride if size % stride == 0 else 1
        filters *= phases
        kernel.append(size // phases)
    return _layer(
        node,
        batch=x[0],
        outputs=_pair(x[2:]),
        kernel=(kernel[0], kernel[1]),
        strides=(1, 1),
        group=group,
        channels=x[1],
        filters=filters,
    )


def _layer(
    node: Node,
    *,
    batch: int,
    outputs: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    group: int,
    channels: int,
    filters: int,
) -> tuple[Layer, ...]:
    """One layer, exact in MACs, weights and outputs; a batch of n has n times the rows.

    A filter for each channel is depthwise; m filters for each channel are depthwise on m copies
    of the input. Other groups are one layer on the channels of one group: its input is counted
    once, not for each group. Of two different strides it takes the one that leaves the input nearer
    to its real size.
    """
    rows, columns = batch * outputs[0], outputs[1]
    if min(rows, columns) < 1:
        raise CannotCostError("its output is empty")

    def extent(stride_y: int, stride_x: int) -> int:
        return ((rows - 1) * stride_y + kernel[0]) * ((columns - 1) * stride_x + kernel[1])

    taken = [stride for stride, n in zip(strides, (rows, columns), strict=True) if n > 1]
    real = extent(*strides)
    stride = min(sorted(taken), key=lambda one: abs(extent(one, one) - real), default=1)
    depthwise = group == channels > 1
    return (
        Layer(
            node.name,
            K=1 if depthwise else filters,
            C=filters if depthwise else channels // group,
            Y=(rows - 1) * stride + kernel[0],
            X=(columns - 1) * stride + kernel[1],
            R=kernel[0],
            S=kernel[1],
            stride=stride,
            depthwise=depthwise,
        ),
    )


def _gemm(node: Node) -> tuple[Layer, ...]:
    a, b = node.input(0), node.input(1)
    if len(a) != 2 or len(b) != 2:
        raise CannotCostError(f"its inputs are {a} and {b}, not two matrices")
    a = a[::-1] if node.number("transA", 0) else a
    b = b[::-1] if node.number("transB", 0) else b
    return _product(node, a, b, held=_held(node, 0, 1))


def _matmul(node: Node) -> tuple[Layer, ...]:
    second = 3 if node.kind == "QLinearMatMul" else 1
    a, b = node.input(0), node.input(second)
    if not a or not b:
        raise CannotCostError(f"its inputs are {a} and {b}, not matrices")
    a = (1, *a) if len(a) == 1 else a
    b = (*b, 1) if len(b) == 1 else b
    return _product(node, a, b, held=_held(node, 0, second))


def _held(node: Node, first: int, second: int) -> int:
    """Which operand stays in place: the weights; the second where both or neither are."""
    return 0 if node.constant[first] and not node.constant[second] else 1


def _product(node: Node, a: tuple[int, ...], b: tuple[int, ...], *, held: int) -> tuple[Layer, ...]:
    """Matrix products over the leading dimensions, broadcast, as one layer.

    Products that share the held operand are more rows. Those with one of their own each (heads of
    an attention) are more output channels: every held element is counted, weights or not, and
    the other operand once, not for each.
    """
    if a[-1] != b[-2]:
        raise CannotCostError(f"its inputs {a} and {b} do not fit")
    batch = math.prod(np.broadcast_shapes(a[:-2], b[:-2]))
    rows, channels = (a[-2], b[-1]) if held else (b[-1], a[-2])
    matrices = math.prod((b if held else a)[:-2])
    if min(batch, rows) < 1:
        raise CannotCostError("its output is empty")
    return (Layer(node.name, K=channels * matrices, C=a[-1], Y=rows * (batch // matrices), X=1),)


def _recurrent(node: Node) -> tuple[Layer, ...]:
    """All gates of a time step as one product, on the input and the state: a layer a step."""
    x, w, r = node.input(0), node.input(1), node.input(2)
    if len(x) != 3 or len(w) != 3 or len(r) != 3 or w[:2] != r[:2] or w[2] != x[2]:
        raise CannotCostError(f"its inputs {x}, {w} and {r} do not fit")
    steps, batch = (x[1], x[0]) if node.number("layout", 0) else (x[0], x[1])
    directions = [""] if w[0] == 1 else [".forward", ".backward"]
    if w[0] != len(directions) or not 1 <= steps * w[0] <= MAX_STEPS:
        raise CannotCostError(f"{steps} time steps in {w[0]} directions, at most {MAX_STEPS}")
    return tuple(
        Layer(f"{node.name}{direction}.t{step}", K=w[1], C=x[2] + r[2], Y=batch, X=1)
        for direction in directions
        for step in range(steps)
    )


COSTED: Mapping[str, Callable[[Node], tuple[Layer, ...]]] = {
    "Conv": _convolution,
    "ConvInteger": _convolution,
    "ConvTranspose": _transposed_convolution,
    "GRU": _recurrent,
    "Gemm": _gemm,
    "LSTM": _recurrent,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearConv": _convolution,
    "QLinearMatMul": _matmul,
    "RNN": _recurrent,
}
"""How an operator of the standard domain becomes layers."""


def _check_spatial(x: tuple[int, ...], w: tuple[int, ...]) -> None:
    if len(w) not in (3, 4) or len(x) != len(w):
        raise CannotCostError(f"weights of {w} on {x}: neither one nor two spatial dimensions")


def _strides(node: Node, dimensions: int) -> tuple[int, int]:
    strides = node.attributes.get("strides", (1,) * dimensions)
    if not isinstance(strides, tuple) or len(strides) != dimensions or min(strides) < 1:
        raise CannotCostError(f"its strides are {strides}")
    return _pair(strides)


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Height and width; a missing width is 1."""
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (sizes[0], 1)
