"""ONNX files that are too large, too deep or not files: one error each, and soon."""

from __future__ import annotations

import os
import struct
import time

import numpy as np
import pytest

from dream_gym.errors import ConfigError
from dream_gym.workload import from_onnx
from dream_gym.workload.onnx import importing

onnx = pytest.importorskip("onnx", reason="needs the package onnx")

from onnx import helper, numpy_helper  # noqa: E402

from dream_gym.workload.onnx import file as onnx_file  # noqa: E402
from dream_gym.workload.onnx import graph  # noqa: E402


@pytest.fixture(autouse=True)
def soon():
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 10


def error_of(path, **options):
    with pytest.raises(ConfigError) as caught:
        from_onnx(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 3000
    return message


def write(path, nodes, *, functions=(), initializers=(), inputs=(("x", (4, 4)), ("w", (4, 4)))):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, 1, shape) for name, shape in inputs],
        [helper.make_tensor_value_info("y", 1, None)],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    path.write_bytes(model.SerializeToString())
    return path


def function(name, *calls):
    """A function that calls others one after the other; without any, a matrix product."""
    nodes = []
    for index, call in enumerate(calls):
        source = f"t{index}" if index else "a"
        nodes.append(helper.make_node(call, [source, "b"], [f"t{index + 1}"], domain="mine"))
    if not calls:
        nodes.append(helper.make_node("MatMul", ["a", "b"], ["t1"]))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    last = f"t{max(len(calls), 1)}"
    return helper.make_function("mine", name, ["a", "b"], [last], nodes, opsets)


CALL = helper.make_node("f0", ["x", "w"], ["y"], domain="mine")


def doubling(levels):
    inner = [function(f"f{level}", *[f"f{level + 1}"] * 2) for level in range(levels)]
    return [*inner, function(f"f{levels}")]


def test_functions_that_double_a_few_times_are_written_out(tmp_path):
    path = write(tmp_path / "net.onnx", [CALL], functions=doubling(5))
    assert len(from_onnx(path).layers) == 2**5


def test_functions_that_double_often_are_refused(tmp_path):
    path = write(tmp_path / "net.onnx", [CALL], functions=doubling(40))
    assert "has more than 100000 nodes, with its own functions written out" in error_of(path)


def test_functions_that_copy_a_large_constant_often_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 2**20)
    functions = doubling(8)
    constant = numpy_helper.from_array(np.zeros(2**13, dtype=np.float32), "c")
    functions[-1].node.append(helper.make_node("Constant", [], ["c"], value=constant))
    path = write(tmp_path / "net.onnx", [CALL], functions=functions)
    assert "has more than 1048576 bytes of nodes" in error_of(path)


def test_functions_that_call_each_other_in_a_circle(tmp_path):
    circle = [function("f0", "f1"), function("f1", "f2"), function("f2", "f0")]
    path = write(tmp_path / "net.onnx", [CALL], functions=circle)
    assert "its functions call each other in a circle: f" in error_of(path)
    path = write(tmp_path / "self.onnx", [CALL], functions=[function("f0", "f0")])
    assert "in a circle: f0" in error_of(path)


def test_functions_that_call_each_other_deep(tmp_path):
    for depth, fits in ((60, True), (5_000, False)):
        inner = [function(f"f{level}", f"f{level + 1}") for level in range(depth)]
        functions = [*inner, function(f"f{depth}")]
        path = write(tmp_path / f"{depth}.onnx", [CALL], functions=functions)
        if fits:
            assert len(from_onnx(path).layers) == 1
        else:
            assert "has more than 64 functions in a row" in error_of(path)


def length_delimited(field, content):
    """A field of a protobuf message that holds bytes."""
    size, head = len(content), b""
    while True:
        head += bytes([size % 128 + (128 if size > 127 else 0)])
        size //= 128
        if not size:
            return bytes([field * 8 + 2]) + head + content


@pytest.mark.parametrize("depth", [10, 200, 3000])
def test_graphs_inside_graphs(tmp_path, depth):
    """A node (field 1 of a graph) has an attribute (5) that is a graph (6)."""
    graph = length_delimited(1, length_delimited(4, b"What"))
    for _ in range(depth):
        node = length_delimited(4, b"If") + length_delimited(5, length_delimited(6, graph))
        graph = length_delimited(1, node)
    path = tmp_path / "net.onnx"
    path.write_bytes(length_delimited(7, graph))
    words = "cannot cost If" if depth == 10 else "not an ONNX model, or truncated"
    assert words in error_of(path)


def test_too_many_nodes(tmp_path):
    node = helper.make_node("Relu", ["x"], ["y"])
    path = write(tmp_path / "net.onnx", [node] * 150_000)
    assert "has more than 100000 nodes" in error_of(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "net.onnx"
    with path.open("wb") as file:
        file.truncate(onnx_file.MAX_BYTES + 1)  # takes no room on the disk
    assert "is larger than 2147483648 bytes" in error_of(path)


def test_a_file_that_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "MAX_SECONDS", -1.0)
    path = write(tmp_path / "net.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])])
    assert "takes more than -1 s to read" in error_of(path)


def test_names_that_are_too_long(tmp_path):
    for name in ("n" * 1001, "n" * 10**6):
        node = helper.make_node("MatMul", ["x", "w"], ["y"], name)
        path = write(tmp_path / "net.onnx", [node])
        assert "has names of over 1000 characters" in error_of(path)
    path = write(tmp_path / "a.onnx", [CALL], inputs=[("x" * 10**6, (-1, 2**62))])
    error_of(path)


def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "net.onnx"
    os.mkfifo(path)
    assert "cannot be read: " in error_of(path)
    with pytest.raises(ConfigError, match="/dev/zero: cannot be read"):
        from_onnx("/dev/zero")


@pytest.mark.parametrize("size", [2**62, 2**63 - 1])
def test_tensors_of_impossible_size(tmp_path, size):
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = write(tmp_path / "net.onnx", [node], inputs=[("x", (size, 4)), ("w", (4, 4))])
    assert f"'x' of the input has the impossible size ({size}, 4)" in error_of(path)
    weights = onnx.TensorProto(name="w", data_type=1, dims=[4, size])
    path = write(tmp_path / "w.onnx", [node], inputs=[("x", (4, 4))], initializers=[weights])
    assert f"'w' of the weights has the impossible size (4, {size})" in error_of(path)


def test_weights_of_negative_size(tmp_path):
    weights = onnx.TensorProto(name="w", data_type=1, dims=[4, -4])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = write(tmp_path / "net.onnx", [node], inputs=[("x", (4, 4))], initializers=[weights])
    assert "'w' of the weights has the impossible size (4, -4)" in error_of(path)


def test_weights_of_no_size(tmp_path):
    weights = onnx.TensorProto(name="w", data_type=1, dims=[4, 0])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = write(tmp_path / "net.onnx", [node], inputs=[("x", (4, 4))], initializers=[weights])
    assert "cannot cost MatMul 'y'" in error_of(path)


@pytest.mark.parametrize(
    ("operator", "inputs"),
    [("ConstantOfShape", ["s"]), ("Expand", ["one", "s"]), ("Tile", ["one", "s"])],
)
def test_huge_constants_are_not_made(tmp_path, operator, inputs):
    shape = numpy_helper.from_array(np.array([10**6, 10**6]), "s")
    one = numpy_helper.from_array(np.ones((1, 1), dtype=np.float32), "one")
    nodes = [
        helper.make_node(operator, inputs, ["c"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    path = write(tmp_path / "net.onnx", nodes, initializers=[shape, one])
    assert from_onnx(path).macs == 64


def test_a_small_constant_that_takes_huge_work_is_not_worked_out(tmp_path):
    one = numpy_helper.from_array(np.ones((1, 1, 1, 1), dtype=np.float32), "one")
    side = 50_000  # 10 GB of padding
    nodes = [
        helper.make_node(
            "MaxPool", ["one"], ["c"], kernel_shape=[side, side], pads=[side // 2] * 4
        ),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    path = write(tmp_path / "net.onnx", nodes, initializers=[one])
    assert from_onnx(path).macs == 64


def external(name, location, shape):
    tensor = onnx.TensorProto(name=name, data_type=7, dims=shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(location))
    return tensor


@pytest.mark.parametrize("inside", [True, False])
def test_what_lies_outside_the_file_is_never_opened(tmp_path, monkeypatch, inside):
    """Not even beside it, or in the working directory: it would change what shapes come out."""
    (tmp_path / "data.bin").write_bytes(struct.pack("<2q", 2, 8))
    (tmp_path / "nets").mkdir()
    monkeypatch.chdir(tmp_path)
    for number, location in enumerate(("data.bin", "../data.bin", tmp_path / "data.bin")):
        shape = external("s", location, [2])
        reshape = helper.make_node("Reshape", ["x", "s"], ["r"])
        product = helper.make_node("MatMul", ["r", "v"], ["y"], "n")
        nodes, initializers = [reshape, product], [shape]
        if inside:
            nodes, initializers = [helper.make_node("Constant", [], ["s"], value=shape), *nodes], []
        path = tmp_path / "nets" / f"{number}.onnx"
        inputs = [("x", (4, 4)), ("v", (8, 3))]
        write(path, nodes, initializers=initializers, inputs=inputs)
        assert "cannot cost MatMul 'n' (the shape of its input 0 is not known" in error_of(path)


def test_a_replaced_file_is_read_again_though_its_time_and_size_are_kept(tmp_path):
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = write(tmp_path / "net.onnx", [product])
    os.utime(path, ns=(1, 1))
    assert from_onnx(path).macs == 4 * 4 * 4
    other = write(tmp_path / "other.onnx", [product], inputs=[("x", (5, 4)), ("w", (4, 4))])
    os.utime(other, ns=(1, 1))
    assert other.stat().st_size == path.stat().st_size
    other.replace(path)
    assert from_onnx(path).macs == 5 * 4 * 4


def test_sizes_have_a_limit(tmp_path):
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = write(tmp_path / "net.onnx", [node], inputs=[("x", ("rows", 4)), ("w", (4, 4))])
    assert from_onnx(path, sizes={"rows": importing.MAX_SIZE}).macs == 16 * importing.MAX_SIZE
    with pytest.raises(ConfigError, match=r"sizes\.rows must be a whole number in"):
        from_onnx(path, sizes={"rows": importing.MAX_SIZE + 1})
