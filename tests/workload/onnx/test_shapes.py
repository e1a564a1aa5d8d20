"""Shapes of ONNX graphs: what slides a window, and shapes that contradict each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError
from dream_gym.workload import from_onnx
from dream_gym.workload.onnx.nodes import CannotCostError
from dream_gym.workload.onnx.shapes import windowed_shape

pytest.importorskip("onnx", reason="needs the package onnx")


@pytest.mark.parametrize("opset", [11, 17, 21, 22])
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
def test_a_window_that_starts_behind_the_input_does_not_count(write_onnx, operator, opset):
    attributes = "kernel_shape = [2,2], strides = [2,2], pads = [1,1,1,1], ceil_mode = 1"
    path = write_onnx(
        "float[1,4,5,5] x, float[4,4,1,1] w",
        f"p = {operator}<{attributes}>(x) y = Conv(p, w)",
        opset=opset,
    )
    assert from_onnx(path).macs == 4 * 4 * 3 * 3


@pytest.mark.parametrize(
    ("attributes", "side"),
    [
        ('auto_pad = "SAME_UPPER", output_padding = [1,1]', 8),
        ('auto_pad = "SAME_LOWER", output_padding = [1,1]', 8),
        ('auto_pad = "SAME_UPPER"', 8),
        ("output_shape = [8,8]", 8),
        ("output_shape = [3,3]", 3),  # smaller than its input
        ("output_padding = [1,1], pads = [1,1,1,1]", 8),
        ("dilations = [2,2]", 11),
        ('auto_pad = "VALID"', 9),
    ],
)
def test_where_a_transposed_convolution_ends(write_onnx, attributes, side):
    path = write_onnx(
        "float[1,2,4,4] x, float[2,4,3,3] w, float[5,4,1,1] v",
        f"t = ConvTranspose<strides = [2,2], {attributes}>(x, w) [n] y = Conv(t, v)",
    )
    *_, last = from_onnx(path).layers
    assert (last.Y, last.X, last.macs) == (side, side, 5 * 4 * side * side)


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "LpPool", "Conv"])
@pytest.mark.parametrize("strides", [1, 3])
def test_a_window_larger_than_its_input_is_an_error(write_onnx, operator, strides):
    """ONNX's own inference rounds towards zero, and finds an output of one."""
    kernel = "" if operator == "Conv" else "kernel_shape = [3,3], "
    path = write_onnx(
        "float[1,4,2,2] x, float[4,4,3,3] w, float[4,4,1,1] v",
        f"[n] a = {operator}<{kernel}strides = [{strides},{strides}]>"
        f"(x{', w' if operator == 'Conv' else ''}) y = Conv(a, v)",
        opset=18,
    )
    words = rf"cannot cost {operator} 'n' .*window of 3 does not fit its input of 2"
    with pytest.raises(ConfigError, match=words):
        from_onnx(path)


@settings(max_examples=300, deadline=None)
@given(
    n=st.integers(1, 12),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.integers(0, 2),
    ceil=st.booleans(),
)
def test_pooling_is_as_large_as_in_torch(n, kernel, stride, dilation, padding, ceil):
    torch = pytest.importorskip("torch", reason="needs torch, to compare with")
    assume(2 * padding <= kernel)
    attributes = {
        "kernel_shape": (kernel,),
        "strides": (stride,),
        "dilations": (dilation,),
        "pads": (padding, padding),
        "ceil_mode": int(ceil),
    }
    pool = torch.nn.MaxPool1d(kernel, stride, padding, dilation, ceil_mode=ceil)
    try:
        expected = tuple(pool(torch.zeros(1, 2, n)).shape)
    except RuntimeError:
        expected = None  # there is no room for a window
    try:
        found = windowed_shape("MaxPool", (1, 2, n), None, attributes, "")
    except CannotCostError:
        found = None
    assert found == expected


def run_in_onnxruntime(operator, attributes, shapes, opset):
    """The shape of what ONNX Runtime computes; None if it refuses."""
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, to compare with")
    import onnx
    from onnx import TensorProto, helper

    inputs = [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node(operator, list(shapes), ["y"], **attributes)
    graph = helper.make_graph([node], "g", inputs, [output])
    opsets = [helper.make_opsetid("", opset)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        feeds = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}
        return session.run(None, feeds)[0].shape
    except Exception:  # the runtime raises many kinds
        return None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_windows_are_those_of_onnx_runtime(data):
    def draw(low, high):
        return data.draw(st.integers(low, high))

    operator = data.draw(
        st.sampled_from(["MaxPool", "AveragePool", "LpPool", "Conv", "ConvTranspose"])
    )
    auto_pad = data.draw(st.sampled_from(["", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    kernel, strides = (draw(1, 4), draw(1, 3)), (draw(1, 3), draw(1, 3))
    attributes = {"strides": strides}
    if auto_pad:
        attributes["auto_pad"] = auto_pad
    else:
        attributes["pads"] = tuple(draw(0, taps - 1) for taps in (*kernel, *kernel))
    if not auto_pad.startswith("SAME"):  # there the runtime forgets the dilation in most operators
        attributes["dilations"] = (draw(1, 3), draw(1, 3))
    shapes = {"x": (1, 2, draw(1, 12), draw(1, 12))}
    if operator.endswith("Pool"):
        attributes |= {"kernel_shape": kernel, "ceil_mode": draw(0, 1)}
    else:
        shapes["w"] = (2, 2, *kernel)
    if operator == "ConvTranspose":
        if draw(0, 1):
            attributes["output_padding"] = tuple(draw(0, stride - 1) for stride in strides)
        if draw(0, 3) == 0:
            attributes["output_shape"] = tuple(
                size * stride + draw(-1, 1)
                for size, stride in zip(shapes["x"][2:], strides, strict=True)
            )
    opset = data.draw(st.sampled_from([19, 21, 22]))
    expected = run_in_onnxruntime(operator, attributes, shapes, opset)
    assume(expected is not None)
    numbers = {key: value for key, value in attributes.items() if key != "auto_pad"}
    try:
        found = windowed_shape(operator, shapes["x"], shapes.get("w"), numbers, auto_pad)
    except CannotCostError:
        # The runtime rounds towards zero where nothing fits, and computes something.
        dilations = attributes.get("dilations", (1, 1))
        pads = np.reshape(attributes.get("pads", (0,) * 4), (2, 2)).sum(axis=0)
        room = np.array(shapes["x"][2:]) + pads - (np.array(kernel) - 1) * dilations - 1
        assert (room < 0).any()
        return
    assert found == expected


DECLARED = (
    '<ir_version: 8, opset_import: ["" : 17]> net (float[1,4,6,6] x, float[4,4,3,3] w) '
    "=> (float[1,4,{output}] y) <float[{inner}] a> "
    "{{ [first] a = Conv(x, w) [second] y = Relu(a) }}"
)


@pytest.mark.parametrize(
    ("inner", "output", "words"),
    [
        (
            "1,4,6,6",
            "4,4",
            r"Conv 'first' writes 'a', .* as \(1, 4, 6, 6\) .* out as \(1, 4, 4, 4\)",
        ),
        ("1,4,4", "4,4", r"Conv 'first' writes 'a', .* as \(1, 4, 4\) .* out as \(1, 4, 4, 4\)"),
        ("1,4,4,4", "4,5", r"Relu 'second' writes 'y', .* as \(1, 4, 4, 5\) .* as \(1, 4, 4, 4\)"),
    ],
)
def test_a_declared_shape_that_is_not_the_one_that_follows_is_an_error(
    tmp_path, inner, output, words
):
    import onnx.parser

    model = onnx.parser.parse_model(DECLARED.format(inner=inner, output=output))
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    for on_unknown in ("error", "skip"):
        with pytest.raises(ConfigError, match=words) as caught:
            from_onnx(path, on_unknown=on_unknown)
        assert str(caught.value).startswith(f"{path}: ")
        assert "of the input" in str(caught.value) or "of Conv 'first'" in str(caught.value)


def test_declared_shapes_that_agree_or_are_open_are_none(tmp_path):
    import onnx.parser

    for number, inner in enumerate(("1,4,4,4", "N,C,H,4", "?,4,?,4")):
        model = onnx.parser.parse_model(DECLARED.format(inner=inner, output="4,H"))
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(model.SerializeToString())
        assert from_onnx(path).macs == 4 * 4 * 9 * 16


def test_weights_declared_as_something_else_are_an_error(write_onnx):
    import onnx

    path = write_onnx("float[2,3] x", "y = MatMul(x, w)", weights="float[3,2] w = {1,2,3,4,5,6}")
    model = onnx.load(str(path))
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [2, 3]))
    path.write_bytes(model.SerializeToString())
    words = r"the weights 'w' are \(3, 2\), and the file declares them as \(2, 3\)"
    with pytest.raises(ConfigError, match=words):
        from_onnx(path)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "[one] a = Relu(x) [two] y = Add(a, z)",
            r"cannot cost Add 'two' .*'a' \(1, 4, 6, 6\) of Relu 'one' and 'z' \(5, 6\) of the in",
        ),
        (
            "[one] a = Relu(x) [two] y = Concat<axis = 0>(a, v)",
            r"cannot cost Concat 'two' .*'a' \(1, 4, 6, 6\) of Relu 'one' and 'v' \(4, 3, 3, 3\)",
        ),
        (
            "[one] a = Relu(x) [two] y = Conv(a, v)",
            r"Conv 'two' .*\(1, 4, 6, 6\) of Relu 'one' .*'v' \(4",
        ),
        (
            "[one] a = Relu(z) [two] y = MatMul(a, w)",
            r"MatMul 'two' .*\(5, 6\) of Relu 'one' .*'w' \(4, 4",
        ),
        ("[one] y = Conv<kernel_shape = [5,5]>(x, w)", r"kernel_shape \(5, 5\) .*\(4, 4, 3, 3\)"),
        ("[one] a = Relu(x) [two] a = Relu(z)", "Relu 'two' writes 'a', which is there already"),
    ],
)
def test_what_an_operator_cannot_take_is_an_error_that_names_both(write_onnx, body, words):
    inputs = "float[1,4,6,6] x, float[4,4,3,3] w, float[4,3,3,3] v, float[5,6] z"
    path = write_onnx(inputs, f"c = Conv(x, w) {body}")
    with pytest.raises(ConfigError, match=words) as caught:
        from_onnx(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes", "constants"),
    [
        ("Resize", ["x", "", "s"], {}, {"s": np.float32([1, 1, 0.3, 2.7])}),
        ("Resize", ["x", "", "", "s"], {"mode": "linear"}, {"s": [1, 4, 5, 11]}),
        ("DepthToSpace", ["x"], {"blocksize": 2}, {}),
        ("SpaceToDepth", ["x"], {"blocksize": 3}, {}),
        ("Split", ["x"], {"axis": 3, "num_outputs": 2}, {}),
        ("Pad", ["x", "p"], {}, {"p": [0, 0, -1, 2, 0, 0, 1, -1]}),
        ("Slice", ["x", "b", "e", "a", "s"], {}, {"b": [-1], "e": [-99], "a": [2], "s": [-2]}),
        ("CenterCropPad", ["x", "s"], {"axes": [2, 3]}, {"s": [4, 11]}),
        ("TopK", ["x", "k"], {"axis": 2}, {"k": [3]}),
        ("Range", ["o", "l", "d"], {}, {"o": 0, "l": 10, "d": 3}),
        ("OneHot", ["i", "n", "v"], {"axis": 0}, {"i": [1, 2], "n": 5, "v": np.float32([0, 1])}),
        ("Tile", ["x", "r"], {}, {"r": [1, 2, 3, 1]}),
        ("Flatten", ["x"], {"axis": -2}, {}),
    ],
)
def test_what_else_changes_shapes_does_so_as_in_onnx_runtime(
    tmp_path, operator, inputs, attributes, constants
):
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, to compare with")
    from onnx import helper, numpy_helper

    from dream_gym.workload.onnx.graph import read_nodes

    outputs = ["y", "z"][: 2 if operator in ("Split", "TopK") else 1]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, outputs, **attributes)],
        "g",
        [helper.make_tensor_value_info("x", 1, (1, 4, 6, 9))] if "x" in inputs else [],
        [helper.make_tensor_value_info(outputs[0], 0, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    graph.output[0].ClearField("type")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {"x": np.zeros((1, 4, 6, 9), dtype=np.float32)} if "x" in inputs else {}
    (node,) = read_nodes(path, {})
    assert node.outputs[0] == session.run(None, feeds)[0].shape


def test_a_dimension_that_comes_out_negative_is_an_error(write_onnx):
    path = write_onnx(
        "float[1,4,4,4] x, float[2,4] r, int64[2] i, float[4,4] w",
        "m = MatMul(x, w) [n] y = RoiAlign<output_height = -5>(x, r, i)",
    )
    with pytest.raises(ConfigError, match=r"RoiAlign 'n' .*output would be \(2, 4, -5, 1\)"):
        from_onnx(path)


def count_macs_of_convolutions(torch, module, example):
    macs = []

    def count(layer, _, output):
        macs.append(math.prod(output.shape) * math.prod(layer.weight.shape[1:]))

    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    module(example)
    return sum(macs)


@pytest.mark.parametrize("side", [14, 15, 16, 17])
def test_a_network_with_ceil_mode_from_torch_counts_what_torch_counts(tmp_path, side):
    torch = pytest.importorskip("torch", reason="needs torch, to export from")
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.MaxPool2d(2, 2, padding=1, ceil_mode=True),
        nn.Conv2d(6, 6, 3, padding=1),
        nn.AvgPool2d(3, 2, padding=1, ceil_mode=True),
        nn.Conv2d(6, 12, 1),
    ).eval()
    example, path = torch.zeros(1, 3, side, side), tmp_path / "net.onnx"
    torch.onnx.export(module, (example,), str(path), dynamo=False)
    assert from_onnx(path).macs == count_macs_of_convolutions(torch, module, example)
