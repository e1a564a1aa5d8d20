import pytest

from dream_gym import simulate
from dream_gym.analysis.suites.profile import profile
from dream_gym.hardware import cost_table, load_platform
from dream_gym.workload import load_scenario

SCENARIO, PLATFORM = load_scenario("ar_social"), load_platform("4k_1ws_2os")


def test_model_alone() -> None:
    found = {model.name: model for model in profile(SCENARIO, PLATFORM, load=0.5).models}
    spec = SCENARIO.models[0]
    costs = cost_table(spec.built_network, PLATFORM)
    depth = found["depth"]
    assert depth.rate == 15
    assert depth.deadline_ms == pytest.approx(2000 / 30)
    assert (depth.layers, depth.macs) == (len(spec.built_network.layers), spec.built_network.macs)
    assert depth.latency_ms["os0"] == costs.latency_ns[:, 1].sum() / 1e6
    assert depth.energy_mj["ws0"] == costs.energy_pj[:, 0].sum() / 1e9
    assert depth.least_latency_ms <= min(depth.latency_ms.values())
    assert depth.load_on_best == pytest.approx(15 * depth.latency_ms["ws0"] / 1000)


def test_dependent_waits_for_its_parent() -> None:
    found = {model.name: model for model in profile(SCENARIO, PLATFORM).models}
    child, parent = found["face_verification"], found["face_detection"]
    assert child.rate == 15  # half of the parent's frames trigger one
    assert child.needed_ms == child.least_latency_ms + parent.least_latency_ms


def test_what_cannot_be_met_is_always_missed() -> None:
    load = 1.14
    found = profile(SCENARIO, PLATFORM, load=load)
    hopeless = [model.name for model in found.models if not model.can_meet_deadline]
    assert hopeless == ["depth"]
    result = simulate(SCENARIO, PLATFORM, "dream_mapscore", seconds=1.0, load=load)
    assert result.violation_rate["depth"] == 1.0


def test_whole_scenario() -> None:
    found = profile(SCENARIO, PLATFORM, seed=3, seconds=1.0)
    at_best = sum(model.rate * model.least_latency_ms for model in found.models) / 1000 / 3
    all_on_one = min(
        sum(model.rate * model.latency_ms[name] for model in found.models) / 1000
        for name in PLATFORM.accelerator_names
    )
    assert at_best <= found.utilisation <= all_on_one
    twice = profile(SCENARIO, PLATFORM, load=2, seed=3, seconds=1.0)
    assert twice.utilisation == pytest.approx(2 * found.utilisation)
    result = simulate(SCENARIO, PLATFORM, "fcfs", seconds=1.0, seed=3)
    assert found.lower_bound == result.lower_bound
