"""Random ONNX graphs: shapes are ONNX's own, and whatever is in a file, an error is one line.

``DREAM_GYM_FUZZ=20000`` runs so many cases of each property, other ones at each run.
"""

from __future__ import annotations

import itertools
import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError
from dream_gym.workload import Network, from_onnx
from dream_gym.workload.onnx.layers import COSTED
from dream_gym.workload.onnx.nodes import FOLDED

onnx = pytest.importorskip("onnx", reason="needs the package onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from dream_gym.workload.onnx.graph import read_nodes  # noqa: E402

CASES = int(os.environ.get("DREAM_GYM_FUZZ", "0"))
fuzz = settings(
    max_examples=CASES or 200,
    derandomize=not CASES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Sketch:
    """A graph that grows node by node, and the shapes that ONNX's own inference gives it."""

    def __init__(self, data, opset):
        self.data, self.opset = data, opset
        self.nodes, self.weights = [], []
        self.inputs = {"x": self.shape(4), "t": self.shape(3)}
        self.shapes = dict(self.inputs)

    def draw(self, low, high):
        return self.data.draw(st.integers(low, high))

    def one_of(self, *choices):
        return self.data.draw(st.sampled_from(choices))

    def shape(self, rank):
        return tuple(self.draw(1, 9) for _ in range(rank))

    def constant(self, values):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def kernel(self, *shape):
        return self.constant(np.zeros(shape, dtype=np.float32))

    def add(self, operator, *inputs, prefix="v", **attributes):
        """Add a node; its output is one that others may read if it begins with v."""
        name = f"{prefix}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def model(self):
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in self.inputs.items()
        ]
        output = onnx.ValueInfoProto(name=self.nodes[-1].output[0])
        graph = helper.make_graph(self.nodes, "g", inputs, [output], self.weights)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def infer(self):
        """The shapes of all tensors so far, by ONNX; None where it does not know."""
        graph = onnx.shape_inference.infer_shapes(self.model(), data_prop=True).graph
        for info in (*graph.value_info, *graph.output):
            kind = info.type.tensor_type
            if info.type.HasField("tensor_type") and kind.HasField("shape"):
                self.shapes[info.name] = tuple(
                    dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim
                )


def slide(sketch, name, shape):
    """A convolution or pooling, of the kinds whose shape ONNX gets right; see test_onnx_shapes."""
    dimensions = len(shape) - 2
    kernel, strides, dilations = (
        [sketch.draw(1, most) for _ in range(dimensions)] for most in (3, 3, 2)
    )
    operator = sketch.one_of("Conv", "Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool")
    attributes = {"strides": strides}
    if sketch.draw(0, 1):
        attributes["pads"] = [sketch.draw(0, taps - 1) for taps in (*kernel, *kernel)]
    else:
        attributes["auto_pad"] = sketch.one_of("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    if operator not in ("AveragePool", "LpPool") or sketch.opset >= 19:
        attributes["dilations"] = dilations
    if operator.endswith("Pool"):
        if sketch.opset >= 22 and "pads" in attributes:
            attributes["ceil_mode"] = sketch.draw(0, 1)
        return sketch.add(operator, name, kernel_shape=kernel, **attributes)
    filters, group = sketch.draw(1, 3), sketch.one_of(1, shape[1])
    if operator == "Conv":
        weights = sketch.kernel(filters * group, shape[1] // group, *kernel)
    else:
        weights = sketch.kernel(shape[1], filters, *kernel)
        if "pads" in attributes and sketch.draw(0, 1):
            attributes["output_padding"] = [sketch.draw(0, stride - 1) for stride in strides]
    return sketch.add(operator, name, weights, group=group, **attributes)


def product(sketch, name, shape):
    columns = sketch.draw(1, 5)
    if len(shape) == 2 and sketch.draw(0, 1):
        across = sketch.draw(0, 1)
        weights = sketch.kernel(*((columns, shape[1]) if across else (shape[1], columns)))
        return sketch.add("Gemm", name, weights, transB=across)
    return sketch.add("MatMul", name, sketch.kernel(shape[-1], columns))


def recur(sketch, name, shape):
    operator, gates = sketch.one_of(("LSTM", 4), ("GRU", 3), ("RNN", 1))
    hidden = sketch.draw(1, 3)
    w, r = sketch.kernel(1, gates * hidden, shape[2]), sketch.kernel(1, gates * hidden, hidden)
    return sketch.add(operator, name, w, r, hidden_size=hidden)


def move(sketch, name, shape):
    axis = sketch.draw(0, len(shape) - 1)
    match sketch.draw(0, 9):
        case 0:
            perm = sketch.data.draw(st.permutations(range(len(shape))))
            return sketch.add("Transpose", name, perm=perm)
        case 1:
            return sketch.add("Flatten", name, axis=axis)
        case 2:
            return sketch.add("Reshape", name, sketch.constant([sketch.one_of(0, shape[0]), -1]))
        case 3:
            return sketch.add("Concat", name, name, axis=axis)
        case 4:
            start, end = sketch.draw(-9, 9), sketch.one_of(sketch.draw(-9, 9), 2**63 - 1)
            bounds = [sketch.constant([n]) for n in (start, end, axis, sketch.one_of(1, 2, -1))]
            return sketch.add("Slice", name, *bounds)
        case 5:
            pads = [sketch.draw(0, 2) for _ in range(2 * len(shape))]
            return sketch.add("Pad", name, sketch.constant(pads))
        case 6:
            return sketch.add("Unsqueeze", name, sketch.constant([axis]))
        case 7:
            keepdims = sketch.draw(0, 1)
            if sketch.opset < 18:
                return sketch.add("ReduceMax", name, axes=[axis], keepdims=keepdims)
            return sketch.add("ReduceMax", name, sketch.constant([axis]), keepdims=keepdims)
        case 8:
            size = sketch.add("Shape", name, prefix="i")
            return sketch.add("Expand", sketch.kernel(*(1 for _ in shape)), size)
        case _:
            size = sketch.add("Shape", name, prefix="i")
            first = sketch.add("Gather", size, sketch.constant([0]), axis=0, prefix="i")
            target = sketch.add("Concat", first, sketch.constant([-1]), axis=0, prefix="i")
            return sketch.add("Reshape", name, target)


def element(sketch, name, shape):
    if sketch.draw(0, 1):
        return sketch.add(sketch.one_of("Relu", "Sigmoid", "Identity", "Neg"), name)
    mask = [sketch.one_of(1, size) for size in shape[sketch.draw(0, len(shape)) :]]
    return sketch.add("Add", name, sketch.kernel(*mask))


@fuzz
@given(data=st.data())
def test_shapes_are_those_of_onnx(tmp_path_factory, data):
    sketch = Sketch(data, data.draw(st.sampled_from([13, 17, 21, 22])))
    for _ in range(sketch.draw(1, 8)):
        usable = [
            (name, shape)
            for name, shape in sketch.shapes.items()
            if shape and None not in shape and min(shape) > 0 and np.prod(shape) < 10**6
            if name[0] in "xtv" and 1 <= len(shape) <= 5
        ]
        name, shape = data.draw(st.sampled_from(usable))
        steps = [move, element, product]
        steps += [slide] * 3 if len(shape) in (3, 4) else []
        steps += [recur] if len(shape) == 3 else []
        data.draw(st.sampled_from(steps))(sketch, name, shape)
        sketch.infer()
    path = tmp_path_factory.getbasetemp() / "fuzz.onnx"
    path.write_bytes(sketch.model().SerializeToString())
    nodes = read_nodes(path, {})
    in_doubt = False  # once a window does not fit, ONNX finds an output all the same
    for proto, node in zip(sketch.nodes, nodes, strict=True):
        in_doubt |= node.misfit
        for name, ours in zip(filter(None, proto.output), node.outputs, strict=True):
            theirs = sketch.shapes.get(name)
            if theirs is None or in_doubt:
                continue
            assert ours is not None, (name, theirs)
            assert len(ours) == len(theirs), (name, ours, theirs)
            for size, other in zip(ours, theirs, strict=True):
                assert other is None or size == other, (name, ours, theirs)


NUMBERS = st.sampled_from([0, 1, 2, 3, 5, -1, -2, -7, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63)])
NAMES = st.sampled_from(["x", "w", "c", "a0", "a1", "a2", "a3", ""])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            "axis", "axes", "kernel_shape", "strides", "pads", "dilations", "group", "auto_pad",
            "output_padding", "output_shape", "ceil_mode", "perm", "keepdims", "hidden_size",
            "layout", "direction", "transA", "transB", "start", "end", "to", "value", "value_ints",
            "blocksize", "num_outputs", "split", "scales", "mode", "allowzero", "shape", "k",
        ]
    ),
    NUMBERS
    | st.lists(NUMBERS, min_size=1, max_size=5)
    | st.sampled_from(["SAME_UPPER", "VALID", "bidirectional", "", "é"])
    | st.floats(width=32),
    max_size=4,
)  # fmt: skip
SHAPES = st.lists(NUMBERS, max_size=5) | st.lists(st.integers(1, 6), max_size=5) | st.none()
_FRESH = itertools.count()


@st.composite
def nonsense(draw):
    """A model that follows the format, and nothing else."""
    nodes = []
    for index in range(draw(st.integers(1, 4))):
        operator = draw(st.sampled_from(sorted(FOLDED | COSTED.keys() | {"If", "Einsum", "f"})))
        node = helper.make_node(
            operator,
            draw(st.lists(NAMES, max_size=5)),
            draw(st.sampled_from([[f"a{index}"], [f"a{index}", f"b{index}"], []])),
            domain="mine" if operator == "f" else "",
            **draw(ATTRIBUTES),
        )
        nodes.append(node)

    def info(name):
        return helper.make_tensor_value_info(name, draw(st.sampled_from([1, 7, 9])), draw(SHAPES))

    inner = helper.make_node(draw(st.sampled_from(["f", "Relu"])), ["p"], ["q"], domain="mine")
    opsets = [helper.make_opsetid("", draw(st.integers(1, 26))), helper.make_opsetid("mine", 1)]
    weights = [onnx.TensorProto(name="c", data_type=7, dims=draw(st.lists(NUMBERS, max_size=2)))]
    weights[0].int64_data.extend(draw(st.lists(NUMBERS, max_size=4)))
    return helper.make_model(
        helper.make_graph(nodes, "g", [info("x"), info("w")], [info("a0"), info("a1")], weights),
        functions=[helper.make_function("mine", "f", ["p"], ["q"], [inner], opsets)],
        opset_imports=opsets,
        ir_version=8,
    )


@fuzz
@given(model=nonsense(), sizes=st.dictionaries(st.sampled_from(["x.0", "w.1"]), NUMBERS))
def test_whatever_is_in_a_file_an_error_is_one_line(tmp_path_factory, model, sizes):
    path = tmp_path_factory.getbasetemp() / "nonsense.onnx"
    path.write_bytes(model.SerializeToString())
    name = f"n{next(_FRESH)}"  # not to be answered from the cache
    for on_unknown in ("error", "skip"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is skipped
            try:
                assert isinstance(
                    from_onnx(path, sizes=sizes, on_unknown=on_unknown, name=name), Network
                )
            except ConfigError as error:
                message = str(error)
                assert "\n" not in message
                assert len(message) < 5000
                assert message.startswith((f"{path}: ", "sizes."))
