from __future__ import annotations

import pytest


@pytest.fixture
def write_onnx(tmp_path):
    """Write a graph in ONNX's text syntax to a file; what it names `y` is its output."""
    parser = pytest.importorskip("onnx.parser", reason="needs the package onnx")

    def write(inputs, body, *, weights="", opset=17, imports="", functions="", name="net.onnx"):
        initializers = f"<{weights}>" if weights else ""
        model = parser.parse_model(
            f'<ir_version: 8, opset_import: ["" : {opset}{imports}]> '
            f"net ({inputs}) => (float[] y) {initializers} {{ {body} }} {functions}"
        )
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return write
