import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dream_gym import simulate
from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.runs.parts import keep_parts
from dream_gym.analysis.runs.policies import make_policy
from dream_gym.analysis.suites.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.workload.seeds import evaluation_seeds


def test_a_row_per_cell_policy_and_seed(small_benchmark: Benchmark) -> None:
    rows = small_benchmark.rows
    assert len(rows) == 2 * 3 * 4
    for cell in small_benchmark.suite.cells:
        for policy in ("fcfs", "half", "tuned"):
            played = small_benchmark.cell_rows(cell).filter(policy=policy)
            assert played["seed"].to_list() == list(evaluation_seeds(4))
            assert played["scenario"].unique().to_list() == [cell.scenario]


def test_rows_are_the_results_in_mj_per_frame(small_benchmark: Benchmark) -> None:
    cell = small_benchmark.suite.cells[1]
    row = small_benchmark.cell_rows(cell).filter(policy="fcfs").row(0, named=True)
    result = simulate(
        "ar_call", "4k_2ws", "fcfs", seconds=0.5, seed=2 * 10**9, load=4, expiry="firm"
    )
    assert row["expiry"] == "firm"
    assert row["uxcost"] == result.uxcost
    assert row["multiple"] == pytest.approx(result.uxcost / result.lower_bound)
    assert row["violation_rate"] == result.mean_violation_rate
    assert row["late_rate"] + row["lost_rate"] == pytest.approx(row["violation_rate"])
    energy_mj = sum(result.energy_spent.values()) / 1e9
    assert row["energy_mj"] == pytest.approx(energy_mj / sum(result.frame_count.values()))
    for model, frames in result.frame_count.items():
        assert row[f"violation_rate.{model}"] == result.violation_rate[model]
        spent_mj = result.energy_spent[model] / 1e9
        assert row[f"energy_mj.{model}"] == pytest.approx(spent_mj / frames)
    assert row["energy_mj.depth"] is None


def test_everybody_faces_the_same_worlds(small_benchmark: Benchmark) -> None:
    rows = small_benchmark.rows
    worlds = rows.group_by("cell", "seed").n_unique()
    assert worlds["frames"].to_list() == [1] * len(worlds)
    assert worlds["lower_bound"].to_list() == [1] * len(worlds)


def test_rows_say_why_deadlines_were_missed(small_benchmark: Benchmark) -> None:
    for row in small_benchmark.rows.iter_rows(named=True):
        assert sum(row[f"missed.{cause}"] for cause in CAUSES) == pytest.approx(
            row["violation_rate"]
        )
        assert 0 <= row["useless_share"] <= 1
        assert (row["lateness_p50_ms"] is None) == (row["late_rate"] < 1e-12)
    accuracy = small_benchmark.rows.group_by("scenario").agg(pl.col("accuracy").unique())
    assert dict(accuracy.iter_rows()) == {"ar_social": [80.0], "ar_call": [None]}


def run_again(suite: Suite, parts: Path | None = None, **options: Any) -> Benchmark:
    policies = [make_policy(spec) for spec in suite.policies]
    with keep_parts(parts) as kept:
        return run_benchmark(suite, policies, parts=kept, **options)


def test_same_rows_twice(small_suite: Suite, small_benchmark: Benchmark) -> None:
    planned, done = [], []
    again = run_again(
        small_suite, on_start=planned.append, on_runs=lambda what, runs: done.append(runs)
    )
    assert again.rows.equals(small_benchmark.rows)
    assert again.settings == small_benchmark.settings
    assert planned == [sum(done)] == [2 * (3 * 4 + 4 * 2)]


def test_same_rows_by_two_workers(
    small_suite: Suite, small_benchmark: Benchmark, tmp_path: Path
) -> None:
    again = run_again(small_suite, workers=2, parts=tmp_path / "parts")
    assert again.rows.equals(small_benchmark.rows)
    assert again.settings == small_benchmark.settings
    assert not (tmp_path / "parts").exists()


def test_an_interrupted_benchmark_is_taken_up(
    small_suite: Suite, small_benchmark: Benchmark, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"

    def interrupt(what: str, runs: int) -> None:
        if len(list(parts.glob("*.json"))) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_again(small_suite, parts=parts, on_runs=interrupt)
    kept = sorted(parts.iterdir())
    assert len(kept) == 3
    kept[0].write_text(kept[0].read_text()[:-5])  # damaged, so it is done again
    times = {path: path.stat().st_mtime_ns for path in kept}
    seen = []

    def look(what: str, runs: int) -> None:
        seen.append({path for path in kept if path.stat().st_mtime_ns != times[path]})

    again = run_again(small_suite, parts=parts, on_runs=look)
    assert set.union(*seen) == {kept[0]}
    assert again.rows.equals(small_benchmark.rows)
    assert again.settings == small_benchmark.settings


@pytest.mark.compiled
def test_a_killed_benchmark_is_taken_up(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    whole = subprocess.run([sys.executable, str(script), "whole"], cwd=tmp_path, check=True)
    assert whole.returncode == 0
    process = subprocess.Popen([sys.executable, str(script), "killed"], cwd=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("killed/parts/*.json")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(list(tmp_path.glob("killed/parts/*.json")))
    assert kept > 0
    assert not (tmp_path / "killed.csv").exists()
    subprocess.run([sys.executable, str(script), "killed"], cwd=tmp_path, check=True)
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


SCRIPT = """
import sys
from pathlib import Path
from dream_gym.analysis import keep_parts, load_suite, make_policy, run_benchmark

if __name__ == "__main__":
    suite = load_suite("demo").with_seeds(40).model_copy(update={"seconds": 1.0})
    policies = [make_policy(spec) for spec in suite.policies if spec.tune is None]
    with keep_parts(Path(sys.argv[1]) / "parts") as parts:
        rows = run_benchmark(suite, policies, workers=2, parts=parts).rows
        rows.write_csv(f"{sys.argv[1]}.csv")
"""


def test_what_a_part_depends_on_makes_another(small_suite: Suite, tmp_path: Path) -> None:
    def keys(suite: Suite) -> set[str]:
        parts = tmp_path / "parts"
        with pytest.raises(KeyboardInterrupt):
            run_again(suite, parts=parts, on_runs=interrupt_at_the_first)
        found = {path.name for path in parts.iterdir()}
        shutil.rmtree(parts)
        return found

    def interrupt_at_the_first(what: str, runs: int) -> None:
        raise KeyboardInterrupt

    fixed = small_suite.model_copy(update={"policies": small_suite.policies[:2]})
    changes: list[dict[str, Any]] = [
        {},
        {"seconds": 0.4},
        {"seeds": 2},
        {"policies": fixed.policies[:1]},
        {"policies": fixed.policies[::-1]},
        {"cells": (fixed.cells[0].at_load(1.2), fixed.cells[1])},
        {"cells": fixed.cells[::-1]},
    ]
    seen = [keys(fixed.model_copy(update=change)) for change in changes]
    assert len(set.union(*seen)) == len(changes)
    assert keys(fixed) == seen[0]


def test_a_name_taken_twice_is_an_error(small_suite: Suite) -> None:
    with pytest.raises(ConfigError, match="'fcfs'"):
        run_benchmark(small_suite, [make_player("fcfs"), make_player("fcfs")])
    with pytest.raises(ConfigError, match="workers"):
        run_again(small_suite, workers=0)
