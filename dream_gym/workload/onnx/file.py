"""Reading an ONNX file into memory, within limits, and inlining the functions that it defines.

Only what is in the file is read: weights that lie in other files are never looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple, TypeAlias

import onnx
from onnx.inliner import inline_local_functions

from dream_gym.errors import ConfigError
from dream_gym.workload.onnx.nodes import STANDARD_DOMAINS, first_words

MAX_BYTES = 2**31
"""Size of a file, and of its nodes with its functions inlined; ONNX has the same limit."""
MAX_NODES = 100_000
"""Nodes of a graph with its functions inlined; this many take about half a minute."""
MAX_CALLS = 64
"""Functions that call each other in a row."""
MAX_NAME = 1000
"""Characters of the name of a node or of a tensor."""

_Id: TypeAlias = tuple[str, str, str]
"""Domain, name and overload of a function."""


def load_model(path: Path) -> onnx.ModelProto:
    """Read a model, and inline the functions that it defines.

    Raises:
        ConfigError: It cannot be read, is not an ONNX model, or exceeds a limit; names the file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: is larger than {MAX_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    no_model = f"{path}: not an ONNX model"
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # the library raises many kinds
        raise ConfigError(f"{no_model}, or truncated: {first_words(error)}") from error
    if not model.graph.node:
        raise ConfigError(f"{no_model}, or one without nodes")
    _check_extent(model, path)
    if not _is_text(model):
        raise ConfigError(f"{no_model}: it has a name that is no UTF-8 text")
    if not model.functions:
        return model
    try:
        return inline_local_functions(model)
    except Exception as error:
        raise ConfigError(
            f"{path}: its functions cannot be written out: {first_words(error)}"
        ) from error


class _Extent(NamedTuple):
    """The extent of a list of nodes with its functions inlined."""

    nodes: int
    size: int
    calls: int


_PLAIN = _Extent(nodes=1, size=0, calls=0)
"""A node that calls no function of the file."""


def _check_extent(model: onnx.ModelProto, path: Path) -> None:
    """Refuse a model that would become too large, before anything is inlined."""
    functions = {
        _id(item.domain, item.name, item.overload): list(_all_nodes(item.node))
        for item in model.functions
    }
    called = {name: {_callee(node) for node in nodes} for name, nodes in functions.items()}
    known: dict[_Id, _Extent] = {}
    try:
        for name in TopologicalSorter(called).static_order():
            if name in functions:
                known[name] = _extent(functions[name], known)
    except CycleError as error:
        circle = ", ".join(name for _, name, _ in error.args[1][:5])
        raise ConfigError(f"{path}: its functions call each other in a circle: {circle}") from error
    whole = _extent(_all_nodes(model.graph.node), known)
    for what, amount, limit in (
        ("nodes", whole.nodes, MAX_NODES),
        ("bytes of nodes", whole.size, MAX_BYTES),
        ("functions in a row", whole.calls, MAX_CALLS),
    ):
        if amount > limit:
            raise ConfigError(
                f"{path}: has more than {limit} {what}, with its own functions written out"
            )


def _extent(nodes: Iterable[onnx.NodeProto], known: dict[_Id, _Extent]) -> _Extent:
    """The sum over nodes, which stops once it is too large: nested calls can keep doubling it."""
    count = size = calls = 0
    for node in nodes:
        callee = known.get(_callee(node), _PLAIN)
        count += callee.nodes
        size += callee.size + node.ByteSize()
        calls = max(calls, callee.calls)
        if count > MAX_NODES or size > MAX_BYTES:
            break
    return _Extent(count, size, calls + 1)


def _all_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Nodes and those of the graphs inside them; protobuf itself limits how deep these go."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _all_nodes(graph.node)


def _callee(node: onnx.NodeProto) -> _Id:
    return _id(node.domain, node.op_type, node.overload)


def _id(domain: str, name: str, overload: str) -> _Id:
    return ("" if domain in STANDARD_DOMAINS else domain), name, overload


def _is_text(message: onnx.ModelProto) -> bool:
    """Whether all strings of a message are text; the library gives those that are not as bytes."""
    for field, value in message.ListFields():
        if field.type not in (field.TYPE_STRING, field.TYPE_MESSAGE):
            continue
        items = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING and not all(isinstance(item, str) for item in items):
            return False
        if field.type == field.TYPE_MESSAGE and not all(_is_text(item) for item in items):
            return False
    return True
