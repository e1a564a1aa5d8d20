"""Named sets of arguments of the tuning environment."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from dream_gym.arguments import checked_choice
from dream_gym.workload import Phase, Scenario, load_scenario

STATIONARY = {"episode_seconds": 5.0}
PHASE_SECONDS = 2.0
_APPS: dict[str, tuple[float, dict[str, str]]] = {
    "ar_call": (2.142, {"context": "call_context"}),  # another network than that of the others
    "ar_social": (1.137, {}),
    "vr_gaming": (1.602, {}),
}
"""By app: its edge load on `4k_1ws_2os`, from configs/calibration.csv, and new
names of its models."""


def preset_arguments(preset: str | None, **given: Any) -> dict[str, Any]:
    """The arguments that a preset stands for, but those given that are not None.

    Raises:
        ConfigError: There is no such preset.
    """
    chosen = STATIONARY
    if preset is not None:
        chosen = PRESETS[checked_choice("preset", preset, list(PRESETS))]()
    return {name: chosen.get(name) if value is None else value for name, value in given.items()}


def _changing() -> dict[str, Any]:
    """Three apps in any order, 2 s each, all of them at their edge or nearly so."""
    orders = itertools.permutations(_APPS)
    return {
        "scenario": [_sequence(order) for order in orders],
        "platform": "4k_1ws_2os",
        "load": (0.9, 1.1),
        "episode_seconds": PHASE_SECONDS * len(_APPS),
    }


def _sequence(apps: tuple[str, ...]) -> Scenario:
    phases = []
    for app in apps:
        load, rename = _APPS[app]
        seconds = None if app == apps[-1] else PHASE_SECONDS
        phases.append(
            Phase(
                scenario=load_scenario(app),
                seconds=seconds,
                load=Fraction(str(load)),
                rename=rename,
            )
        )
    return Scenario(schema=1, name="_".join(apps), phases=tuple(phases))


PRESETS: dict[str, Callable[[], dict[str, Any]]] = {"changing": _changing}
