"""What each operator of an ONNX graph becomes, on graphs of one or two nodes."""

from __future__ import annotations

import warnings

import pytest

from dream_gym.errors import ConfigError
from dream_gym.workload import Layer, from_onnx
from dream_gym.workload.onnx.layers import COSTED
from dream_gym.workload.onnx.nodes import FOLDED


def layer(**fields):
    return Layer("n", **fields)


@pytest.mark.parametrize(
    ("inputs", "node", "expected", "macs"),
    [
        pytest.param(
            "float[1,3,8,8] x, float[4,3,3,3] w",
            "Conv<pads = [1,1,1,1], strides = [2,2]>(x, w)",
            layer(K=4, C=3, Y=9, X=9, R=3, S=3, stride=2),
            4 * 3 * 9 * 4 * 4,
            id="strided",
        ),
        pytest.param(
            "float[1,3,8,10] x, float[4,3,3,5] w",
            'Conv<auto_pad = "SAME_UPPER">(x, w)',
            layer(K=4, C=3, Y=10, X=14, R=3, S=5),
            4 * 3 * 15 * 8 * 10,
            id="same-padding",
        ),
        pytest.param(
            "float[1,3,9,9] x, float[4,3,3,3] w",
            "Conv<dilations = [2,2]>(x, w)",
            layer(K=4, C=3, Y=7, X=7, R=3, S=3),
            4 * 3 * 9 * 5 * 5,
            id="dilated",
        ),
        pytest.param(
            "float[1,6,8,8] x, float[6,1,3,3] w",
            "Conv<group = 6>(x, w)",
            layer(K=1, C=6, Y=8, X=8, R=3, S=3, depthwise=True),
            6 * 9 * 6 * 6,
            id="depthwise",
        ),
        pytest.param(
            "float[1,6,8,8] x, float[12,1,3,3] w",
            "Conv<group = 6>(x, w)",
            layer(K=1, C=12, Y=8, X=8, R=3, S=3, depthwise=True),
            12 * 9 * 6 * 6,
            id="two-filters-a-channel",
        ),
        pytest.param(
            "float[1,1,8,8] x, float[4,1,3,3] w",
            "Conv(x, w)",
            layer(K=4, C=1, Y=8, X=8, R=3, S=3),
            4 * 9 * 6 * 6,
            id="one-channel-is-not-depthwise",
        ),
        pytest.param(
            "float[1,6,8,8] x, float[4,3,3,3] w",
            "Conv<group = 2>(x, w)",
            layer(K=4, C=3, Y=8, X=8, R=3, S=3),
            4 * 3 * 9 * 6 * 6,
            id="grouped",
        ),
        pytest.param(
            "float[1,3,20] x, float[4,3,5] w",
            "Conv<strides = [3]>(x, w)",
            layer(K=4, C=3, Y=20, X=1, R=5, S=1, stride=3),
            4 * 3 * 5 * 6,
            id="over-time",
        ),
        pytest.param(
            "float[1,3,9,9] x, float[4,3,3,3] w",
            "Conv<strides = [2,1]>(x, w)",
            layer(K=4, C=3, Y=6, X=9, R=3, S=3, stride=1),  # 6·9 is nearer to 9·9 than 9·15
            4 * 3 * 9 * 4 * 7,
            id="unequal-strides",
        ),
        pytest.param(
            "float[5,3,8,8] x, float[4,3,3,3] w",
            "Conv(x, w)",
            layer(K=4, C=3, Y=5 * 6 + 2, X=8, R=3, S=3),
            5 * 4 * 3 * 9 * 6 * 6,
            id="batch",
        ),
        pytest.param(
            "int8[1,3,8,8] x, int8[4,3,3,3] w",
            "ConvInteger(x, w)",
            layer(K=4, C=3, Y=8, X=8, R=3, S=3),
            4 * 3 * 9 * 6 * 6,
            id="ConvInteger",
        ),
        pytest.param(
            "int8[1,3,8,8] x, int8[4,3,3,3] w, float s, int8 z",
            "QLinearConv(x, s, z, w, s, z, s, z)",
            layer(K=4, C=3, Y=8, X=8, R=3, S=3),
            4 * 3 * 9 * 6 * 6,
            id="QLinearConv",
        ),
        pytest.param(
            "float[1,6,5,5] x, float[6,4,4,4] w",
            "ConvTranspose<strides = [2,2], pads = [1,1,1,1]>(x, w)",
            layer(K=16, C=6, Y=6, X=6, R=2, S=2),
            6 * 4 * 16 * 5 * 5,
            id="transposed",
        ),
        pytest.param(
            "float[1,6,5,5] x, float[6,4,3,3] w",
            "ConvTranspose<strides = [2,2]>(x, w)",
            layer(K=4, C=6, Y=7, X=7, R=3, S=3),
            6 * 4 * 9 * 5 * 5,
            id="transposed-odd-kernel",
        ),
        pytest.param(
            "float[1,6,5,5] x, float[6,2,4,4] w",
            "ConvTranspose<strides = [2,2], group = 2>(x, w)",
            layer(K=16, C=3, Y=6, X=6, R=2, S=2),
            6 * 2 * 16 * 5 * 5,
            id="transposed-grouped",
        ),
        pytest.param(
            "float[1,6,5] x, float[6,1,2] w",
            "ConvTranspose<strides = [2], group = 6>(x, w)",
            layer(K=1, C=12, Y=5, X=1, depthwise=True),
            6 * 2 * 5,
            id="transposed-depthwise-over-time",
        ),
        pytest.param(
            "float[5,7] x, float[7,3] w",
            "Gemm(x, w)",
            layer(K=3, C=7, Y=5, X=1),
            5 * 7 * 3,
            id="Gemm",
        ),
        pytest.param(
            "float[7,5] x, float[3,7] w",
            "Gemm<transA = 1, transB = 1>(x, w)",
            layer(K=3, C=7, Y=5, X=1),
            5 * 7 * 3,
            id="Gemm-transposed",
        ),
        pytest.param(
            "float[2,5,7] x, float[7,3] w",
            "MatMul(x, w)",
            layer(K=3, C=7, Y=10, X=1),
            10 * 7 * 3,
            id="MatMul",
        ),
        pytest.param(
            "float[7] x, float[7,3] w",
            "MatMul(x, w)",
            layer(K=3, C=7, Y=1, X=1),
            7 * 3,
            id="MatMul-vector",
        ),
        pytest.param(
            "float[1,4,5,8] x, float[1,4,8,6] w",
            "MatMul(x, w)",
            layer(K=4 * 6, C=8, Y=5, X=1),
            4 * 5 * 8 * 6,
            id="MatMul-heads",
        ),
        pytest.param(
            "float[3,4,5,8] x, float[4,8,6] w",
            "MatMul(x, w)",
            layer(K=4 * 6, C=8, Y=3 * 5, X=1),
            3 * 4 * 5 * 8 * 6,
            id="MatMul-broadcast",
        ),
        pytest.param(
            "uint8[5,7] x, uint8[7,3] w",
            "MatMulInteger(x, w)",
            layer(K=3, C=7, Y=5, X=1),
            5 * 7 * 3,
            id="MatMulInteger",
        ),
        pytest.param(
            "uint8[5,7] x, uint8[7,3] w, float s, uint8 z",
            "QLinearMatMul(x, s, z, w, s, z, s, z)",
            layer(K=3, C=7, Y=5, X=1),
            5 * 7 * 3,
            id="QLinearMatMul",
        ),
    ],
)
def test_operator_becomes_a_layer(write_onnx, inputs, node, expected, macs):
    network = from_onnx(write_onnx(inputs, f"[n] y = {node}"))
    assert network.layers == (expected,)
    assert network.macs == macs


@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_node_is_a_layer_for_each_step_and_direction(write_onnx, operator, gates):
    rows = gates * 6
    path = write_onnx(
        f"float[3,1,5] x, float[2,{rows},5] w, float[2,{rows},6] r",
        f'[n] y = {operator}<hidden_size = 6, direction = "bidirectional">(x, w, r)',
    )
    expected = tuple(
        Layer(f"n.{direction}.t{step}", K=rows, C=11, Y=1, X=1)
        for direction in ("forward", "backward")
        for step in range(3)
    )
    assert from_onnx(path).layers == expected


def test_recurrent_node_with_the_batch_first(write_onnx):
    path = write_onnx(
        "float[1,3,5] x, float[1,24,5] w, float[1,24,6] r",
        "[n] y = LSTM<hidden_size = 6, layout = 1>(x, w, r)",
    )
    assert [layer.name for layer in from_onnx(path).layers] == ["n.t0", "n.t1", "n.t2"]


def test_weights_are_held_whichever_operand_they_are(write_onnx):
    path = write_onnx(
        "float[2,9] x", "[n] y = MatMul(w, x)", weights="float[3,2] w = {1,2,3,4,5,6}"
    )
    assert from_onnx(path).layers == (layer(K=3, C=2, Y=9, X=1),)


def test_what_is_the_same_for_every_frame_costs_nothing(write_onnx):
    path = write_onnx(
        "float[2,3] x",
        "t = Transpose(w) w2 = MatMul(w, t) [n] y = MatMul(w2, x)",
        weights="float[2,2] w = {1,2,3,4}",
    )
    assert from_onnx(path).layers == (layer(K=2, C=2, Y=3, X=1),)


def test_layers_keep_the_order_of_the_graph_and_their_names_are_unique(write_onnx):
    path = write_onnx(
        "float[1,4] x, float[4,4] w",
        "[a] h = MatMul(x, w) s = Relu(h) [a] i = MatMul(s, w) j = MatMul(s, w) y = Add(i, j)",
    )
    assert [layer.name for layer in from_onnx(path).layers] == ["a", "a#2", "j"]


@pytest.mark.parametrize("opset", [9, 13, 17])
def test_shapes_are_followed_through_shape_arithmetic(write_onnx, opset):
    unsqueeze = "Unsqueeze<axes = [0]>(b)" if opset < 13 else "Unsqueeze(b, zero)"
    path = write_onnx(
        "float[N,4,6] x, float[24,5] w",
        f"s = Shape(x) b = Gather(s, first) c = {unsqueeze} d = Concat<axis = 0>(c, rest) "
        "r = Reshape(x, d) [n] y = MatMul(r, w)",
        weights="int64 first = {0}, int64[1] zero = {0}, int64[1] rest = {-1}",
        opset=opset,
    )
    assert from_onnx(path).layers == (layer(K=5, C=24, Y=1, X=1),)


def test_functions_of_the_file_are_looked_into(write_onnx):
    path = write_onnx(
        "float[1,4] x, float[4,4] w",
        "y = mine.twice(x, w)",
        imports=', "mine" : 1',
        functions='<opset_import: ["" : 17], domain: "mine"> '
        "twice (a, b) => (d) { c = MatMul(a, b) d = MatMul(c, b) }",
    )
    assert from_onnx(path).macs == 32


@pytest.mark.parametrize(
    ("inputs", "node", "words"),
    [
        ("float[1,3,8,8] x, float[4,2,3,3] w", "Conv(x, w)", "do not fit"),
        ("float[1,3,8,8] x, float[4,3,3,3] w", "Conv<group = 0>(x, w)", "groups do not fit"),
        ("float[1,3,8,8] x, float[4,3,3,3] w", "Conv<strides = [0,0]>(x, w)", "tride"),
        ("float[1,3,2,2] x, float[4,3,3,3] w", "Conv(x, w)", "window of 3 does not fit"),
        ("float[1,3,4,4,4] x, float[4,3,3,3,3] w", "Conv(x, w)", "spatial dimensions"),
        ("float[1,3,4,4] x, float[4,3,3,3] w", "ConvTranspose(x, w)", "fit"),
        ("float[1,3,4,4,4] x, float[3,3,3,3,3] w", "ConvTranspose(x, w)", "spatial dimensions"),
        ("float[2,3] x, float[4,5] w", "MatMul(x, w)", "do not fit"),
        ("float x, float[4,5] w", "MatMul(x, w)", "not matrices"),
        ("float[2,4,5] x, float[3,5,6] w", "MatMul(x, w)", "broadcast"),
        ("float[2,3,4] x, float[4,5] w", "Gemm(x, w)", "not two matrices"),
        ("float[20000,1,5] x, float[1,4,5] w, float[1,4,1] r", "LSTM(x, w, r)", "at most 10000"),
        ("float[3,1,5] x, float[1,4,9] w, float[1,4,1] r", "LSTM(x, w, r)", "do not fit"),
        ("float[67108864,33554432] x, float[33554432,2] w", "MatMul(x, w)", "2**50"),
        ("float[] x, float[4,5] w", "MatMul(x, w)", "shape of its input 0 is not known"),
    ],
)
def test_operator_that_cannot_be_costed_is_named(write_onnx, inputs, node, words):
    path = write_onnx(inputs, f"[the_node] y = {node}")
    with pytest.raises(ConfigError) as caught:
        from_onnx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot cost {node.split('(')[0].split('<')[0]} 'the_node'")
    assert words in message
    assert "\n" not in message


def test_what_is_folded_is_known_to_onnx_and_never_costed():
    defs = pytest.importorskip("onnx.defs")
    known = {schema.name for schema in defs.get_all_schemas_with_history() if not schema.domain}
    assert known >= COSTED.keys()
    assert not FOLDED & COSTED.keys()
    work = {"If", "Loop", "Scan", "SequenceMap", "Einsum", "DeformConv", "Attention", "DFT", "STFT"}
    assert not FOLDED & work
    newer = {"BitCast", "CumProd", "RMSNormalization", "RotaryEmbedding", "SwiGLU", "Swish"}
    assert known >= FOLDED - newer - {"TensorScatter"}


def test_folding_gives_no_warning(write_onnx):
    path = write_onnx(
        "float[1,3,8,8] x, float[4,3,3,3] w",
        "c = Conv(x, w) r = Relu(c) p = GlobalAveragePool(r) y = Softmax(p)",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(from_onnx(path).layers) == 1
