"""From a seed to a workload; docs/generator.md says how, and why so."""

from __future__ import annotations

import functools
import itertools
import math
import re
from dataclasses import dataclass
from typing import Any

from dream_gym.arguments import checked_integer
from dream_gym.errors import ConfigError, shown
from dream_gym.generator.apps import App, Model, draw_app
from dream_gym.generator.chips import draw_kinds, make_platform
from dream_gym.generator.draws import Draws
from dream_gym.hardware import Platform
from dream_gym.reading.resources import register_maker, validate
from dream_gym.units import MS_PER_S
from dream_gym.workload import Scenario

VERSION = 2
"""Of the distribution: another one gives other workloads for the same seeds."""
PREFIX = "generated:"
"""``generated:SEED`` stands wherever the name of a scenario or of a platform does."""
ACCELERATORS = (2, 3, 4, 5, 6)
UTILISATION_BINS = ((0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0), (1.0, 1.1), (1.1, 1.2))
MOST_SEED = 2**63 - 1
_DIGITS, _STEPS = 3, 1000
"""Of deadlines and jitter in ms."""


@dataclass(frozen=True)
class Generated:
    """A workload.

    Args:
        scenario: The scenario.
        platform: The platform.
        load: The load, at which the utilisation is what was drawn.
        utilisation: Share of the time for which some accelerator must be busy, however the work
            is spread; see `busiest_share`.
        tries: How many draws it took.
    """

    scenario: Scenario
    platform: Platform
    load: float
    utilisation: float
    tries: int


def stratum(seed: int) -> tuple[int, tuple[float, float]]:
    """The number of accelerators of a seed's platform, and the ends of its bin of utilisation."""
    index = seed // len(ACCELERATORS) % len(UTILISATION_BINS)
    return ACCELERATORS[seed % len(ACCELERATORS)], UTILISATION_BINS[index]


STRATA = len(ACCELERATORS) * len(UTILISATION_BINS)
"""So many seeds in a row have each pair of `stratum` once."""


@functools.lru_cache(maxsize=1024)
def generate_workload(seed: int) -> Generated:
    """The workload of a seed.

    The number of accelerators and the bin of utilisation go round with the seed, so that thirty
    seeds in a row have each pair once; all else is drawn, again and again until it makes sense.

    Args:
        seed: In [0, 2^63). Those of `training_seeds`, `selection_seeds` and `evaluation_seeds` are
            for what their names say.

    Raises:
        ConfigError: The seed is out of range.
    """
    seed = checked_integer("seed", seed, 0, MOST_SEED)
    accelerators, (low, high) = stratum(seed)
    name = f"generated_{seed}"
    for tries in itertools.count(1):
        draws = Draws(seed * 2**16 + tries)
        utilisation = draws.uniform(low, high)
        kinds = draw_kinds(draws, accelerators)
        app = draw_app(draws, kinds, utilisation)
        if app is not None:
            scenario = _make_scenario(name, app)
            platform = make_platform(name, kinds)
            return Generated(scenario, platform, app.load, utilisation, tries)
    raise AssertionError("itertools.count does not end")


def _make_scenario(name: str, app: App) -> Scenario:
    content = {
        "schema": 1,
        "name": name,
        "models": [_fields(model, app.load) for model in app.models],
    }
    return validate(content, Scenario, origin=name)


def _fields(model: Model, load: float) -> dict[str, Any]:
    """The fields of a `ModelSpec`."""
    period_ms = MS_PER_S / (model.rate * load)
    fields: dict[str, Any] = {
        "name": model.network,
        "network": model.network,
        "rate": model.rate,
        "deadline_ms": _rounded_up(model.deadline * period_ms),
    }
    if model.parent is not None:
        depends_on = {"model": model.parent.network, "probability": model.probability}
        return {**fields, "depends_on": depends_on}
    return {**fields, "jitter_ms": round(model.jitter * period_ms, _DIGITS)}


def _rounded_up(milliseconds: float) -> float:
    """Rounded up, so that no frame needs more of its deadline than it may."""
    return math.ceil(milliseconds * _STEPS) / _STEPS


def _seed(text: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", text):
        raise ConfigError(f"{PREFIX}{shown(text)}: expected a seed, such as {PREFIX}17")
    return int(text)


register_maker("scenarios", PREFIX, lambda text: generate_workload(_seed(text)).scenario)
register_maker("platforms", PREFIX, lambda text: generate_workload(_seed(text)).platform)
