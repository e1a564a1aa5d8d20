"""Reading an ONNX file: its nodes in order, and the shapes of all that they read and write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx.inliner import inline_local_functions
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import infer_node_outputs

from dream_gym.errors import ConfigError
from dream_gym.workload.onnx_layers import COSTED
from dream_gym.workload.onnx_nodes import FOLDED, RANDOM, Node, Shape

_SMALL = 4096
"""Elements up to which a constant is kept and worked with: enough for shapes, not for weights."""


_LONGEST = 300
"""Characters of the library's message that are passed on."""


def read_nodes(path: Path, sizes: Mapping[str, int]) -> list[Node]:
    """Read the nodes of a graph in order of execution; weights outside the file are not needed.

    Args:
        path: An ONNX file.
        sizes: Symbolic dimensions of the inputs by name; those not in it are 1.

    Raises:
        ConfigError: The file is no valid ONNX model; names the file, and the node at fault.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        model = onnx.load_model_from_string(content)
        model = inline_local_functions(model) if model.functions else model
    except Exception as error:  # the library raises many kinds
        raise ConfigError(f"{path}: not an ONNX model, or truncated: {_line(error)}") from error
    if not _is_text(model):
        raise ConfigError(f"{path}: not an ONNX model: it has a name that is no UTF-8 text")
    if not model.graph.node:
        raise ConfigError(f"{path}: not an ONNX model, or one without nodes")
    tracer = _Tracer(model)
    symbols = tracer.bind_inputs(model.graph, sizes)
    unknown = sorted(set(sizes) - symbols)
    if unknown:
        raise ConfigError(
            f"{path}: sizes: no input has a dimension called {unknown[0]!r}; "
            f"symbolic are {', '.join(sorted(symbols)) or 'none'}"
        )
    nodes = []
    names: set[str] = set()
    for proto in model.graph.node:
        name = _unique(proto.name or next(iter(proto.output), "") or proto.op_type, names)
        for source in proto.input:
            if source and source not in tracer.types:
                raise ConfigError(
                    f"{path}: {proto.op_type} {name!r} reads {source!r}, "
                    "which is neither in the file nor the output of a node before it"
                )
        nodes.append(tracer.trace(proto, name))
    return nodes


class _Tracer:
    """Follows shapes and small constants through a graph, node by node.

    Args:
        model: The model; only its opsets, initializers and declared types are looked at.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.types: dict[str, onnx.TypeProto] = {}
        self._values: dict[str, onnx.TensorProto] = {}
        self._constants: set[str] = set()
        self._opsets = [
            onnx.helper.make_opsetid(_domain(opset.domain), opset.version)
            for opset in model.opset_import
        ]
        self._versions = {opset.domain: opset.version for opset in self._opsets}
        self._ir_version = model.ir_version
        graph = model.graph
        self._declared = {info.name: info.type for info in (*graph.value_info, *graph.output)}
        for tensor in graph.initializer:
            self._learn(tensor.name, tensor.data_type, tensor.dims)
            stored = tensor.data_location != onnx.TensorProto.EXTERNAL
            if stored and math.prod(tensor.dims) <= _SMALL:
                self._values[tensor.name] = tensor
        for sparse in graph.sparse_initializer:
            self._learn(sparse.values.name, sparse.values.data_type, sparse.dims)

    def bind_inputs(self, graph: onnx.GraphProto, sizes: Mapping[str, int]) -> set[str]:
        """Give every symbolic dimension of the inputs its size; returns their names."""
        symbols = set()
        for info in graph.input:
            if info.name in self.types:
                continue  # older files list their weights among the inputs
            bound = onnx.TypeProto()
            bound.CopyFrom(info.type)
            for dim in bound.tensor_type.shape.dim:
                if dim.dim_param:
                    symbols.add(dim.dim_param)
                    dim.dim_value = sizes.get(dim.dim_param, 1)
                elif dim.dim_value < 1:
                    dim.dim_value = 1
            self.types[info.name] = bound
        return symbols

    def trace(self, proto: onnx.NodeProto, name: str) -> Node:
        """Work out what is known of a node's outputs, and describe the node."""
        kind = ".".join(filter(None, (_domain(proto.domain), proto.op_type)))
        outputs, problem = self._infer(proto)
        for output in filter(None, proto.output):
            inferred = outputs.get(output) or onnx.TypeProto()
            self.types[output] = _merged(inferred, self._declared.get(output))
        node = Node(
            name=name,
            kind=kind,
            inputs=tuple(_shape(self.types[source]) if source else None for source in proto.input),
            outputs=tuple(_shape(self.types[output]) for output in filter(None, proto.output)),
            constant=tuple(not source or source in self._constants for source in proto.input),
            attributes=_whole_numbers(proto),
            problem=problem,
        )
        if kind == "Constant" or (node.is_constant and (kind in FOLDED or kind in COSTED)):
            self._constants.update(proto.output)
        if kind in FOLDED - RANDOM:
            self._evaluate(proto, node)
        return node

    def _infer(self, proto: onnx.NodeProto) -> tuple[dict[str, onnx.TypeProto], str]:
        """Types of a node's outputs, and why there are none."""
        domain = _domain(proto.domain)
        if domain not in self._versions:
            return {}, "the file does not say which version of the operator it means"
        unknown = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None)
        sources = [source for source in proto.input if source]
        types = {
            source: self.types[source] if self.types[source].WhichOneof("value") else unknown
            for source in sources
        }
        values = {source: self._values[source] for source in sources if source in self._values}
        try:
            schema = onnx.defs.get_schema(proto.op_type, self._versions[domain], domain)
            return infer_node_outputs(
                schema, proto, types, values, None, self._opsets, self._ir_version
            ), ""
        except Exception as error:  # the library raises many kinds
            return {}, _line(error)

    def _evaluate(self, proto: onnx.NodeProto, node: Node) -> None:
        """Keep the value of a small output that is the same for every frame, such as a shape."""
        elements = node.output_elements
        if elements is None or elements > _SMALL:
            return
        try:
            if node.kind in ("Shape", "Size"):
                results: list[object] = [_size_of(node)]
            elif all(source in self._values for source in proto.input if source):
                results = self._run(proto)
            else:
                return
            for output, result in zip(filter(None, proto.output), results, strict=True):
                self._values[output] = onnx.numpy_helper.from_array(np.asarray(result), output)
                self._constants.add(output)
        except Exception:  # what cannot be worked out stays unknown
            return

    def _run(self, proto: onnx.NodeProto) -> list[object]:
        """The outputs of a node of which all input is known."""
        feeds = {
            source: onnx.numpy_helper.to_array(self._values[source])
            for source in proto.input
            if source
        }
        graph = onnx.helper.make_graph(
            [proto],
            "node",
            [onnx.ValueInfoProto(name=source) for source in feeds],
            [onnx.ValueInfoProto(name=output) for output in proto.output if output],
        )
        return list(ReferenceEvaluator(graph, opsets=self._versions).run(None, feeds))

    def _learn(self, name: str, data_type: int, dims: Sequence[int]) -> None:
        known = onnx.TypeProto()
        known.tensor_type.elem_type = data_type
        known.tensor_type.shape.SetInParent()
        for size in dims:
            known.tensor_type.shape.dim.add(dim_value=size)
        self.types[name] = known
        self._constants.add(name)


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


def _size_of(node: Node) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """What a Shape or Size node says of its input."""
    shape = node.input(0)
    if node.kind == "Size":
        return np.array(math.prod(shape), dtype=np.int64)
    start, end = node.number("start", 0), node.number("end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)


def _merged(inferred: onnx.TypeProto, declared: onnx.TypeProto | None) -> onnx.TypeProto:
    """The inferred type, with what it leaves open taken from the declared one."""
    if declared is None:
        return inferred
    if not inferred.tensor_type.HasField("shape"):
        return declared
    ours, theirs = inferred.tensor_type.shape.dim, declared.tensor_type.shape.dim
    if len(ours) == len(theirs):
        for dim, other in zip(ours, theirs, strict=True):
            if not dim.HasField("dim_value"):
                dim.CopyFrom(other)
    return inferred


def _shape(kind: onnx.TypeProto) -> Shape | None:
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)


def _whole_numbers(proto: onnx.NodeProto) -> dict[str, int | tuple[int, ...]]:
    numbers: dict[str, int | tuple[int, ...]] = {}
    for attribute in proto.attribute:
        if attribute.type == onnx.AttributeProto.INT:
            numbers[attribute.name] = attribute.i
        elif attribute.type == onnx.AttributeProto.INTS:
            numbers[attribute.name] = tuple(attribute.ints)
    return numbers


def _domain(domain: str) -> str:
    """The domain of an operator; the standard one has two names."""
    return "" if domain == "ai.onnx" else domain


def _unique(name: str, taken: set[str]) -> str:
    """The name, numbered if it is taken; then it is."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}#{number}"
    taken.add(unique)
    return unique


def _line(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
