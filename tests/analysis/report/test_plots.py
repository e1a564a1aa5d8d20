from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_gym.analysis.calibration.scan import sweep_suite
from dream_gym.analysis.extra import pyplot
from dream_gym.analysis.report.pictures.plots import (
    log_ticks,
    number_logarithmic,
    plot_sweep,
    plot_uxcost,
    save,
)
from dream_gym.analysis.report.pictures.suite_plots import pareto_front, plot_plane, share_ticks
from dream_gym.analysis.report.pictures.timeline import (
    World,
    _telling_window_ms,
    most_different,
    plot_timeline,
)
from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.errors import DreamGymError
from dream_gym.players import make_player
from dream_gym.simulator.frames import COMPLETED
from dream_gym.simulator.result import Table
from tests.analysis.report.made_up import made_up


def assert_is_a_picture(path: Path) -> None:
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    pixels = pyplot().imread(path)
    assert min(pixels.shape[:2]) > 200
    assert len(np.unique(pixels[:, :, 0] + 2 * pixels[:, :, 1])) > 50
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_uxcost(small_benchmark: Benchmark, tmp_path: Path) -> None:
    plot_uxcost(small_benchmark, tmp_path / "uxcost.png")
    assert_is_a_picture(tmp_path / "uxcost.png")


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_timeline(seconds: float, small_benchmark: Benchmark, tmp_path: Path) -> None:
    policies = [make_player("fcfs"), make_player("dream_mapscore")]
    cell = small_benchmark.suite.cells[0]
    plot_timeline(policies, cell, 0, seconds, tmp_path / "timeline.png")
    assert_is_a_picture(tmp_path / "timeline.png")


def rows(*runs: tuple[int, int, str, float, float]) -> pl.DataFrame:
    columns = ("cell", "seed", "policy", "violation_rate", "uxcost")
    return pl.DataFrame(list(runs), schema=columns, orient="row")


def test_the_timeline_shows_where_policies_differ_most() -> None:
    runs = [
        (0, 1, "first", 0.0, 1.0),
        (0, 1, "second", 0.0, 9.0),
        (0, 1, "third", 0.1, 1.0),
        (1, 1, "first", 0.5, 1.0),
        (1, 1, "second", 0.5, 1.0),
        (1, 1, "third", 0.5, 1.0),
        (1, 2, "first", 0.2, 1.0),
        (1, 2, "second", 0.4, 1.0),
        (1, 2, "third", 0.35, 1.0),
    ]
    assert most_different(rows(*runs)) == World(1, 2, ("first", "second"))
    assert most_different(rows(*runs[:3])) == World(0, 1, ("first", "third"))
    # Of those named, all are shown.
    named = rows(*(run for run in runs if run[2] != "first"))
    assert most_different(named, pair=False) == World(0, 1, ("second", "third"))
    # Where nobody misses anything, UXCost decides.
    calm = rows(
        (0, 1, "a", 0.0, 1.0), (0, 1, "b", 0.0, 1.1), (1, 1, "a", 0.0, 1.0), (1, 1, "b", 0.0, 3.0)
    )
    assert most_different(calm) == World(1, 1, ("a", "b"))
    assert most_different(rows((0, 1, "alone", 0.5, 1.0))) == World(0, 1, ("alone",))


def frames(*deadlines_and_ends_ms: tuple[float, float]) -> Table:
    dtype = [(name, np.int64) for name in ("model", "frame", "deadline_ns", "end_ns", "fate")]
    found = np.zeros(len(deadlines_and_ends_ms), dtype)
    for index, (deadline_ms, end_ms) in enumerate(deadlines_and_ends_ms):
        found[index] = (0, index, deadline_ms * 1e6, end_ms * 1e6, COMPLETED)
    return found


def test_the_window_is_the_one_in_which_runs_differ_most() -> None:
    both_miss = [(10, 11), (20, 21), (30, 31)]
    other = frames(*both_miss, (500, 499), (810, 809), (820, 819))
    first = frames(*both_miss, (500, 501), (810, 811), (820, 821))
    # Both miss three deadlines at the start; only one of them misses two at 810 ms.
    assert 720 <= _telling_window_ms([first, other], 1.0) <= 810
    assert _telling_window_ms([first], 1.0) <= 10
    # Nobody misses anything: where frames end most apart.
    calm = [frames((100, 90), (600, end_ms)) for end_ms in (550, 590)]
    assert 500 <= _telling_window_ms(calm, 1.0) <= 600
    # The order of rows does not matter.
    assert _telling_window_ms([first[::-1], other], 1.0) == _telling_window_ms([first, other], 1.0)


def test_the_plane_shows_violations_and_energy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: dict[str, tuple[float, float]] = {}
    monkeypatch.setattr(
        "dream_gym.analysis.report.pictures.suite_plots.name_points",
        lambda axes, given: points.update(given),
    )
    costs = {name: np.ones((1, 4)) for name in ("a", "b")}
    violated = {"a": np.full((1, 4), 0.1), "b": np.full((1, 4), 0.3)}
    energy = {"a": np.array([[1.0, 1.0, 4.0, 4.0]]), "b": np.full((1, 4), 3.0)}
    outcome = made_up(costs, violation_rate=violated, energy_multiple=energy)
    plot_plane(outcome, tmp_path / "plane.png")
    assert points == {"a": pytest.approx((0.1, 2.0)), "b": pytest.approx((0.3, 3.0))}


def test_the_front_is_of_those_that_nobody_dominates() -> None:
    points = {"a": (0.1, 3.0), "b": (0.2, 2.0), "worse": (0.2, 2.5), "c": (0.4, 1.0), "d": (1, 1)}
    assert pareto_front(points) == ["a", "b", "c"]


def test_an_axis_of_shares_has_no_crowd_of_numbers() -> None:
    assert share_ticks(0.0, 0.02) == [0, 0.001, 0.005, 0.01, 0.02]
    assert share_ticks(0.0, 1.0)[:4] == [0, 0.005, 0.02, 0.05]
    assert share_ticks(0.15, 0.45) == [0.2, 0.3, 0.4]
    assert share_ticks(-0.01, 0.3)[0] == 0


def test_sweep(tmp_path: Path) -> None:
    suite = sweep_suite("ar_call", "4k_2ws", 2.0, seeds=2, seconds=0.4)
    assert [cell.load for cell in suite.cells] == [round(1.9 + 0.02 * n, 2) for n in range(11)]
    sweep = run_benchmark(suite, [make_player("fcfs"), make_player("edf")])
    plot_sweep(sweep, tmp_path / "sweep.png", mark=2.0)
    assert_is_a_picture(tmp_path / "sweep.png")


@given(st.floats(1e-3, 1e4), st.floats(1.001, 1e6))
def test_every_logarithmic_axis_has_exact_numbers(low: float, factor: float) -> None:
    high = low * factor
    ticks = log_ticks(low, high)
    assert 3 <= len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(set(ticks))
    for tick in ticks:  # what is written is where it stands
        assert float(f"{tick:.10g}") == tick


def drawn_labels(axis: Any) -> dict[float, str]:
    texts = [text.get_text() for text in axis.get_ticklabels()]
    return dict(zip(axis.get_ticklocs().tolist(), texts, strict=True))


@pytest.mark.parametrize(("low", "high"), [(1.02, 1.4), (6, 9), (40, 90), (0.9, 3000)])
def test_a_short_logarithmic_axis_has_numbers(low: float, high: float) -> None:
    plt = pyplot()
    figure, axes = plt.subplots()
    axes.plot([low, high], [0, 1])
    number_logarithmic(axes, "x")
    figure.canvas.draw()
    labels = drawn_labels(axes.xaxis)
    assert len(labels) >= 3
    assert all(float(text) == place for place, text in labels.items())
    assert not any(text.get_text() for text in axes.get_xticklabels(minor=True))
    plt.close(figure)


def test_loads_of_a_sweep_are_not_rounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = sweep_suite("ar_call", "4k_2ws", 1.137, seeds=2, seconds=0.2)
    sweep = run_benchmark(suite, [make_player("fcfs")])
    figures = []
    monkeypatch.setattr(
        "dream_gym.analysis.report.pictures.plots.save", lambda figure, path: figures.append(figure)
    )
    plot_sweep(sweep, tmp_path / "sweep.png", mark=1.137)
    (figure,) = figures
    assert figure.axes
    for axes in figure.axes:
        labels = drawn_labels(axes.xaxis)
        assert labels
        assert all(float(text) == load for load, text in labels.items())
    pyplot().close(figure)


def test_hostile_names_are_drawn_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["p$_$q", "_base", "a\nb", "カメラ", "x" * 80]
    suite = sweep_suite("ar_call", "4k_2ws", 2.0, seeds=2, seconds=0.2)
    sweep = run_benchmark(suite, [make_player("fcfs", name=name) for name in names])
    figures = []
    monkeypatch.setattr(
        "dream_gym.analysis.report.pictures.plots.save",
        lambda figure, path: (save(figure, path), figures.append(figure)),
    )
    plot_sweep(sweep, tmp_path / "sweep.png", mark=2.0)
    plot_uxcost(sweep, tmp_path / "uxcost.png")
    expected = [
        "p$_$q",
        "_base",
        "a\\nb",
        "\\u30ab\\u30e1\\u30e9",
        "x" * 36 + "\n" + "x" * 36 + "\n" + "x" * 8,
    ]
    legend, *_ = figures[0].legends
    assert [text.get_text() for text in legend.get_texts()] == expected
    panel = figures[1].axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == expected


def test_the_same_picture_twice(small_benchmark: Benchmark, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plot_uxcost(small_benchmark, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(DreamGymError, match=r'matplotlib is missing.*"dream_gym\[bench\]"'):
        pyplot()
