"""Awkward numbers are computed exactly or refused in one sentence; nothing wraps or is rounded.

``DREAM_GYM_FUZZ=20000`` tries that many cases (`make fuzz`).
"""

from __future__ import annotations

import os
from collections import Counter
from fractions import Fraction

import numba
from hypothesis import HealthCheck, given, settings

import dream_gym
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform
from dream_gym.reading.resources import validate
from dream_gym.simulator import Simulation
from dream_gym.workload import Scenario
from tests import reference
from tests.agreement import assert_same_figures, assert_same_record
from tests.wild import FIELDS, Wild, worlds

EXAMPLES = int(os.environ.get("DREAM_GYM_FUZZ", "60" if numba.config.DISABLE_JIT else "500"))
MOST_FRAMES = 60
"""Of longer runs only the number of frames is compared."""
CAUSES = (*FIELDS, "models", "costs", "cycles", "bytes", "contention")
"""What an error names, one of them."""


def outcome_of(case: Wild) -> str:
    """What became of a case: refused, counted, or run, with the same outcome as the reference."""
    options = {name: value for name, value in case.options.items() if name != "energy_norm"}
    seconds, seed = options.pop("seconds"), options.pop("seed")
    try:
        platform = validate(case.platform, Platform, origin="platform.yaml")
        scenario = validate(case.scenario, Scenario, origin="scenario.yaml")
        world = Simulation(scenario, platform, None, **options)
        world.check_frames(seconds)
        world.reset(seed=seed, seconds=seconds)
    except ConfigError as error:
        text = str(error)
        assert "\n" not in text
        assert any(cause in text for cause in CAUSES), text
        return "refused"
    roots = [model for model in scenario.models if model.depends_on is None]
    load, horizon_ns = Fraction(str(case.options["load"])), world.horizon_ns
    for model in roots:
        stream = world.problem.streams[scenario.models.index(model)]
        room_ns = horizon_ns - int(stream.first_ns) - int(stream.deadline_ns)
        # floor(i × period) <= room where i × period < room + 1
        count = -(-(max(room_ns + 1, 0) * model.rate * load) // 10**9)
        assert world.state.models["frames"][stream.model] == count
    if world.state.models["frames"].sum() > MOST_FRAMES:
        return "counted"
    result = dream_gym.simulate(
        scenario, platform, case.scheduler, record=True, validate=True, **case.options
    )
    expected = reference.simulate(scenario, platform, case.scheduler, **case.options)
    assert_same_record(result, expected)
    assert_same_figures(result, expected)
    return "run"


def test_awkward_numbers_are_exact_or_refused() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds())
    def check(case: Wild) -> None:
        outcome = outcome_of(case)
        seen[outcome] += 1
        seen.update(case.wild if outcome == "run" else ())

    check()
    assert seen["run"] > 0.3 * EXAMPLES
    assert seen["refused"] > 0.05 * EXAMPLES
    if EXAMPLES >= 500:  # of 500, wild seconds run in some 10; which, depends on what is imported
        assert all(seen[field] > 0 for field in FIELDS)
