import csv
import json
from pathlib import Path

import polars as pl
import pytest

from dream_gym.analysis.measures.statistics import Interval
from dream_gym.analysis.report.summary import (
    Summary,
    about,
    model_table,
    percent,
    response_table,
    summarise,
    uxcost_table,
    with_interval,
    write_csv,
    write_json,
    write_table,
)
from dream_gym.analysis.report.tables import TextTable
from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.suites.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.players import make_player


def tables(summaries: list[Summary]) -> list[TextTable]:
    return [
        uxcost_table(summaries, "here", 5),
        model_table(summaries),
        response_table(summaries),
    ]


def test_summary_is_paired_with_the_first_policy(small_benchmark: Benchmark) -> None:
    cell = small_benchmark.suite.cells[0]
    first, half, tuned = summarise(small_benchmark, cell)
    assert [first.policy, half.policy, tuned.policy] == ["fcfs", "half", "tuned"]
    assert first.ratio.mean == 1
    assert not first.ratio.known
    rows = small_benchmark.cell_rows(cell)
    ratios = (
        rows.filter(policy="half")["uxcost"].to_numpy()
        / rows.filter(policy="fcfs")["uxcost"].to_numpy()
    )
    assert half.ratio.mean == pytest.approx(ratios.prod() ** (1 / 4))
    assert half.uxcost.low < half.uxcost.mean < half.uxcost.high
    assert list(half.model_energy_mj) == list(cell.workload.model_names)


def test_tables_have_a_row_per_policy(small_benchmark: Benchmark) -> None:
    summaries = summarise(small_benchmark, small_benchmark.suite.cells[1])
    for table in tables(summaries):
        assert [row[0] for row in table.rows] == ["fcfs", "half", "tuned"]
        assert all(len(row) == len(table.headings) for row in table.rows)


def test_one_seed_has_no_interval(small_suite: Suite, tmp_path: Path) -> None:
    one = small_suite.with_seeds(1).model_copy(update={"cells": small_suite.cells[:1]})
    benchmark = run_benchmark(one, [make_player("fcfs"), make_player("edf")])
    summaries = summarise(benchmark, one.cells[0])
    for table in tables(summaries):
        assert not any("[" in text for row in table.rows for text in row)
    write_csv(benchmark, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        assert row["uxcost"]
        assert row["uxcost_low"] == row["uxcost_high"] == row["violation_rate_low"] == ""


def test_figures_as_text() -> None:
    assert with_interval(Interval(2.0, 1.0, 3.25)) == "2 [1, 3.25]"
    assert with_interval(Interval(0.992)) == "0.992"
    assert with_interval(Interval(7203.4, 999.6, 1.5e9)) == "7203 [1000, 1.5e+09]"
    assert with_interval(None) == percent(None) == ""
    assert percent(Interval(0.5, 0.25, 1.0)) == "50.00% [25.00, 100.00]"
    assert percent(Interval(0.0)) == "0.00%"


def test_csv_holds_the_table(small_benchmark: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(small_benchmark, path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["scenario"], row["policy"]) for row in rows] == [
        (cell.scenario, policy)
        for cell in small_benchmark.suite.cells
        for policy in small_benchmark.policies
    ]
    for row in rows:
        assert float(row["uxcost_low"]) <= float(row["uxcost"]) <= float(row["uxcost_high"])
        assert float(row["violation_rate_low"]) < float(row["violation_rate_high"])
        assert float(row["power_mw_low"]) < float(row["power_mw"])
        assert float(row["energy_multiple"]) >= 1
    assert float(rows[0]["response_p50_ms.depth"]) < float(rows[0]["response_p99_ms.depth"])
    assert rows[0]["response_p50_ms.translation"] == ""
    assert rows[0]["energy_mj.translation"] == ""
    assert float(rows[-1]["energy_mj.translation"]) > 0


def test_json_says_how_it_was_made(small_benchmark: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    write_json(about(small_benchmark, command="dream-gym benchmark --suite small"), path)
    content = json.loads(path.read_text())
    assert content["command"] == "dream-gym benchmark --suite small"
    assert content["seeds"] == {"first": 2 * 10**9, "count": 4}
    assert {"python", "dream_gym", "numba"} <= set(content["versions"])
    assert content["suite"]["cells"][0]["load"] == 1.3
    assert content["policies"][1]["options"] == {"alpha": 0}
    assert set(content["policies"][2]["options"]) == {"alpha", "beta"}


def test_tidy_table_as_its_name_says(small_benchmark: Benchmark, tmp_path: Path) -> None:
    for name, read in (("runs.parquet", pl.read_parquet), ("runs.csv", pl.read_csv)):
        write_table(small_benchmark, tmp_path / name)
        found = read(tmp_path / name)
        assert found.columns == small_benchmark.rows.columns
        assert found["uxcost"].to_list() == small_benchmark.rows["uxcost"].to_list()
    with pytest.raises(ConfigError, match=r"runs\.xlsx.*\.parquet or \.csv"):
        write_table(small_benchmark, tmp_path / "runs.xlsx")
