import math
from collections import defaultdict
from types import SimpleNamespace

import pytest

from dream_gym import simulate
from dream_gym.analysis.calibration.runs import as_row
from dream_gym.analysis.calibration.scan import BASELINE, OTHERS, _first_step, calibrate
from dream_gym.analysis.suites.calibrated import calibrated_cells
from dream_gym.analysis.suites.profile import profile
from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.hardware import load_platform
from dream_gym.players import CompiledPlayer
from dream_gym.workload import load_scenario
from dream_gym.workload.seeds import training_seeds


@pytest.mark.compiled
def test_the_edge_is_halfway_between_fcfs_and_the_best_other() -> None:
    found = calibrate("ar_social", "4k_1ws_2os")
    (shipped,) = (
        cell
        for cell in calibrated_cells()
        if (cell.scenario, cell.platform) == ("ar_social", "4k_1ws_2os")
    )
    assert str(as_row("ar_social", "4k_1ws_2os", found)) == str(shipped)  # nan is not nan
    halfway = (found.begins_to_miss["fcfs"] + found.begins_to_miss[found.best_other]) / 2
    assert abs(found.edge_load - halfway) < 0.00051


@pytest.mark.compiled
def test_begins_to_miss_is_the_first_load_of_the_grid() -> None:
    tried = defaultdict(list)
    found = calibrate(
        "ar_social",
        "4k_2os",
        seeds=2,
        seconds=0.5,
        on_load=lambda scheduler, load: tried[scheduler].append(load),
    )
    assert list(found.begins_to_miss) == [BASELINE, *OTHERS]
    for scheduler, load in found.begins_to_miss.items():
        hundredths = math.ceil(load * 100)
        scanned = [step / 100 for step in range(1, hundredths + 1)]
        assert tried[scheduler][:hundredths] == scanned
        assert tried[scheduler][hundredths] == round((hundredths - 1) / 100 + 0.001, 3)
        assert tried[scheduler][-1] == load

        def violations(at: float, scheduler: str = scheduler) -> float:
            return sum(
                simulate(
                    "ar_social", "4k_2os", scheduler, seconds=0.5, seed=seed, load=at
                ).mean_violation_rate
                for seed in training_seeds(2)
            )

        assert violations(load) > 0
        assert violations(round(load - 0.001, 3)) == 0
    assert found.utilisation_one > 1
    depth = profile(load_scenario("ar_social"), load_platform("4k_2os")).models[0]
    highest = depth.deadline_ms / depth.needed_ms
    assert found.infeasible_from == {"depth": math.ceil(highest * 1000) / 1000}


def test_a_run_that_misses_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(mean_violation_rate=0.0)
    monkeypatch.setattr(CompiledPlayer, "run", lambda *_: nothing)
    with pytest.raises(DreamGymError, match="fcfs misses no deadline up to load"):
        calibrate("ar_social", "4k_2os", seeds=1, seconds=0.5)


def test_a_run_too_short_for_any_deadline_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"seconds: no frame of ar_social is due within 0\.001 s"):
        calibrate("ar_social", "4k_2os", seeds=1, seconds=0.001)


@pytest.mark.parametrize("first", [1, 9, 10, 11, 57, 999])
def test_the_scan_finds_the_first_step(first: int) -> None:
    assert _first_step(lambda step: step >= first, 1000) == first


def test_the_scan_sees_what_ends_again_only_at_its_coarse_steps() -> None:
    assert _first_step(lambda step: 12 <= step <= 20, 1000) == 12
    assert _first_step(lambda step: 12 <= step < 20, 1000) is None
    assert _first_step(lambda step: False, 15) is None
