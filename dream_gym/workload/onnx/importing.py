"""Importing networks from ONNX files."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from dream_gym.errors import ConfigError
from dream_gym.reading.stamps import Stamp, stamp_of
from dream_gym.workload.layer import Layer, Network
from dream_gym.workload.onnx.layers import layers_of
from dream_gym.workload.onnx.nodes import CannotCostError, Node

OnUnknown = Literal["error", "skip"]

MAX_SIZE = 2**31 - 1
"""The largest size that may be given for a dimension."""

_NAMED = 5
"""Nodes that a message names before it says how many more there are."""


def from_onnx(
    path: str | Path,
    *,
    on_unknown: OnUnknown = "error",
    name: str | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Network:
    """Import the network in an ONNX file, weights present or not.

    Convolutions (grouped, depthwise, dilated, transposed; 1-d or 2-d), matrix products and
    recurrent layers become layers in the order of the graph; quantised ones too. Parallel branches
    run one after another. A recurrent layer is one layer for each time step and direction.
    Element-wise operators, pooling, normalisation, reshaping and the like are folded: they cost
    nothing. What each mapping keeps exact is in ``docs/onnx.md``.

    A file is read again only when it has changed. A network of other sizes is another network, so
    these go into its name, as in the catalogue: ``encoder(length=128)``.

    Args:
        path: The file.
        on_unknown: What to do about nodes that cannot be costed: ``error`` names them in an
            error, ``skip`` leaves them out with a warning that says how much of the graph they are.
        name: The name of the network; by default the file's name without its suffix, with the
            sizes that are given and not 1.
        sizes: Sizes that the file leaves open, by the names of the dimensions of its inputs, and
            unnamed ones by ``INPUT.AXIS``. Only a batch may be left out, and is 1.

    Raises:
        ConfigError: The file cannot be read, is malformed or contradicts itself, leaves a size
            open that is not given, or has nodes that cannot be costed.
    """
    path = Path(path)
    if on_unknown not in ("error", "skip"):
        raise ConfigError(f"on_unknown must be 'error' or 'skip', got {on_unknown!r}")
    for symbol, size in (sizes or {}).items():
        if type(size) is not int or not 1 <= size <= MAX_SIZE:
            raise ConfigError(
                f"sizes.{symbol} must be a whole number in [1, {MAX_SIZE}], got {size!r}"
            )
    try:
        path = path.absolute()
        stamp = stamp_of(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    given = tuple(sorted((sizes or {}).items()))
    if name is None:
        unusual = ", ".join(f"{symbol}={size}" for symbol, size in given if size != 1)
        name = f"{path.stem}({unusual})" if unusual else path.stem
    network, warning = _import(path, stamp, on_unknown, name, given)
    if warning is not None:
        warnings.warn(warning, UserWarning, stacklevel=2)
    return network


@functools.lru_cache(maxsize=64)
def _import(
    path: Path,
    _: Stamp,
    on_unknown: OnUnknown,
    name: str,
    sizes: tuple[tuple[str, int], ...],
) -> tuple[Network, str | None]:
    """Read a file; the stamp is only for the cache. Also returns a warning."""
    try:
        from dream_gym.workload.onnx.graph import read_nodes
    except ImportError as error:
        raise ConfigError(
            f'{path}: to read ONNX files, pip install "dream_gym[onnx]" ({error})'
        ) from error
    nodes = read_nodes(path, dict(sizes))
    layers: list[Layer] = []
    skipped: dict[str, Node] = {}
    for node in nodes:
        try:
            layers.extend(layers_of(node))
        except CannotCostError as problem:
            skipped[f"{node.kind} {node.name!r} ({problem})"] = node
    named = _list(list(skipped))
    if skipped and on_unknown == "error":
        raise ConfigError(
            f"{path}: cannot cost {named}; on_unknown='skip' leaves out what cannot be costed"
        )
    if not layers:
        raise ConfigError(f"{path}: no convolution, matrix product or recurrent layer in the graph")
    try:
        network = Network(name, tuple(layers), source=f"ONNX file {path.name}")
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    share = _share(list(skipped.values()), nodes)
    return network, f"{path}: skipped {share}: {named}" if skipped else None


def _list(items: list[str]) -> str:
    """The first items, on one line."""
    more = len(items) - _NAMED
    named = " ".join(", ".join(items[:_NAMED]).split())
    return named + (f" and {more} more" if more > 0 else "")


def _share(skipped: list[Node], nodes: list[Node]) -> str:
    """How much of the graph these nodes are."""
    share = f"{len(skipped)} of {len(nodes)} nodes ({len(skipped) / len(nodes):.1%})"
    elements = [node.output_elements for node in skipped]
    known = [count for count in elements if count is not None]
    if len(known) < len(elements):
        return f"{share}, outputs of unknown size"
    total = sum(node.output_elements or 0 for node in nodes)
    return f"{share}, {sum(known) / max(total, 1):.1%} of the known output elements"
