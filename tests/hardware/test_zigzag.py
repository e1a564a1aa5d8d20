from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, cost_table, load_platform
from dream_gym.hardware.zigzag import model as zigzag
from dream_gym.hardware.zigzag import pool, worker
from dream_gym.reading import resources
from dream_gym.workload import Layer, Network

needs_zigzag = pytest.mark.skipif(
    importlib.util.find_spec("zigzag") is None,
    reason='zigzag-dse is not installed: pip install "dream_gym[zigzag]" (Python 3.11 or later)',
)
TEXT = """
schema: 1
name: chip
clock_ghz: 0.5
dram_bandwidth_gb_s: 4
shared_memory_kib: 1024
costs:
  model: zigzag
  accelerators:
    - {name: small, hardware: small.yaml, mapping: mapping.yaml}
    - {name: large, hardware: large.yaml, mapping: mapping.yaml}
accelerators: [{name: large}, {name: small}]
"""
REAL = TEXT.replace("small.yaml", "edge_tpu_like").replace("large.yaml", "meta_prototype")
REAL = REAL.replace("mapping.yaml", "edge_tpu_like", 1).replace(
    "mapping.yaml", "meta_prototype_like"
)
CONV = Layer("conv", K=8, C=4, Y=6, X=6, R=3, S=3)
NETWORK = Network("net", (CONV, Layer("same", K=8, C=4, Y=6, X=6, R=3, S=3)), "test")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAM_GYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "zigzag"


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Puts a stub in the place of zigzag; collects what it is asked."""
    for name in ("small", "large", "mapping"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n")
    requests = []

    def evaluate(wanted):
        requests.extend(wanted.values())
        for key, request in wanted.items():
            if request["layer"]["K"] == 666:
                yield key, "ValueError: too many"
            else:
                yield key, (10.2 if "small" in request["hardware"] else 3.0, request["layer"]["K"])

    monkeypatch.setattr(zigzag, "evaluate_all", lambda wanted: (item for item in evaluate(wanted)))
    monkeypatch.setattr(zigzag, "zigzag_version", lambda: "1.2.3")
    return requests


def costs(tmp_path, network=NETWORK, text=TEXT):
    platform = resources.parse(text, Platform, origin="p.yaml", folder=tmp_path)
    return platform.costs.costs(network, platform)


def test_cycles_become_ns_by_the_clock_in_the_order_of_the_accelerators(tmp_path, asked):
    table = costs(tmp_path)
    assert table.latency_ns.tolist() == [[6, 21]] * 2
    assert table.energy_pj.tolist() == [[8, 8]] * 2


def test_each_shape_is_computed_once_and_then_cached(tmp_path, asked, cache):
    first = costs(tmp_path)
    assert len(asked) == 2
    assert len(list(cache.rglob("*.json"))) == 2
    again = costs(tmp_path)
    assert len(asked) == 2
    assert (first.latency_ns == again.latency_ns).all()
    assert {path.suffix for path in cache.rglob("*") if path.is_file()} == {".json"}


def test_a_changed_description_is_not_mistaken_for_the_old_one(tmp_path, asked):
    path = tmp_path / "p.yaml"
    path.write_text(TEXT)
    assert cost_table(NETWORK, load_platform(path)).latency_ns.tolist() == [[6, 21]] * 2
    (tmp_path / "large.yaml").write_text("name: small too\n")
    assert cost_table(NETWORK, load_platform(path)).latency_ns.tolist() == [[21, 21]] * 2


@pytest.mark.parametrize(
    "content",
    ["", "[1, 2", "[1]", "[1, 2, 3]", "[0, 1]", "[NaN, 1]", '["a", 1]', "{}", "7", "\xff"],
)
def test_damaged_entries_of_the_cache_are_computed_again(tmp_path, asked, cache, content):
    costs(tmp_path)
    for path in cache.rglob("*.json"):
        path.write_bytes(content.encode("latin-1"))
    costs(tmp_path)
    assert len(asked) == 4
    assert all(len(json.loads(path.read_text())) == 2 for path in cache.rglob("*.json"))


@pytest.mark.parametrize(
    "option",
    ["objective: energy", "loop_factors: 5", "spatial_mappings: 4", "activations_on_chip: false"],
)
def test_a_result_is_cached_under_every_option(tmp_path, asked, option):
    costs(tmp_path)
    costs(tmp_path, text=TEXT.replace("model: zigzag", f"model: zigzag\n  {option}"))
    assert len(asked) == 4


@pytest.mark.parametrize("field", ["K", "C", "Y", "X", "R", "S", "stride"])
def test_a_result_is_cached_under_every_size_of_the_layer(tmp_path, asked, field):
    sizes = {"K": 8, "C": 4, "Y": 7, "X": 7, "R": 3, "S": 3}
    costs(tmp_path, Network("net", (Layer("a", **sizes),), "test"))
    sizes[field] = sizes.get(field, 1) + 1
    costs(tmp_path, Network("net", (Layer("a", **sizes),), "test"))
    assert len(asked) == 4


def test_a_result_is_cached_under_the_contents_of_files_and_the_versions(
    tmp_path, asked, monkeypatch
):
    costs(tmp_path)
    (tmp_path / "small.yaml").write_text("name: another small\n")
    costs(tmp_path)
    assert len(asked) == 3
    (tmp_path / "mapping.yaml").write_text("name: another\n")
    costs(tmp_path)
    assert len(asked) == 5
    monkeypatch.setattr(zigzag, "zigzag_version", lambda: "1.2.4")
    costs(tmp_path)
    assert len(asked) == 7
    monkeypatch.setattr(zigzag, "FORMULATION", 0)
    costs(tmp_path)
    assert len(asked) == 9


def test_a_description_is_as_bounded_as_other_files(tmp_path, asked):
    costs(tmp_path)
    for text in ("[" * 3000, "name: a\nname: b\n", "a: &a [*a]"):
        (tmp_path / "small.yaml").write_text(text)
        with pytest.raises(ConfigError, match=r"small: hardware: .*small\.yaml: line "):
            costs(tmp_path)


def test_the_cache_lies_where_the_user_says(tmp_path, monkeypatch):
    assert zigzag.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("DREAM_GYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert zigzag.cache_folder() == tmp_path / "xdg" / "dream_gym"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert zigzag.cache_folder() == tmp_path / ".cache" / "dream_gym"


def test_what_was_computed_before_an_error_is_kept(tmp_path, asked, cache):
    bad = Network("net", (CONV, Layer("fc", K=666, C=4, Y=1, X=1)), "test")
    with pytest.raises(
        ConfigError,
        match=r"^chip: costs: zigzag cannot cost net: fc on large: ValueError: too many$",
    ):
        costs(tmp_path, bad)
    assert len(list(cache.rglob("*.json"))) == 2


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: small, h", "name: tiny, h", "chip: costs.accelerators: 'small' is missing"),
        ("name: small, h", "name: large, h", "accelerators.1.name: 'large' is used twice"),
        ("small.yaml", "none.yaml", "small: hardware: .*none.yaml: cannot be read"),
        ("mapping.yaml", "none.yaml", "small: mapping: .*none.yaml: cannot be read"),
        (
            "model: zigzag",
            "model: zigzag\n  objective: speed",
            "objective: expected 'latency', 'energy' or 'EDP', got 'speed'",
        ),
        ("model: zigzag", "model: zigzag\n  loop_factors: 0", "loop_factors: expected at least 1"),
    ],
)
def test_bad_input_names_the_field(tmp_path, asked, old, new, problem):
    with pytest.raises(ConfigError, match=problem):
        costs(tmp_path, text=TEXT.replace(old, new, 1))


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ConfigError, match=r'^zigzag-dse is missing.*"dream_gym\[zigzag\]"$'):
        costs(tmp_path)


def test_a_request_that_makes_no_sense_is_answered_with_an_error():
    ((key, answer),) = pool.evaluate_all({"key": {"version": "?"}})
    assert key == "key"
    assert isinstance(answer, str)


STAND_IN = """
import json, os, signal, sys
from pathlib import Path
for line in sys.stdin:
    request = json.loads(line)
    notes = Path(request["notes"])
    deaths = len(notes.read_text()) if notes.exists() else 0
    if deaths < request["deaths"]:
        notes.write_text("x" * (deaths + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps({"cycles": 1.0, "pj": 2.0}), flush=True)
"""


def test_a_process_that_is_killed_is_replaced_once(tmp_path, monkeypatch):
    script = tmp_path / "worker.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(worker, "__file__", str(script))
    requests = {
        deaths: {"deaths": deaths, "notes": str(tmp_path / f"{deaths}.deaths")}
        for deaths in range(3)
    }
    answers = dict(pool.evaluate_all(requests))
    assert answers[0] == answers[1] == (1.0, 2.0)
    assert answers[2] == "its process ended with exit code -9"


PARENT = """
import subprocess, sys
worker = subprocess.Popen(sys.argv[1:], stdin=0, stdout=subprocess.PIPE)
worker.stdout.readline()  # its answer to what cannot be read: it is at work
print(worker.pid, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_a_process_ends_with_its_parent():
    command = [sys.executable, "-c", PARENT, sys.executable, "-P", worker.__file__]
    pipe = subprocess.PIPE
    parent = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    parent.stdin.write("nonsense\n")
    parent.stdin.flush()
    child = int(parent.stdout.readline())  # its standard input, which is ours, stays open
    parent.wait()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    parent.stdin.close()


def test_a_process_that_dies_is_an_answer_too(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    answers = dict(pool.evaluate_all({"a": {}, "b": {}, "c": {}}))
    assert set(answers) == {"a", "b", "c"}
    assert all("ended with exit code" in answer for answer in answers.values())


def shape(layer: Layer) -> worker.Shape:
    sizes = ("K", "C", "output_height", "output_width", "R", "S", "stride", "depthwise")
    return worker.Shape(activations=0, **{name: getattr(layer, name) for name in sizes})


@pytest.mark.parametrize(
    ("layer", "sizes"),
    [
        (CONV, {"K": 8, "C": 4, "OY": 4, "OX": 4, "FY": 3, "FX": 3, "G": 1, "B": 1}),
        (Layer("dw", 1, 6, 9, 9, 3, 3, 2, True), {"G": 6, "K": 1, "C": 1, "OY": 4, "FX": 3}),
        (Layer("matmul", K=5, C=7, Y=12, X=1), {"OY": 4, "OX": 3, "K": 5, "C": 7}),
        (Layer("prime", K=5, C=7, Y=13, X=1), {"OY": 13, "OX": 1}),
        (Layer("fc", K=5, C=7, Y=1, X=1), {"OY": 1, "OX": 1}),
        (Layer("1d", K=5, C=7, Y=12, X=1, R=3), {"OY": 10, "OX": 1, "FY": 3}),
    ],
)
def test_layers_in_the_format_of_zigzag(layer, sizes):
    described = worker.workload(shape(layer))
    loops = dict(zip(described["loop_dims"], described["loop_sizes"], strict=True))
    assert sizes.items() <= loops.items()
    product = 1
    for size in loops.values():
        product *= size
    assert product == layer.macs


def test_channels_of_depthwise_layers_take_the_place_of_output_channels():
    default = {"name": "default", "spatial_mapping": {"D1": ["K, 32"], "D2": ["C, 2", "OX, 2"]}}
    *kept, added = worker.with_depthwise([default])
    assert kept == [default]
    assert added == {
        "name": "depthwise",
        "spatial_mapping": {"D1": ["G, 32"], "D2": ["C, 2", "OX, 2"]},
    }
    own = [default, {"name": "depthwise"}]
    assert worker.with_depthwise(own) == own


def test_the_off_chip_memory_serves_weights_only_where_activations_fit():
    port = {"type": "read", "allocation": ["I1, tl", "I2, tl", "O, tl"]}
    out = {"type": "write", "allocation": ["O, fh"]}
    hardware = {
        "memories": {
            "sram": {"size": 800, "operands": ["I1", "O"], "ports": []},
            "dram": {"size": 10**9, "operands": ["I1", "I2", "O"], "ports": [port, out]},
        }
    }
    assert worker.without_activations(hardware, 801) == hardware
    changed = worker.without_activations(hardware, 800)["memories"]
    assert changed["sram"] == hardware["memories"]["sram"]
    assert changed["dram"]["operands"] == ["I2"]
    assert changed["dram"]["ports"] == [{"type": "read", "allocation": ["I2, tl"]}]


@needs_zigzag
def test_shipped_descriptions_are_found_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"small: hardware: 'tpu' is neither .*tpu_like"):
        costs(tmp_path, text=REAL.replace("hardware: edge_tpu_like", "hardware: tpu"))


@needs_zigzag
def test_real_costs_respect_the_limits_of_the_hardware(tmp_path):
    layers = (
        Layer("pointwise", K=32, C=16, Y=8, X=8),
        Layer("depthwise", K=1, C=16, Y=10, X=10, R=3, S=3, depthwise=True),
        Layer("matmul", K=64, C=64, Y=16, X=1),
        Layer("fc", K=256, C=128, Y=1, X=1),
    )
    network = Network("net", layers, "test")
    table = costs(tmp_path, network, REAL)
    for layer, latency_ns, energy_pj in zip(layers, table.latency_ns, table.energy_pj, strict=True):
        # 1024 MACs a cycle, 8 bytes of weights a cycle, 2 ns a cycle; 0.04 pJ a MAC, and 87 pJ
        # a byte from off the chip.
        assert (latency_ns >= 2 * max(layer.macs / 1024, layer.weights / 8)).all(), layer
        assert (latency_ns <= 2 * max(layer.macs / 8, layer.weights)).all(), layer
        assert (energy_pj >= 0.04 * layer.macs + 87 * layer.weights).all(), layer
    one = Network("one", layers[:1], "test")
    off_chip = REAL.replace("model: zigzag", "model: zigzag\n  activations_on_chip: false")
    assert (costs(tmp_path, one, off_chip).energy_pj > table.energy_pj[:1]).all()


@needs_zigzag
@pytest.mark.parametrize("content", ["name: 3", "name: x\nmemories: {a: {size: 3}}"])
def test_what_zigzag_refuses_is_one_error(tmp_path, content):
    (tmp_path / "small.yaml").write_text(content)
    network = Network("net", (Layer("fc", K=4, C=4, Y=1, X=1),), "test")
    with pytest.raises(ConfigError, match=r"^chip: costs: zigzag cannot cost net: fc on small: "):
        costs(tmp_path, network, REAL.replace("hardware: edge_tpu_like", "hardware: small.yaml"))
