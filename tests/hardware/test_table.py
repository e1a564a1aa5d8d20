from __future__ import annotations

import hashlib
import math
import os
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.hardware import (
    Platform,
    TableCosts,
    cost_table,
    load_platform,
    read_costs,
)
from dream_gym.hardware.export import write_cost_csv
from dream_gym.reading import resources
from dream_gym.workload import Layer, Network, build_network

TEXT = """
schema: 1
name: measured
clock_ghz: 1
dram_bandwidth_gb_s: 8
shared_memory_kib: 1024
costs: {model: table, path: tables/costs.csv}
accelerators: [{name: npu}, {name: dsp}]
"""
NETWORK = Network("net", (Layer("a", K=4, C=4, Y=8, X=8), Layer("b", K=8, C=4, Y=8, X=8)), "test")
COSTS = ("net,a,npu,10,100", "net,a,dsp,20.2,99.5", "net,b,npu,1e3,7", "net,b,dsp,0.25,0.1")
HEADER = "network,layer,accelerator,latency_ns,energy_pj,digest"
ROWS = tuple(f"{row},{NETWORK.digest}" for row in COSTS)
GOOD = "\n".join((HEADER, *ROWS)) + "\n"
BY_NAME = "\n".join((HEADER.removesuffix(",digest"), *COSTS)) + "\n"
"""A table of old, without digests."""


def measured(path) -> Platform:
    platform = resources.parse(TEXT, Platform, origin="p.yaml")
    return platform.model_copy(update={"costs": TableCosts(path=path)})


def costs_of(tmp_path, content: str | bytes):
    path = tmp_path / "costs.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return cost_table(NETWORK, measured(path))


def test_a_platform_finds_its_table_beside_its_own_file(tmp_path, monkeypatch):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "costs.csv").write_text(GOOD)
    (tmp_path / "measured.yaml").write_text(TEXT)
    (tmp_path / "elsewhere").mkdir()
    for folder, reference in ((tmp_path, "measured.yaml"), ("elsewhere", "../measured.yaml")):
        monkeypatch.chdir(folder)
        platform = load_platform(reference)
        monkeypatch.chdir(tmp_path)
        assert cost_table(NETWORK, platform).latency_ns.tolist() == [[10, 21], [1000, 1]]


def test_latency_is_rounded_up_and_energy_to_nearest(tmp_path):
    costs = costs_of(tmp_path, GOOD)
    assert costs.latency_ns.tolist() == [[10, 21], [1000, 1]]
    assert costs.energy_pj.tolist() == [[100, 100], [7, 1]]


def test_columns_may_be_in_any_order_and_others_are_ignored(tmp_path):
    rows = [line.split(",") for line in (HEADER, *ROWS)]
    text = "\r\n".join(",".join(["note", *reversed(row)]) for row in rows)
    assert (costs_of(tmp_path, "\ufeff" + text).latency_ns == [[10, 21], [1000, 1]]).all()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (HEADER, "has no rows"),
        (GOOD.replace("energy_pj", "energy"), "column energy_pj is missing"),
        (GOOD.replace("layer,", "network,", 1), "column network is there twice"),
        ("9" * 5000 + GOOD, "column network is missing; found: '9999"),
        ('"a\nb",' + GOOD.replace("layer", "lay", 1), "column layer is missing; found: 'a"),
        (GOOD.replace("20.2", "nan"), "line 3: latency_ns: expected a number, got 'nan'"),
        (GOOD.replace("20.2", "inf"), "line 3: latency_ns: expected a number, got 'inf'"),
        (GOOD.replace("20.2", "-1"), "line 3: latency_ns: expected a positive number"),
        (GOOD.replace("20.2", "0"), "line 3: latency_ns: expected a positive number"),
        (GOOD.replace("20.2", "1e300"), "line 3: latency_ns: expected a positive number"),
        (GOOD.replace("99.5", "much"), "line 3: energy_pj: expected a number, got 'much'"),
        (GOOD.replace("99.5", "1_0"), "line 3: energy_pj: expected a number, got '1_0'"),
        (GOOD.replace("99.5", "٣"), "line 3: energy_pj: expected a number, got '٣'"),
        (GOOD.replace("99.5", "9" * 10000), "line 3: energy_pj: expected a positive number"),
        (GOOD.replace("99.5", ""), "line 3: energy_pj: expected a number, got ''"),
        (GOOD + ROWS[0], f"line 6: net, a, npu, {NETWORK.digest} is there twice"),
        (GOOD[: GOOD.index("20.2")].rstrip(","), "line 3: expected 6 values, got 3; is the file"),
        (GOOD.replace("net,a,npu", 'net,"a,npu'), "line 5: unexpected end of data"),
        (GOOD.replace("net,b", ",b"), "line 4: network: expected a name, got ''"),
        (GOOD + GOOD.splitlines()[1].replace("net", "other"), "line 6: other, a, npu, "),
        (GOOD.replace(NETWORK.digest, ""), "line 2: digest: expected a name, got ''"),
        (GOOD.replace("digest", "digest,digest", 1), "column digest is there twice"),
        (
            GOOD.replace("net,a", "n" * 1001 + ",a"),
            "line 2: network: a name of more than",
        ),
        (GOOD.replace("net,", "other,").replace(NETWORK.digest, "0"), "network 'net' is missing"),
        ("\n".join((HEADER, *ROWS[:2])), "network 'net', layer 'b' is missing"),
        ("\n".join((HEADER, *ROWS[:3])), "network 'net', layer 'b', accelerator 'dsp' is missing"),
    ],
)
def test_bad_tables_are_one_error_that_names_file_and_place(tmp_path, content, problem):
    with pytest.raises(ConfigError) as caught:
        costs_of(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path / 'costs.csv'}: {problem}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.csv: cannot be read: No such file"):
        cost_table(NETWORK, measured(tmp_path / "none.csv"))
    with pytest.raises(ConfigError, match="cannot be read: it is not a regular file"):
        cost_table(NETWORK, measured(tmp_path))


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path):
    path = tmp_path / "costs.csv"
    assert costs_of(tmp_path, GOOD).latency_ns[0, 0] == 10
    assert read_costs(path) is read_costs(path)
    path.write_text(GOOD.replace("npu,10,", "npu,30,"))
    os.utime(path, ns=(1, 1))
    assert cost_table(NETWORK, measured(path)).latency_ns[0, 0] == 30


def test_an_exported_table_gives_the_same_costs(tmp_path):
    platform = load_platform("4k_1ws_2os")
    networks = [build_network("once_for_all"), build_network("kws_res8")]
    write_cost_csv(tmp_path / "out" / "costs.csv", networks, platform)
    again = platform.model_copy(update={"costs": TableCosts(path=tmp_path / "out" / "costs.csv")})
    for network in (*networks, *networks[0].variants):
        direct, read = cost_table(network, platform), cost_table(network, again)
        assert (direct.latency_ns == read.latency_ns).all()
        assert (direct.energy_pj == read.energy_pj).all()


def test_an_export_that_fails_leaves_nothing_behind(tmp_path):
    platform = measured(tmp_path / "none.csv")
    with pytest.raises(ConfigError):
        write_cost_csv(tmp_path / "costs.csv", [NETWORK], platform)
    assert not list(tmp_path.iterdir())
    with pytest.raises(DreamGymError, match="cannot be written"):
        write_cost_csv(tmp_path, [NETWORK], load_platform("4k_2ws"))


def test_sizes_go_into_names_so_that_tables_tell_networks_apart(tmp_path):
    small = build_network("fbnet_c", height=160, width=100)
    assert small.name == "fbnet_c(height=160, width=100)"
    assert build_network("fbnet_c", height=224).name == "fbnet_c"
    platform = load_platform("4k_2ws")
    write_cost_csv(tmp_path / "costs.csv", [small, build_network("fbnet_c")], platform)
    exported = TableCosts(path=tmp_path / "costs.csv")
    read = cost_table(small, platform.model_copy(update={"costs": exported}))
    assert (read.latency_ns == cost_table(small, platform).latency_ns).all()


OTHER = Network("net", (replace(NETWORK.layers[0], Y=16), NETWORK.layers[1]), "test")
"""A network of the same name and with layers of the same names, of another size."""


def test_networks_of_one_name_keep_their_own_costs_in_a_table(tmp_path):
    platform = load_platform("4k_2ws")
    write_cost_csv(tmp_path / "costs.csv", [NETWORK, OTHER], platform)
    again = platform.model_copy(update={"costs": TableCosts(path=tmp_path / "costs.csv")})
    for network in (NETWORK, OTHER):
        direct, read = cost_table(network, platform), cost_table(network, again)
        assert (direct.latency_ns == read.latency_ns).all()
    assert (cost_table(NETWORK, again).latency_ns != cost_table(OTHER, again).latency_ns).any()


def test_a_network_is_known_by_its_content_whatever_it_is_called(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(GOOD)
    renamed = replace(NETWORK, name="mine", source="elsewhere")
    assert renamed.digest == NETWORK.digest
    assert cost_table(renamed, measured(path)).latency_ns.tolist() == [[10, 21], [1000, 1]]


@pytest.mark.parametrize("change", [{"K": 5}, {"stride": 2}, {"X": 9}, {"R": 3}, {"name": "c"}])
def test_the_digest_follows_every_layer(change):
    changed = replace(NETWORK, layers=(replace(NETWORK.layers[0], **change), NETWORK.layers[1]))
    assert changed.digest != NETWORK.digest


def test_the_digest_is_that_of_tables_already_written():
    assert build_network("ed_tcn").digest == "77aab9b8de88a937"


def test_a_table_made_for_another_network_of_the_name_is_one_error(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        cost_table(OTHER, measured(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: was made for another network called 'net', of digest ")
    assert NETWORK.digest in message
    assert OTHER.digest in message
    assert "python -m dream_gym.hardware.export" in message


def test_a_table_without_digests_goes_by_names_and_says_so(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(BY_NAME)
    with pytest.warns(UserWarning, match=r"costs\.csv: has no column digest.*hardware\.export"):
        costs = cost_table(NETWORK, measured(path))
    assert costs.latency_ns.tolist() == [[10, 21], [1000, 1]]
    with pytest.raises(ConfigError, match="does not say which network 'net' is, and two have"):
        cost_table(OTHER, measured(path))


def test_an_old_table_is_made_anew_by_an_export_of_its_platform(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(BY_NAME)
    with pytest.warns(UserWarning, match="no column digest"):
        write_cost_csv(tmp_path / "new.csv", [NETWORK], measured(path))
    costs = cost_table(NETWORK, measured(tmp_path / "new.csv"))
    assert costs.latency_ns.tolist() == [[10, 21], [1000, 1]]


def test_a_replaced_file_is_read_again_though_its_time_and_size_are_kept(tmp_path):
    path, other = tmp_path / "costs.csv", tmp_path / "other.csv"
    path.write_text(GOOD)
    os.utime(path, ns=(1, 1))
    assert cost_table(NETWORK, measured(path)).latency_ns[0, 0] == 10
    other.write_text(GOOD.replace("npu,10,", "npu,30,"))
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert cost_table(NETWORK, measured(path)).latency_ns[0, 0] == 30


def test_pipes_are_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "costs.csv"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"costs\.csv: cannot be read: it is not a regular file"):
        cost_table(NETWORK, measured(path))


@pytest.mark.parametrize(
    ("rows", "name", "problem"),
    [(1_000_001, "n", "more than 1,000,000 rows"), (100_000, "n" * 3000, "more than 1000 bytes")],
)
def test_a_small_parquet_file_that_unpacks_into_much_is_refused(tmp_path, rows, name, problem):
    polars = pytest.importorskip("polars", reason="Parquet needs the extra bench")
    path = tmp_path / "costs.parquet"
    names = {"network": name, "layer": name, "accelerator": "npu", "digest": name}
    frame = polars.select(polars.int_range(1, rows + 1).cast(polars.Float64).alias("latency_ns"))
    frame = frame.with_columns(
        energy_pj=1.0, **{key: polars.lit(text) for key, text in names.items()}
    )
    frame.write_parquet(path)
    assert path.stat().st_size < 10 * 2**20
    with pytest.raises(ConfigError, match=problem):
        cost_table(NETWORK, measured(path))


def test_parquet_holds_the_same(tmp_path):
    polars = pytest.importorskip("polars", reason="Parquet needs the extra bench")
    path = tmp_path / "costs.parquet"
    polars.read_csv(GOOD.encode()).write_parquet(path)
    costs = cost_table(NETWORK, measured(path))
    assert np.array_equal(costs.latency_ns, costs_of(tmp_path, GOOD).latency_ns)
    polars.read_csv(GOOD.encode()).with_columns(latency_ns=math.nan).write_parquet(path)
    with pytest.raises(ConfigError, match="line 1: latency_ns: expected a positive number"):
        cost_table(NETWORK, measured(path))
    polars.read_csv(GOOD.encode()).cast({"latency_ns": polars.String}).write_parquet(path)
    with pytest.raises(ConfigError, match="line 1: latency_ns: expected a number, got"):
        cost_table(NETWORK, measured(path))
    path.write_text("PAR1 and then nothing")
    with pytest.raises(ConfigError, match="cannot be read as Parquet"):
        cost_table(NETWORK, measured(path))


def test_parquet_without_polars_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    path = tmp_path / "costs.parquet"
    path.touch()
    with pytest.raises(ConfigError, match=r'pip install "dream_gym\[bench\]"'):
        cost_table(NETWORK, measured(path))


@st.composite
def mutated(draw) -> bytes:
    """A valid table with a few fields, lines or bytes changed."""
    rows = [line.split(",") for line in GOOD.splitlines()]
    odd = st.sampled_from(["", "nan", "-1", "0", "1e999", '"', "é", "\x00", "\n", "net", "7", "١"])
    garbage = st.binary(max_size=4).map(lambda content: content.decode("latin-1"))
    for _ in range(draw(st.integers(0, 3))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        if row:
            row[draw(st.integers(0, len(row) - 1))] = draw(odd | garbage)
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), list(draw(st.sampled_from(rows))))
    content = bytearray("\n".join(map(",".join, rows)).encode())
    if draw(st.booleans()):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=mutated())
def test_any_content_gives_costs_or_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / f"{hashlib.sha256(content).hexdigest()}.csv"
    path.write_bytes(content)
    platform = measured(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a table without digests
            costs = platform.costs.costs(NETWORK, platform)
    except ConfigError as error:
        message = str(error)
    else:
        assert (costs.latency_ns >= 1).all()
        assert (costs.energy_pj >= 1).all()
        message = str(path)
    assert message.startswith(str(path))
