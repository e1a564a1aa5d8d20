"""Shapes of real graphs against those of ONNX Runtime: all that onnx and zigzag-dse ship."""

from __future__ import annotations

import importlib.metadata

import pytest

onnx = pytest.importorskip("onnx", reason="needs the package onnx")
runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, to compare with")

from dream_gym.workload.onnx.graph import read_nodes  # noqa: E402


def graphs(package):
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return sorted(file.locate() for file in files if file.name.endswith(".onnx"))


def shapes_of_runtime(path):
    """The shape of every tensor that a node writes; None where the runtime lacks an operator."""
    model = onnx.load(str(path), load_external_data=False)
    graph = model.graph
    for tensor in [one for one in graph.initializer if one.data_location == one.EXTERNAL]:
        graph.initializer.remove(tensor)  # its data is not shipped, and its shape is all we need
        shape = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        if tensor.name not in {info.name for info in graph.input}:
            graph.input.append(shape)
    known = {info.name for info in graph.output}
    written = [output for node in graph.node for output in node.output if output]
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in written if name not in known)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception:  # the runtime raises many kinds
        return None
    return {info.name: info.shape for info in session.get_outputs()}


def sizes(name):
    return {"n": 4} if "sequence_model8" in str(name) else {}


@pytest.mark.parametrize(("package", "at_least"), [("onnx", 100), ("zigzag-dse", 3)])
def test_every_shipped_graph_has_the_shapes_of_onnx_runtime(package, at_least):
    paths = graphs(package)
    if not paths:
        pytest.skip(f"needs the package {package}, whose graphs it reads")
    compared, tensors = 0, 0
    for path in paths:
        nodes = read_nodes(path, sizes(path))
        expected = shapes_of_runtime(path)
        if expected is None:
            continue
        compared += 1
        protos = onnx.load(str(path), load_external_data=False).graph.node
        for proto, node in zip(protos, nodes, strict=True):
            for name, shape in zip(filter(None, proto.output), node.outputs, strict=True):
                theirs = expected.get(name)
                if theirs is None or shape is None:
                    continue  # a sequence, or left open
                assert len(shape) == len(theirs), (path, name)
                for size, other in zip(shape, theirs, strict=True):
                    if size is not None and isinstance(other, int):
                        assert size == other, (path, name, shape, theirs)
                        tensors += 1
    assert compared >= at_least
    assert tensors >= 2 * compared
