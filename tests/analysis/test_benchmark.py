import pytest

from dream_gym import simulate
from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.policies import SchedulerPolicy, make_policy
from dream_gym.analysis.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.workload.seeds import evaluation_seeds


def test_a_row_per_cell_policy_and_seed(small_benchmark: Benchmark) -> None:
    rows = small_benchmark.rows
    assert len(rows) == 2 * 3 * 3
    for cell in small_benchmark.suite.cells:
        for policy in ("fcfs", "half", "tuned"):
            played = small_benchmark.cell_rows(cell).filter(policy=policy)
            assert played["seed"].to_list() == list(evaluation_seeds(3))
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


def test_same_rows_twice(small_suite: Suite, small_benchmark: Benchmark) -> None:
    started, runs = [], []
    again = run_benchmark(
        small_suite,
        [make_policy(spec) for spec in small_suite.policies],
        on_start=started.append,
        on_run=lambda: runs.append(1),
    )
    assert again.rows.equals(small_benchmark.rows)
    assert again.settings == small_benchmark.settings
    assert len(started) == 2 * 3
    assert len(runs) == len(again.rows)


def test_a_name_taken_twice_is_an_error(small_suite: Suite) -> None:
    with pytest.raises(ConfigError, match="'fcfs'"):
        run_benchmark(small_suite, [SchedulerPolicy("fcfs"), SchedulerPolicy("fcfs")])
