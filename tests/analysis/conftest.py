import pytest

from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.runs.policies import make_policy
from dream_gym.analysis.suites.suite import Suite


@pytest.fixture(scope="session")
def small_suite() -> Suite:
    return Suite.model_validate(
        {
            "schema": 1,
            "name": "small",
            "cells": [
                {"scenario": "ar_social", "platform": "4k_1ws_2os", "load": 1.3},
                {"scenario": "ar_call", "platform": "4k_2ws", "expiry": "firm", "load": 4},
            ],
            "policies": [
                {"scheduler": "fcfs"},
                {"scheduler": "dream_mapscore", "options": {"alpha": 0}, "name": "half"},
                {
                    "scheduler": "dream_mapscore",
                    "name": "tuned",
                    "tune": {"grid": {"alpha": [0, 2], "beta": [0, 2]}, "seeds": 2, "seconds": 0.5},
                },
            ],
            "seeds": 4,
            "seconds": 0.5,
        }
    )


@pytest.fixture(scope="session")
def small_benchmark(small_suite: Suite) -> Benchmark:
    return run_benchmark(small_suite, [make_policy(spec) for spec in small_suite.policies])
