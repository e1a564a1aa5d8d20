"""Reading an ONNX file: its nodes in order, and the shapes of all that they read and write."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import infer_node_outputs

from dream_gym.errors import ConfigError
from dream_gym.workload.onnx.file import MAX_NAME, load_model
from dream_gym.workload.onnx.inputs import bound_inputs
from dream_gym.workload.onnx.layers import COSTED, RECURRENT
from dream_gym.workload.onnx.nodes import (
    EVALUATED,
    FOLDED,
    STANDARD_DOMAINS,
    CannotCostError,
    Node,
    first_words,
)
from dream_gym.workload.onnx.shapes import POOLING, WINDOWED, windowed_shape
from dream_gym.workload.onnx.types import (
    contradict,
    is_known,
    merged,
    set_shape,
    shape_of,
    text_of,
)

MAX_SECONDS = 300.0
"""Time for the nodes of one file."""
MAX_ELEMENTS = 2**60
"""Elements of one tensor, so that nothing that counts them wraps around."""

_NAMED, _WIDE = 4, 200
"""Inputs of a node that an error names, and characters of each name."""
_SMALL = 4096
"""Most elements of a constant that is kept to compute with: enough for shapes, not for weights."""


def read_nodes(path: Path, sizes: Mapping[str, int]) -> list[Node]:
    """Read the nodes of a graph in order of execution; weights outside the file are not needed.

    Args:
        path: An ONNX file.
        sizes: Symbolic dimensions of the inputs by name, and unnamed ones by ``INPUT.AXIS``; only
            a batch may be left out, and is 1.

    Raises:
        ConfigError: The file is not a valid ONNX model, its shapes contradict each other, or a size
            is missing; names the file, and the node or the input at fault.
    """
    model = load_model(path)
    tracer = _Tracer(path, model)
    tracer.bind_inputs(model.graph, sizes)
    nodes = []
    names: set[str] = set()
    deadline = time.monotonic() + MAX_SECONDS
    for proto in model.graph.node:
        name = _unique(proto.name or next(iter(proto.output), "") or proto.op_type, names)
        if max(map(len, (name, *proto.input, *proto.output))) > MAX_NAME:
            raise ConfigError(f"{path}: a {proto.op_type} has names of over {MAX_NAME} characters")
        if time.monotonic() > deadline:
            raise ConfigError(f"{path}: takes more than {MAX_SECONDS:g} s to read")
        nodes.append(tracer.trace(proto, name))
    return nodes


class _Found(NamedTuple):
    """What shape inference says about a node's outputs.

    Args:
        types: Their types.
        rough: Their types by ONNX's own inference, where that may be wrong; see `onnx_shapes`.
        problem: Why there are none.
        misfit: Whether the reason is that its inputs do not fit together.
    """

    types: Mapping[str, onnx.TypeProto] = MappingProxyType({})
    rough: Mapping[str, onnx.TypeProto] = MappingProxyType({})
    problem: str = ""
    misfit: bool = False


class _Tracer:
    """Follows shapes and small constants through a graph, node by node.

    Args:
        path: The file, for errors.
        model: The model; only its opsets, initializers and declared types are read.
    """

    def __init__(self, path: Path, model: onnx.ModelProto) -> None:
        self._path = path
        self._types: dict[str, onnx.TypeProto] = {}
        self._rough: dict[str, onnx.TypeProto] = {}
        self._writers: dict[str, str] = {}
        self._values: dict[str, onnx.TensorProto] = {}
        self._constants: set[str] = set()
        self._opsets = [
            onnx.helper.make_opsetid(_domain(opset.domain), opset.version)
            for opset in model.opset_import
        ]
        self._versions = {opset.domain: opset.version for opset in self._opsets}
        self._ir_version = model.ir_version
        graph = model.graph
        self._declared = {
            info.name: info.type for info in (*graph.input, *graph.value_info, *graph.output)
        }
        for tensor in graph.initializer:
            self._learn(tensor.name, tensor.data_type, tensor.dims)
            if _is_inside(tensor) and math.prod(tensor.dims) <= _SMALL:
                self._values[tensor.name] = tensor
        for sparse in graph.sparse_initializer:
            self._learn(sparse.values.name, sparse.values.data_type, sparse.dims)

    def bind_inputs(self, graph: onnx.GraphProto, sizes: Mapping[str, int]) -> None:
        """Note the types of the inputs, except for weights, which older files list among them."""
        inputs = [info for info in graph.input if info.name not in self._types]
        recurrent = any(node.op_type in RECURRENT for node in graph.node)
        for name, bound in bound_inputs(inputs, sizes, self._path, recurrent=recurrent).items():
            self._set(name, bound, "the input")

    def trace(self, proto: onnx.NodeProto, name: str) -> Node:
        """Infer what can be known about a node's outputs, and describe the node.

        Raises:
            ConfigError: What it reads is not there, or it contradicts what the file declares.
        """
        kind = ".".join(filter(None, (_domain(proto.domain), proto.op_type)))
        who = f"{kind} {name!r}"
        for source in filter(None, proto.input):
            if source not in self._types:
                raise ConfigError(
                    f"{self._path}: {who} reads {source!r}, "
                    "which is neither in the file nor the output of a node before it"
                )
        reads = self._in_words(list(filter(None, proto.input)))
        numbers = _whole_numbers(proto)
        found = self._infer(proto, kind, numbers)
        for output in filter(None, proto.output):
            if output in self._types:
                raise ConfigError(f"{self._path}: {who} writes {output!r}, which is there already")
            self._set(output, self._settled(output, found, who, reads), who)
        node = Node(
            name=name,
            kind=kind,
            inputs=tuple(
                shape_of(self._types[source]) if source else None for source in proto.input
            ),
            outputs=tuple(shape_of(self._types[output]) for output in filter(None, proto.output)),
            constant=tuple(not source or source in self._constants for source in proto.input),
            attributes=numbers,
            reads=reads,
            problem=found.problem,
            misfit=found.misfit,
        )
        if kind == "Constant" or (node.is_constant and (kind in FOLDED or kind in COSTED)):
            self._constants.update(proto.output)
        if kind in EVALUATED:
            self._evaluate(proto, node)
        return node

    def _settled(self, output: str, found: _Found, who: str, reads: str) -> onnx.TypeProto:
        """The type of an output, from inference and from what the file declares."""
        ours = found.types.get(output) or onnx.TypeProto()
        rough = found.rough.get(output)
        if rough is not None and contradict(ours, rough):
            self._rough[output] = rough
        declared = None if found.misfit else self._declared.get(output)
        if declared is None:
            return ours
        if not contradict(ours, declared):
            return merged(ours, declared)
        if rough is not None and not contradict(rough, declared):
            return ours  # exporters declare what ONNX's own inference says, even where it is wrong
        raise ConfigError(
            f"{self._path}: {who} writes {output!r}, which the file declares as "
            f"{text_of(declared)} and which comes out as {text_of(ours)} from {reads}"
        )

    def _infer(
        self, proto: onnx.NodeProto, kind: str, numbers: Mapping[str, int | tuple[int, ...]]
    ) -> _Found:
        """What is known of a node's outputs, whatever the file declares."""
        domain = _domain(proto.domain)
        if domain not in self._versions:
            return _Found(problem="the file does not say which version of the operator it means")
        sources = set(filter(None, proto.input))
        types = {source: self._types[source] for source in sources}
        try:
            outputs = self._ask(proto, types)
            rough = {}
            if kind in WINDOWED:
                rough = {name: copy.deepcopy(one) for name, one in outputs.items()}
                _slide(proto, kind, numbers, types, outputs)
            for output in outputs.values():
                if min((size or 0 for size in shape_of(output) or ()), default=0) < 0:
                    raise CannotCostError(f"its output would be {text_of(output)}")
        except CannotCostError as error:
            return _Found(problem=str(error), misfit=True)
        except onnx.shape_inference.InferenceError as error:
            known = all(map(is_known, types.values()))
            misfit = known and "ShapeInferenceError" in str(error)
            return _Found(problem=first_words(error), misfit=misfit)
        except Exception as error:  # the library raises many kinds
            return _Found(problem=first_words(error))
        if not sources.isdisjoint(self._rough):
            try:
                rough = self._ask(
                    proto, {source: self._rough.get(source, types[source]) for source in sources}
                )
            except Exception:  # it is wrong here; see above
                rough = {}
        return _Found(outputs, rough)

    def _ask(
        self, proto: onnx.NodeProto, types: Mapping[str, onnx.TypeProto]
    ) -> dict[str, onnx.TypeProto]:
        """What ONNX's own inference says of a node's outputs; raises what the library raises."""
        domain = _domain(proto.domain)
        unknown = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None)
        return infer_node_outputs(
            onnx.defs.get_schema(proto.op_type, self._versions[domain], domain),
            proto,
            {name: kind if kind.WhichOneof("value") else unknown for name, kind in types.items()},
            {name: self._values[name] for name in types if name in self._values},
            None,
            self._opsets,
            self._ir_version,
        )

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
        except Exception:  # what cannot be computed stays unknown
            return

    def _run(self, proto: onnx.NodeProto) -> list[object]:
        """The outputs of a node whose inputs are all known."""
        feeds = {
            source: onnx.numpy_helper.to_array(self._values[source])
            for source in proto.input
            if source
        }
        if not all(_is_inside(attribute.t) for attribute in proto.attribute):
            raise ValueError("its value lies in another file")
        graph = onnx.helper.make_graph(
            [proto],
            "node",
            [onnx.ValueInfoProto(name=source) for source in feeds],
            [onnx.ValueInfoProto(name=output) for output in proto.output if output],
        )
        with np.errstate(all="ignore"):
            return list(ReferenceEvaluator(graph, opsets=self._versions).run(None, feeds))

    def _learn(self, name: str, data_type: int, dims: Sequence[int]) -> None:
        known = onnx.TypeProto()
        known.tensor_type.elem_type = data_type
        set_shape(known, dims)
        declared = self._declared.get(name)
        if declared is not None and contradict(known, declared):
            raise ConfigError(
                f"{self._path}: the weights {name!r} are {text_of(known)}, and the file declares "
                f"them as {text_of(declared)}"
            )
        self._set(name, known, "the weights")
        self._constants.add(name)

    def _set(self, name: str, kind: onnx.TypeProto, writer: str) -> None:
        """Note the type of a tensor and what wrote it."""
        shape = [size for size in shape_of(kind) or () if size is not None]
        if min(shape, default=0) < 0 or math.prod(size or 1 for size in shape) > MAX_ELEMENTS:
            raise ConfigError(
                f"{self._path}: {name[:MAX_NAME]!r} of {writer} has the impossible size "
                f"{text_of(kind)}"
            )
        self._types[name] = kind
        self._writers[name] = writer

    def _in_words(self, names: Sequence[str]) -> str:
        """What a node reads: names, shapes, and who wrote them."""
        words = [
            f"{name[:_WIDE]!r} {text_of(self._types[name])} of {self._writers[name][:_WIDE]}"
            for name in names[:_NAMED]
        ]
        more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
        return " and ".join(words + more)


def _slide(
    proto: onnx.NodeProto,
    kind: str,
    numbers: Mapping[str, int | tuple[int, ...]],
    types: Mapping[str, onnx.TypeProto],
    outputs: Mapping[str, onnx.TypeProto],
) -> None:
    """Give the outputs of a convolution or pooling their shape; see `windowed_shape`."""
    auto_pad = next((item.s.decode() for item in proto.attribute if item.name == "auto_pad"), "")
    second = 3 if kind == "QLinearConv" else 1
    has_weights = kind not in POOLING and len(proto.input) > second
    x = shape_of(types[proto.input[0]])
    w = shape_of(types[proto.input[second]]) if has_weights else None
    shape = None if x is None else windowed_shape(kind, x, w, numbers, auto_pad)
    for found in outputs.values() if shape is not None else ():
        set_shape(found, shape or ())


def _is_inside(tensor: onnx.TensorProto) -> bool:
    """Whether a tensor lies in the file; others are never opened, wherever their path leads."""
    return tensor.data_location != onnx.TensorProto.EXTERNAL


def _size_of(node: Node) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """What a Shape or Size node says of its input."""
    shape = node.input(0)
    if node.kind == "Size":
        return np.array(math.prod(shape), dtype=np.int64)
    start, end = node.number("start", 0), node.number("end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)


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
    return "" if domain in STANDARD_DOMAINS else domain


def _unique(name: str, taken: set[str]) -> str:
    """The name, numbered if it is taken; then it is."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}#{number}"
    taken.add(unique)
    return unique
