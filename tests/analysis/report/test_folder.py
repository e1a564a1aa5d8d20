"""The folder of a benchmark is read whole, or refused in one line that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dream_gym.analysis.report import folder as module
from dream_gym.analysis.report import summary as report
from dream_gym.analysis.report.folder import read_outcome, suite_in
from dream_gym.analysis.runs.benchmark import Benchmark
from dream_gym.errors import ConfigError


@pytest.fixture
def about(small_benchmark: Benchmark) -> dict[str, Any]:
    """The content of about.json."""
    content: dict[str, Any] = json.loads(json.dumps(report.about(small_benchmark, command="c")))
    return content


@pytest.fixture
def folder(small_benchmark: Benchmark, tmp_path: Path) -> Path:
    """A folder with the outcome of a benchmark."""
    report.write_table(small_benchmark, tmp_path / "runs.parquet")
    report.write_json(report.about(small_benchmark, command="c"), tmp_path / "about.json")
    return tmp_path


def refused(folder: Path) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(ConfigError) as caught:
        read_outcome(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder}: not the outcome of a benchmark: {folder}/")
    assert message.endswith("; name another folder, or run the benchmark again")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "expected a mapping of keys, got []"),
        ("null", "expected a mapping of keys, got nothing"),
        ("{}", "schema: is missing"),
        ('{"schema": 1}', "is of another version"),
        ('{"schema": 2, "suite": 1}', "command: is missing"),
    ],
)
def test_what_is_no_account_of_a_benchmark(text: str, problem: str, folder: Path) -> None:
    (folder / "about.json").write_text(text)
    assert f"about.json: {problem}" in refused(folder)


def without(*place: str | int) -> Callable[[Any], None]:
    """Remove a part of a content."""

    def change(content: Any) -> None:
        for part in place[:-1]:
            content = content[part]
        del content[place[-1]]

    return change


def having(*place: Any) -> Callable[[Any], None]:
    """Put the last of these into the place that the others lead to."""

    def change(content: Any) -> None:
        *parts, last, value = place
        for part in parts:
            content = content[part]
        content[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without("versions"), "versions: is missing"),
        (having("suite", 1), "suite: expected a mapping of keys, got 1"),
        (without("suite", "notes"), "suite.notes: is missing"),
        (having("suite", "xrbench_score", 1), "suite.xrbench_score: expected true or false"),
        (having("suite", "cells", [1]), "suite.cells.0: expected a mapping of keys, got 1"),
        (having("suite", "cells", []), "suite.cells: expected at least 1"),
        (without("suite", "cells", 1, "expiry"), "suite.cells.1.expiry: is missing"),
        (having("suite", "cells", 0, "weight", 1), "suite.cells.0.weight: no such key"),
        (having("suite", "cells", 0, "load", "1"), "suite.cells.0.load: expected a number"),
        (having("suite", "name", "../x"), "suite.name: must do as the name of a file"),
        (having("seeds", "count", 0), "seeds.count: expected at least 1"),
        (having("seeds", "count", 10**8), "seeds.count: more than 4,000,000 runs"),
        (having("policies", []), "policies: expected at least 1"),
        (without("policies", 2, "family"), "policies.2.family: is missing"),
        (having("policies", 1, "family", "mine"), "policies.1.family: expected 'rule'"),
        (having("policies", 1, "policy", "fcfs"), "policies: expected each policy once on every"),
        (having("policies", 1, "cell", 7), "policies: expected each policy once on every cell"),
        (without("policies", 5), "policies: expected each policy once on every cell"),
        (having("policies", 0, "options", {"a": [1]}), "policies.0.options.a: expected"),
    ],
)
def test_a_damaged_account_is_refused(
    change: Callable[[Any], None], problem: str, about: dict[str, Any], folder: Path
) -> None:
    change(about)
    (folder / "about.json").write_text(json.dumps(about))
    assert f"about.json: {problem}" in refused(folder)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: rows.drop("uxcost"), "column uxcost is missing"),
        (lambda rows: rows.drop("missed.slow"), "column missed.slow is missing"),
        (lambda rows: rows.head(-1), "has 23 rows, but about.json tells of 24 runs"),
        (lambda rows: rows.with_columns(policy=pl.lit("fcfs")), "expected each policy of about"),
        (lambda rows: rows.with_columns(cell=2), "expected each policy of about"),
        (lambda rows: rows.with_columns(seed=pl.col("seed") + 1), "expected each policy of about"),
        (lambda rows: rows.with_columns(seed=pl.lit(None)), "seed: expected whole numbers"),
        (lambda rows: rows.with_columns(cell=pl.lit("0")), "cell: expected whole numbers, got Str"),
        (lambda rows: rows.with_columns(policy=1), "policy: expected names, got Int32"),
        (lambda rows: rows.with_columns(uxcost=pl.lit("1")), "uxcost: expected numbers, got Strin"),
        (lambda rows: rows.with_columns(uxcost=0.0), "uxcost: expected positive numbers"),
        (lambda rows: rows.with_columns(multiple=float("nan")), "multiple: expected finite number"),
        (lambda rows: rows.with_columns(lost_rate=pl.lit(None)), "lost_rate: a run has no figure"),
    ],
)
def test_a_damaged_table_is_refused(
    change: Callable[[Any], Any], problem: str, small_benchmark: Benchmark, folder: Path
) -> None:
    change(small_benchmark.rows).write_parquet(folder / "runs.parquet")
    assert f"runs.parquet: {problem}" in refused(folder)


def test_a_table_that_is_none_is_refused(folder: Path) -> None:
    (folder / "runs.parquet").write_bytes(b"PAR1")
    assert "runs.parquet: cannot be read: " in refused(folder)


def test_an_enormous_table_is_refused_before_it_is_unpacked(
    small_benchmark: Benchmark, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "runs.parquet"
    one = small_benchmark.rows.head(1)
    one.select(pl.all().repeat_by(100_000).explode()).write_parquet(path)
    monkeypatch.setattr(pl, "read_parquet", None)
    assert "runs.parquet: cannot be read: it has more than 24 rows" in refused(folder)
    monkeypatch.setattr(module, "MOST_BYTES", path.stat().st_size - 1)
    assert "runs.parquet: is larger than" in refused(folder)


def test_whose_outcome_a_folder_holds(folder: Path) -> None:
    assert suite_in(folder) == "small"
    for text in ("{", "[]", "{}", '{"suite": 1}', '{"suite": {"name": []}}'):
        (folder / "about.json").write_text(text)
        assert suite_in(folder) is None
    assert suite_in(folder / "nowhere") is None
