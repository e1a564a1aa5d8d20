"""Types of the tensors of an ONNX graph: their shapes, and whether two can both be right."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from dream_gym.workload.onnx.nodes import Shape


def contradict(ours: onnx.TypeProto, theirs: onnx.TypeProto) -> bool:
    """Whether two types of one tensor cannot both be right; what is left open agrees with all."""
    first, second = shape_of(ours), shape_of(theirs)
    if first is None or second is None:
        return False
    return len(first) != len(second) or any(
        one is not None and other is not None and one != other and other > 0
        for one, other in zip(first, second, strict=True)
    )


def merged(inferred: onnx.TypeProto, declared: onnx.TypeProto | None) -> onnx.TypeProto:
    """The inferred type, with what it leaves open taken from the declared one."""
    if declared is None:
        return inferred
    if not inferred.tensor_type.HasField("shape"):
        inferred = onnx.TypeProto()
        inferred.CopyFrom(declared)
    dims = inferred.tensor_type.shape.dim
    for dim, other in zip(dims, declared.tensor_type.shape.dim, strict=False):
        if not dim.HasField("dim_value") and other.dim_value > 0:
            dim.CopyFrom(other)
    return inferred


def shape_of(kind: onnx.TypeProto) -> Shape | None:
    """The shape of a tensor; None if that, or the number of its dimensions, is unknown."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)


def is_known(kind: onnx.TypeProto) -> bool:
    """Whether all sizes of a tensor are known."""
    shape = shape_of(kind)
    return shape is not None and None not in shape


def set_shape(kind: onnx.TypeProto, shape: Iterable[int | None]) -> None:
    """Give a tensor a shape in place of the one it has."""
    kind.tensor_type.shape.Clear()
    kind.tensor_type.shape.SetInParent()
    for size in shape:
        dim = kind.tensor_type.shape.dim.add()
        if size is not None:
            dim.dim_value = size


def text_of(kind: onnx.TypeProto) -> str:
    """A shape in words."""
    shape = shape_of(kind)
    if shape is None:
        return "(of unknown shape)"
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"
