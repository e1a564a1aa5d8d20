"""Parquet files are measured before they are unpacked."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError
from dream_gym.hardware import read_costs
from dream_gym.hardware.table import COLUMNS
from dream_gym.reading.parquet_size import check_parquet_size

polars: Any = pytest.importorskip("polars", reason="Parquet needs the extra bench")


def table(rows: int, **columns: Any) -> Any:
    fixed = {"network": "n", "accelerator": "a", "latency_ns": 1.0, "energy_pj": 2}
    whole = {"layer": [f"l{row}" for row in range(rows)]}
    whole |= {name: [value] * rows for name, value in fixed.items()}
    return polars.DataFrame(whole | columns)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "gzip"},
        {"compression": "snappy"},
        {"compression": "uncompressed"},
        {"row_group_size": 7},
        {"data_page_size": 64},
        {"statistics": False},
    ],
)
def test_ordinary_files_are_read(options, tmp_path):
    path = tmp_path / "costs.parquet"
    table(100, more=[[1, 2]] * 100).write_parquet(path, **options)
    with pytest.warns(UserWarning, match="no column digest"):
        costs = read_costs(path).costs
    assert len(costs) == 100
    assert costs["n", "l7", "a"] == (1.0, 2.0)


def test_many_rows_in_a_small_file_are_refused(tmp_path):
    path = tmp_path / "costs.parquet"
    one = table(1)
    polars.concat([one.select(polars.all().repeat_by(2_000_000).explode())]).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(ConfigError, match="it has more than 1,000,000 rows"):
        read_costs(path)


def test_long_names_in_a_small_file_are_refused_without_unpacking_them(tmp_path):
    path = tmp_path / "costs.parquet"
    names = [f"{'x' * 500_000}{row}" for row in range(1000)]
    table(1000, network=names).write_parquet(path)
    del names
    assert path.stat().st_size < 1_000_000
    code = (
        "import resource, sys; from pathlib import Path; import polars;"
        "from dream_gym.hardware import read_costs\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_costs(Path(sys.argv[1]))\n"
        "except ValueError as error: print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    message, grown_mib = done.stdout.splitlines()
    assert "it unpacks to more than 268,435,456 bytes" in message
    assert int(grown_mib) < 100


def test_a_name_that_is_repeated_may_not_be_long_either(tmp_path):
    path = tmp_path / "costs.parquet"
    table(1000, network=["x" * 100_000] * 1000).write_parquet(path)
    with pytest.raises(ConfigError, match="network: a name of more than 1000 bytes"):
        read_costs(path)


@pytest.mark.parametrize("column", ["network", "latency_ns"])
def test_numbers_are_no_truth_values_and_names_no_numbers(column, tmp_path):
    path = tmp_path / "costs.parquet"
    table(2, **{column: [True, True]}).write_parquet(path)
    with pytest.raises(ConfigError, match=f"line 1: {column}: expected a .*, got true"):
        read_costs(path)


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    path: Path = tmp_path_factory.mktemp("parquet") / "costs.parquet"
    table(20).write_parquet(path)
    return path.read_bytes()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_damaged_file_is_a_value_error_or_read(content, data):
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        check_parquet_size(bytes(changed), COLUMNS)


@pytest.mark.parametrize("content", [b"", b"PAR1PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(content):
    with pytest.raises(ValueError, match=r"it does not end as|its footer is of"):
        check_parquet_size(content, COLUMNS)
