"""Output shapes of operators that slide a window over their input: convolutions and pooling.

ONNX's own inference is unreliable there. Where the window does not fit, it rounds towards zero and
still finds an output; before opset 22 it counts windows that start in the padding behind the input;
it adds ``output_padding`` to the size that SAME padding gives; and it forgets dimensions when
``output_shape`` is smaller than the input. Elsewhere both agree, and a test checks that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from dream_gym.workload.onnx.nodes import CannotCostError, Shape

Attributes = Mapping[str, int | tuple[int, ...]]
AutoPad = Literal["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]

POOLING = frozenset({"AveragePool", "LpPool", "MaxPool"})
WINDOWED = POOLING | frozenset({"Conv", "ConvInteger", "ConvTranspose", "QLinearConv"})
"""Operators whose output is computed here."""


def windowed_shape(
    kind: str, x: Shape, w: Shape | None, attributes: Attributes, auto_pad: str
) -> Shape | None:
    """The output of a node of `WINDOWED`.

    Args:
        kind: Its operator.
        x: Shape of what it slides over: batch, channels, and then rows, columns and so on.
        w: Shape of its weights; None where it has none.
        attributes: Its whole-number attributes.
        auto_pad: Its attribute of that name, or empty.

    Returns:
        The shape; dimensions that follow from unknown ones are None. None if the size of the
        kernel is unknown or there is no spatial dimension.

    Raises:
        CannotCostError: No window fits, or attributes and weights contradict each other.
    """
    dimensions = len(x) - 2
    kernel = _kernel(w, attributes, dimensions)
    if dimensions < 1 or kernel is None:
        return None
    strides = _each(attributes, "strides", dimensions, 1)
    dilations = _each(attributes, "dilations", dimensions, 1)
    if min(*strides, *dilations, *(taps or 1 for taps in kernel)) < 1:
        raise CannotCostError("its strides, dilations and kernel must be positive")
    pads = _each(attributes, "pads", 2 * dimensions, 0)
    if auto_pad not in ("", "NOTSET"):
        pads = (0,) * len(pads)
    same = auto_pad.startswith("SAME")
    windows = [
        None if taps is None else (taps - 1) * dilation + 1
        for taps, dilation in zip(kernel, dilations, strict=True)
    ]
    sides = zip(x[2:], windows, strides, pads[:dimensions], pads[dimensions:], strict=True)
    spatial: tuple[int | None, ...]
    if kind == "ConvTranspose":
        extra = _each(attributes, "output_padding", dimensions, 0)
        spatial = _given_output(attributes, dimensions) or tuple(
            _spread(*side, more, same=same) for side, more in zip(sides, extra, strict=True)
        )
    else:
        partial = kind in POOLING and bool(attributes.get("ceil_mode", 0))
        spatial = tuple(_windows(*side, same=same, partial=partial) for side in sides)
    return (x[0], _channels(kind, x, w, attributes), *spatial)


def _windows(
    size: int | None,
    window: int | None,
    stride: int,
    before: int,
    after: int,
    *,
    same: bool,
    partial: bool,
) -> int | None:
    """How often a window fits; a partial one counts if it starts before the padding behind."""
    if size is None or window is None:
        return None
    if same:
        return -(-size // stride)
    free = size + before + after - window
    count = free // stride + 1
    if partial and free % stride and count * stride < size + before:
        count += 1
    if count < 1:
        padded = size + before + after
        raise CannotCostError(
            f"its window of {window} does not fit its input of {padded}, padding included"
        )
    return count


def _spread(
    size: int | None,
    window: int | None,
    stride: int,
    before: int,
    after: int,
    extra: int,
    *,
    same: bool,
) -> int | None:
    """Where the windows of a transposed convolution end; SAME padding cuts what is beyond."""
    if size is None or window is None:
        return None
    end = (size - 1) * stride + window + extra - before - after
    end = min(end, size * stride) if same else end
    if end < 1:
        raise CannotCostError(f"its padding leaves nothing of its output, {end}")
    return end


def _kernel(w: Shape | None, attributes: Attributes, dimensions: int) -> Shape | None:
    """Taps of the window in each dimension; None if unknown."""
    given = attributes.get("kernel_shape")
    if w is None or len(w) != dimensions + 2:
        return given if isinstance(given, tuple) and len(given) == dimensions else None
    for taps, size in zip(given if isinstance(given, tuple) else (), w[2:], strict=False):
        if size is not None and taps != size:
            raise CannotCostError(f"its kernel_shape {given} does not match its weights {w}")
    return w[2:]


def _channels(kind: str, x: Shape, w: Shape | None, attributes: Attributes) -> int | None:
    if kind in POOLING:
        return x[1]
    if w is None:
        return None
    if kind != "ConvTranspose":
        return w[0]
    group = attributes.get("group", 1)
    return None if w[1] is None or isinstance(group, tuple) else w[1] * group


def _given_output(attributes: Attributes, dimensions: int) -> tuple[int, ...] | None:
    """The spatial sizes that a transposed convolution states in ``output_shape``."""
    if not attributes.get("output_shape"):
        return None
    given = _each(attributes, "output_shape", dimensions, 1)
    if min(given) < 1:
        raise CannotCostError(f"its output_shape {given} is not positive")
    return given


def _each(attributes: Attributes, name: str, count: int, default: int) -> tuple[int, ...]:
    value = attributes.get(name, ())
    if value == ():
        return (default,) * count
    if not isinstance(value, tuple) or len(value) != count:
        raise CannotCostError(f"its {name} are {value}, not {count} numbers")
    return value
