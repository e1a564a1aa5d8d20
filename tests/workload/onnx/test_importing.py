"""Importing ONNX files: what is refused and how, what is skipped, and scenarios that import."""

from __future__ import annotations

import itertools
import os
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError
from dream_gym.workload import (
    Layer,
    ModelSpec,
    Network,
    OnnxReference,
    Scenario,
    from_onnx,
    load_scenario,
)

pytest.importorskip("onnx", reason="needs the package onnx")

INPUTS = "float[N,4] x, float[4,5] w"
TEXT_INPUTS = "float[N,T,4] x, float[4,5] w"
BODY = "[first] a = MatMul(x, w) b = Relu(a) c = Softmax(b)"


@pytest.fixture
def good(write_onnx):
    return write_onnx(INPUTS, BODY, name="good.onnx")


def message_of(call, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_network_is_named_after_its_file_unless_named(good):
    assert from_onnx(good).name == "good"
    assert from_onnx(str(good), name="mine").name == "mine"
    assert "good.onnx" in from_onnx(good).source


@pytest.fixture
def text(write_onnx):
    return write_onnx(TEXT_INPUTS, BODY, name="text.onnx")


def test_a_batch_may_be_left_out_and_is_one(text):
    assert from_onnx(text, sizes={"T": 7}).layers == (Layer("first", K=5, C=4, Y=7, X=1),)
    batch = from_onnx(text, sizes={"N": 2, "T": 7})
    assert batch.layers == (Layer("first", K=5, C=4, Y=14, X=1),)


def test_sizes_are_part_of_the_name_unless_it_is_given(text):
    assert from_onnx(text, sizes={"T": 7, "N": 1}).name == "text(T=7)"
    assert from_onnx(text, sizes={"T": 7}, name="mine").name == "mine"
    assert from_onnx(text, sizes={"T": 7}).digest != from_onnx(text, sizes={"T": 8}).digest


def test_any_other_size_has_to_be_given(text):
    message = message_of(from_onnx, text)
    assert message.startswith(f"{text}: sizes: the file leaves sizes of its inputs open: give T, ")
    assert "only a batch may be left out" in message


@pytest.mark.parametrize(
    ("inputs", "missing"),
    [
        ("float[N,3,H,W] x, float[4,3,3,3] w", "H, W"),
        ("float[batch_size,3,8,8] x, float[4,3,3,3] w", ""),
        ("float[unk__12,3,8,8] x, float[4,3,3,3] w", ""),
        ("float[x_dynamic_axes_1,3,8,8] x, float[4,3,3,3] w", ""),
        ("float[s77,3,s3,s3] x, float[4,3,3,3] w", "s3"),
        ("float[N,3,N,8] x, float[4,3,3,3] w", "N"),
        ("float[?,3,8,8] x, float[4,3,3,3] w", ""),
        ("float[?,3,?,?] x, float[4,3,3,3] w", "x.2, x.3"),
        ("float[frames,3,8,8] x, float[4,3,3,3] w", "frames"),
        ("float[8,3,8,8] x, float[4,3,3,3] w", ""),
    ],
)
def test_which_dimensions_are_a_batch(write_onnx, inputs, missing):
    path = write_onnx(inputs, "y = Conv(x, w)")
    if missing:
        assert f"open: give {missing}, such as" in message_of(from_onnx, path)
        names = missing.split(", ")
        assert from_onnx(path, sizes={name: 9 for name in names}).macs > 0
    else:
        assert from_onnx(path).macs % (4 * 3 * 9 * 6 * 6) == 0


@pytest.mark.parametrize("size", [0, -1, -7])
def test_a_size_of_nothing_is_an_open_size(write_onnx, size):
    import onnx

    path = write_onnx("float[1,3,8,8] x, float[4,3,3,3] w", "y = Conv(x, w)")
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = size
    path.write_bytes(model.SerializeToString())
    assert "open: give x.2, such as" in message_of(from_onnx, path)
    assert from_onnx(path, sizes={"x.2": 8}, name=f"again{size}").macs == 4 * 3 * 9 * 6 * 6


def test_the_first_dimension_of_a_recurrent_network_may_be_time(write_onnx):
    inputs, body = "float[1,4,5] w, float[1,4,1] r", "y = LSTM<hidden_size = 1>(x, w, r)"
    path = write_onnx(f"float[?,1,5] x, {inputs}", body, name="a.onnx")
    assert "open: give x.0, such as" in message_of(from_onnx, path)
    assert len(from_onnx(path, sizes={"x.0": 6}).layers) == 6
    assert len(from_onnx(write_onnx(f"float[6,batch,5] x, {inputs}", body)).layers) == 6


def test_an_image_without_a_size_is_not_one_pixel(write_onnx):
    path = write_onnx(
        "float[N,3,height,width] x, float[8,3,3,3] w, float[8,8,3,3] v",
        "a = Conv<pads = [1,1,1,1]>(x, w) y = Conv<pads = [1,1,1,1]>(a, v)",
    )
    assert "give height, width, such as sizes: {height: 224}" in message_of(from_onnx, path)
    macs = from_onnx(path, sizes={"height": 90, "width": 227}).macs
    assert macs == (8 * 3 + 8 * 8) * 9 * 90 * 227


def test_unchanged_file_is_read_once_and_a_changed_one_again(good, write_onnx):
    network = from_onnx(good)
    assert from_onnx(good) is network
    assert len({network, from_onnx(good)}) == 1
    before = good.stat().st_mtime_ns
    write_onnx("float[1,4] x, float[4,9] w", "y = MatMul(x, w)", name="good.onnx")
    os.utime(good, ns=(before + 1, before + 1))
    assert from_onnx(good).layers[0].K == 9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_unknown": "ignore"}, "on_unknown must be 'error' or 'skip', got 'ignore'"),
        ({"sizes": {"T": 0}}, "sizes.T must be a whole number in [1, 2147483647], got 0"),
        ({"sizes": {"T": 2.0}}, "sizes.T must be"),
        ({"sizes": {"T": True}}, "sizes.T must be"),
        ({"sizes": {"T": 10**30}}, "sizes.T must be"),
        ({"sizes": {"tokens": 2}}, "'tokens'; symbolic are N, T"),
    ],
)
def test_bad_option_is_named(text, options, words):
    assert words in message_of(from_onnx, text, **options)


def test_missing_file_folder_and_impossible_path(tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path, tmp_path / "nul\0.onnx"):
        message = message_of(from_onnx, path)
        assert message.startswith(f"{path}: cannot be read")


@pytest.mark.parametrize(
    "content", [b"", b"not a protobuf", b"\x00" * 100, b"schema: 1\nname: example\n"]
)
def test_file_that_is_no_model(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    assert message_of(from_onnx, path).startswith(f"{path}: not an ONNX model")


def test_truncated_file_is_an_error_wherever_it_ends(good, tmp_path):
    content = good.read_bytes()
    path = tmp_path / "short.onnx"
    for length in range(0, len(content) - 12, 7):
        path.write_bytes(content[:length])
        assert message_of(from_onnx, path).startswith(f"{path}: ")


def test_name_that_is_no_text(good):
    good.write_bytes(good.read_bytes().replace(b"first", b"f\xffrst"))
    assert "no UTF-8 text" in message_of(from_onnx, good)


def test_node_that_reads_what_is_not_there(write_onnx):
    path = write_onnx(INPUTS, "[n] y = MatMul(x, z) z = Relu(w)")
    assert f"{path}: MatMul 'n' reads 'z'" in message_of(from_onnx, path)


def test_graph_without_work(write_onnx):
    path = write_onnx("float[1,4] x", "y = Relu(x)")
    assert f"{path}: no convolution" in message_of(from_onnx, path)


def test_missing_opset(write_onnx):
    path = write_onnx(INPUTS, "[n] y = mine.Thing(x)")
    assert "cannot cost mine.Thing 'n' (unknown operator)" in message_of(from_onnx, path)


UNKNOWN = {
    "If": "[n] y = If(c) <then_branch = t () => (float[1] p) { p = Identity(x) }, "
    "else_branch = e () => (float[1] q) { q = Identity(x) }>",
    "Einsum": '[n] y = Einsum<equation = "ij,jk->ik">(x, w)',
    "DeformConv": "[n] y = DeformConv(x, w, o)",
    "Attention": "[n] y = Attention(x, w, w)",
    "mine.Thing": "[n] y = mine.Thing(x, w)",
    "Convv": "[n] y = Convv(x, w)",
}


@pytest.mark.parametrize("operator", UNKNOWN)
def test_unknown_operator_is_named_or_skipped(write_onnx, operator):
    inputs = "float[4,4] x, float[4,4] w, float[1,2,3,3] o, bool[1] c"
    path = write_onnx(inputs, f"a = MatMul(x, w) {UNKNOWN[operator]}", imports=', "mine" : 1')
    message = message_of(from_onnx, path)
    assert message.startswith(f"{path}: cannot cost {operator} 'n' (unknown operator)")
    assert "on_unknown='skip'" in message
    with pytest.warns(UserWarning, match=rf"skipped 1 of 2 nodes \(50.0%\).*: {operator} 'n'"):
        assert len(from_onnx(path, on_unknown="skip").layers) == 1


def test_skipping_tells_the_share_of_the_output(write_onnx):
    path = write_onnx(
        "float[4,4] x, float[4,12] w", 'a = MatMul(x, w) y = Einsum<equation = "ij->ji">(a)'
    )
    with pytest.warns(UserWarning, match=r"50.0% of the known output elements"):
        from_onnx(path, on_unknown="skip")
    with pytest.warns(UserWarning, match="Einsum"):  # from the cache as well
        from_onnx(path, on_unknown="skip")


def test_skip_without_anything_to_skip_gives_no_warning(good):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_onnx(good, on_unknown="skip")


def test_shape_that_depends_on_data_is_an_error_at_the_node_that_needs_it(write_onnx):
    body = "i = NonZero(x) t = Transpose(i) f = Cast<to = 1>(t) [n] y = Gemm(f, v)"
    path = write_onnx("float[4,4] x, float[4,4] w, float[2,3] v", f"a = MatMul(x, w) {body}")
    message = message_of(from_onnx, path)
    assert "cannot cost Gemm 'n' (the shape of its input 0 is not known" in message
    with pytest.warns(UserWarning, match="outputs of unknown size"):
        assert len(from_onnx(path, on_unknown="skip").layers) == 1


def test_many_unknown_nodes_are_counted(write_onnx):
    path = write_onnx("float[4] x", " ".join(f"y{i} = What(x)" for i in range(9)))
    assert "and 4 more" in message_of(from_onnx, path)


def test_declared_shapes_fill_in_where_inference_stops(tmp_path):
    import onnx.parser

    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17, "mine" : 1]> '
        "net (float[N,4] x, float[6,5] w) => (float[N,5] y) <float[2,6] a> "
        "{ a = mine.Thing(x) [n] y = MatMul(a, w) }"
    )
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.warns(UserWarning, match="Thing"):
        network = from_onnx(path, on_unknown="skip")
    assert network.layers == (Layer("n", K=5, C=6, Y=2, X=1),)


def test_without_onnx_the_error_says_what_to_install(good, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "dream_gym.workload.onnx.graph", raising=False)
    assert 'pip install "dream_gym[onnx]"' in message_of(from_onnx, good)


SCENARIO = """
schema: 1
name: mine
models:
  - {name: eyes, network: {onnx: good.onnx}, rate: 30}
"""


def test_scenario_finds_the_file_beside_itself(good, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = good.with_name("mine.yaml")
    path.write_text(SCENARIO)
    model = load_scenario(path).models[0]
    assert model.built_network is from_onnx(good)
    path.write_text(SCENARIO.replace("good.onnx", "good.onnx, sizes: {N: 3}, name: mine"))
    changed = load_scenario(path).models[0].built_network
    assert (changed.macs, changed.name) == (3 * model.built_network.macs, "mine")
    path.write_text(SCENARIO.replace("good.onnx", str(good)))
    assert load_scenario(path).models[0] == model


def test_model_made_in_python_imports_too(good):
    for network in ({"onnx": str(good)}, OnnxReference(onnx=str(good)), from_onnx(good)):
        assert ModelSpec(name="eyes", network=network, rate=30).built_network == from_onnx(good)


def test_scenario_may_skip(write_onnx, tmp_path):
    write_onnx("float[4,4] x, float[4,4] w", "a = MatMul(x, w) y = What(a)", name="good.onnx")
    path = tmp_path / "mine.yaml"
    path.write_text(SCENARIO)
    assert "cannot cost What 'y'" in message_of(load_scenario, path)
    path.write_text(SCENARIO.replace("good.onnx", "good.onnx, on_unknown: skip"))
    with pytest.warns(UserWarning, match="What 'y'"):
        assert load_scenario(path).models[0].built_network.macs == 64


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("none.onnx", "none.onnx: cannot be read"),
        ("mine.yaml", "mine.yaml: not an ONNX model"),
        ("good.onnx, on_unknown: maybe", "on_unknown: "),
        ("good.onnx, skip: true", "skip: no such key"),
        ("3", "onnx: "),
        ("good.onnx, sizes: {N: 0}", "sizes.N"),
        ("good.onnx, sizes: {Q: 2}", "symbolic are N"),
        ("good.onnx, name: ''", "name: expected text of 1 char"),
    ],
)
def test_bad_reference_names_the_field_of_the_scenario(good, new, words):
    path = good.with_name("mine.yaml")
    path.write_text(SCENARIO.replace("good.onnx", new))
    message = message_of(load_scenario, path)
    assert message.startswith(f"{path}: models.0.network")
    assert words in message


def test_schema_for_editors_knows_the_reference():
    assert "OnnxReference" in Scenario.model_json_schema()["$defs"]


_NUMBERS = itertools.count()


@settings(
    max_examples=400, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_file_gives_a_network_or_an_error(write_onnx, data):
    path = write_onnx(
        "float[N,36] x, float[4,2,3,3] w, float[36,3] v, float[1,8,3] k, float[1,8,2] k2",
        "s = Shape(x) i = Gather(s, zero) u = Unsqueeze(i, axes) d = Concat<axis = 0>(u, rest) "
        "r = Reshape(x, d) c = Conv<group = 2, pads = [1,1,1,1]>(r, w) f = Flatten(c) "
        "m = MatMul(f, v) p = Unsqueeze(m, axes) y = LSTM<hidden_size = 2>(p, k, k2)",
        weights="int64 zero = {0}, int64[1] axes = {0}, int64[3] rest = {4,3,3}",
    )
    assert len(from_onnx(path).layers) == 3
    content = bytearray(path.read_bytes())
    places = st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.none() | places)])
    on_unknown = data.draw(st.sampled_from(["error", "skip"]))
    message = f"{path}: "
    fresh = str(next(_NUMBERS))  # a write within a tick of the clock would be met by the cache
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = from_onnx(path, name=fresh, on_unknown=on_unknown)
        assert isinstance(network, Network)
    except ConfigError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
