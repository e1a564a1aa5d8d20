"""The sizes that an ONNX file leaves open: which ones there are, and which may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx

from dream_gym.errors import ConfigError

_BATCH = re.compile(r"(.*_)?(num|n|dynamic)?_?batch(_?(size|dim|axis|num|[0-9]+))?", re.IGNORECASE)
"""Names of what can only be a batch."""
_BATCH_IN_FIRST_PLACE = re.compile(r"n|b|bs", re.IGNORECASE)
_MADE_UP = re.compile(
    r"none|\?|unk__[0-9]+|s[0-9]+|dim_?[0-9]+|.*_dynamic_axes_[0-9]+|.*\.0", re.IGNORECASE
)
"""Names that a program made up, and those of unnamed first dimensions."""


def bound_inputs(
    inputs: Sequence[onnx.ValueInfoProto],
    sizes: Mapping[str, int],
    path: Path,
    *,
    recurrent: bool,
) -> dict[str, onnx.TypeProto]:
    """The types of inputs, with a size for every dimension.

    A frame is a batch of one, so the size of a batch may be left out. Nobody runs a network on an
    image of one pixel or a text of one word, so every other size has to be given.

    Args:
        inputs: The inputs of the graph.
        sizes: Sizes by the names of dimensions, of unnamed ones by ``INPUT.AXIS``.
        path: The file, for errors.
        recurrent: Whether the graph has recurrent nodes: their first dimension may well be time.

    Raises:
        ConfigError: A size other than a batch is missing, or one is given that does not exist.
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for info in inputs:
        dims = info.type.tensor_type.shape.dim
        for axis, dim in enumerate(dims):
            if symbol := _symbol(info.name, axis, dim):
                places.setdefault(symbol, []).append((axis, len(dims)))
    for symbol in sorted(set(sizes) - set(places)):
        raise ConfigError(
            f"{path}: sizes: no input has a dimension called {symbol!r}; "
            f"symbolic are {_few(places)}"
        )
    batches = [name for name, where in places.items() if _is_batch(name, where, recurrent)]
    known = {**dict.fromkeys(batches, 1), **sizes}
    missing = [symbol for symbol in places if symbol not in known]
    if missing:
        raise ConfigError(
            f"{path}: sizes: the file leaves sizes of its inputs open: give "
            f"{_few(missing)}, such as sizes: {{{missing[0][:100]}: 224}}; "
            "only a batch may be left out, and is 1"
        )
    types = {}
    for info in inputs:
        bound = onnx.TypeProto()
        bound.CopyFrom(info.type)
        for axis, dim in enumerate(bound.tensor_type.shape.dim):
            if symbol := _symbol(info.name, axis, dim):
                dim.dim_value = known[symbol]
        types[info.name] = bound
    return types


def _symbol(name: str, axis: int, dim: onnx.TensorShapeProto.Dimension) -> str:
    """What an open dimension of an input is called; empty if it is not open."""
    return dim.dim_param or (f"{name}.{axis}" if dim.dim_value < 1 else "")


def _is_batch(symbol: str, places: Sequence[tuple[int, int]], recurrent: bool) -> bool:
    """Whether a dimension, by its name, and by axis and rank where it occurs, is a batch."""
    if _BATCH.fullmatch(symbol):
        return True
    if not all(axis == 0 and rank > 1 for axis, rank in places):
        return False
    in_doubt = _MADE_UP.fullmatch(symbol) is not None and not recurrent
    return in_doubt or _BATCH_IN_FIRST_PLACE.fullmatch(symbol) is not None


def _few(names: Iterable[str]) -> str:
    """Some names, on one line."""
    listed = sorted(names)
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    return ", ".join(name[:100] for name in listed[:10]) + more or "none"
