from pathlib import Path

import numpy as np
import pytest

from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.calibration import sweep_suite
from dream_gym.analysis.extra import pyplot
from dream_gym.analysis.plots import plot_sweep, plot_uxcost
from dream_gym.analysis.policies import SchedulerPolicy
from dream_gym.analysis.timeline import plot_timeline
from dream_gym.errors import DreamGymError


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
    policies = [SchedulerPolicy("fcfs"), SchedulerPolicy("dream_mapscore")]
    cell = small_benchmark.suite.cells[0]
    plot_timeline(policies, cell, 0, seconds, tmp_path / "timeline.png")
    assert_is_a_picture(tmp_path / "timeline.png")


def test_sweep(tmp_path: Path) -> None:
    suite = sweep_suite("ar_call", "4k_2ws", 2.0, seeds=2, seconds=0.4)
    assert [cell.load for cell in suite.cells] == [round(1.9 + 0.02 * n, 2) for n in range(11)]
    sweep = run_benchmark(suite, [SchedulerPolicy("fcfs"), SchedulerPolicy("edf")])
    plot_sweep(sweep, tmp_path / "sweep.png", mark=2.0)
    assert_is_a_picture(tmp_path / "sweep.png")


def test_the_same_picture_twice(small_benchmark: Benchmark, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plot_uxcost(small_benchmark, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(DreamGymError, match=r'matplotlib is missing.*"dream_gym\[bench\]"'):
        pyplot()
