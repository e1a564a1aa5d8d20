"""Rewards of the tuning environment: each is what a potential of the run falls by in a step."""

from __future__ import annotations

import math
from collections.abc import Callable

from dream_gym.errors import ConfigError
from dream_gym.simulator import Simulation

Potential = Callable[[Simulation], float]


def _uxcost(simulation: Simulation) -> float:
    return simulation.uxcost()


def _log_uxcost(simulation: Simulation) -> float:
    bound = simulation.lower_bound()
    return math.log1p(simulation.uxcost() / bound) if bound > 0 else 0.0


def _dense(simulation: Simulation) -> float:
    rates = simulation.rates()
    return float((rates.violations + rates.lost + rates.energy).mean())


POTENTIALS: dict[str, Potential] = {
    "uxcost_delta": _uxcost,
    "log_uxcost_delta": _log_uxcost,
    "dense": _dense,
}
"""Potentials by the name of the reward; see `DreamRTMMEnv`."""


def get_potential(reward: str) -> Potential:
    """The potential of a reward; raises `ConfigError` for an unknown name."""
    if reward not in POTENTIALS:
        raise ConfigError(f"reward: {reward!r} is not one of {', '.join(POTENTIALS)}")
    return POTENTIALS[reward]
