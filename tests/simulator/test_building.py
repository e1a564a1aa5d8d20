"""What cannot be simulated is refused with the argument or the field at fault."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from dream_gym import simulate
from dream_gym.errors import ConfigError
from dream_gym.hardware import load_platform
from dream_gym.workload import ModelSpec, Scenario


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"load": 0}, "load: expected a number from 0.001 to 1000, got 0"),
        ({"load": float("nan")}, "load: expected a number from 0.001 to 1000, got nan"),
        ({"load": 1e-5}, "load: expected a number from 0.001 to 1000, got 1e-05"),
        ({"expiry": "hard"}, "expiry: 'hard' is not one of soft, firm"),
        ({"energy_norm": "none"}, "energy_norm: 'none' is not one of charged, literal"),
        ({"decision_ns": -1}, "decision_ns: expected an integer from 0 to"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        simulate("ar_call", "4k_2ws", "fcfs", seconds=0.01, **arguments)


@pytest.mark.parametrize(
    ("model", "load", "words"),
    [
        ({"rate": 1_000_000}, 2, r"models\.0\.rate: .* the period must be at least 1 µs"),
        ({"rate": "1/100000000"}, 1, r"models\.0\.rate: .* the period must be at most"),
        ({"rate": 30, "jitter_ms": 20}, 2, r"models\.0\.jitter_ms: 20 is not below the period"),
        ({"rate": 30, "deadline_ms": 1e6}, 1, r"models\.0\.deadline_ms: 1e\+06 is more than"),
    ],
)
def test_rates_that_cannot_be_simulated(model: dict[str, Any], load: float, words: str) -> None:
    spec = ModelSpec.model_validate({"name": "eyes", "network": "sosnet", **model})
    scenario = Scenario(schema=1, name="s", models=(spec,))
    with pytest.raises(ConfigError, match=words):
        simulate(scenario, "4k_2ws", "fcfs", seconds=0.01, load=load)


def test_a_scenario_that_is_none() -> None:
    with pytest.raises(ConfigError, match="scenarios: expected a name, a path or a Scenario"):
        simulate(3, "4k_2ws", "fcfs", seconds=0.01)  # type: ignore[arg-type]


def test_bandwidth_too_narrow_to_be_shared() -> None:
    platform = load_platform("4k_2ws").model_copy(
        update={"dram_bandwidth_gb_s": Fraction(1, 10**6)}
    )
    with pytest.raises(ConfigError, match="too long to share bandwidth"):
        simulate("ar_call", platform, "fcfs", seconds=0.01, contention=True)
