"""Checks of the environments' arguments; each error names the argument."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from dream_gym.errors import ConfigError


def checked_number(field: str, value: Any, low: float, high: float) -> float:
    """A number in [low, high]; raises `ConfigError` for anything else."""
    number = float(value) if isinstance(value, Real) else math.nan
    if not low <= number <= high:
        raise ConfigError(f"{field}: expected a number from {low:g} to {high:g}, got {value!r}")
    return number


def checked_integer(field: str, value: Any, low: int, high: int) -> int:
    """An integer in [low, high]; raises `ConfigError` for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or not low <= number <= high:
        raise ConfigError(f"{field}: expected an integer from {low} to {high}, got {value!r}")
    return number


def checked_flag(field: str, value: Any) -> bool:
    """True or False; raises `ConfigError` for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{field}: expected True or False, got {value!r}")
    return bool(value)


def checked_choice(field: str, value: Any, choices: Sequence[str]) -> str:
    """One of some names; raises `ConfigError` for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{field}: {value!r} is not one of {', '.join(choices)}")
    return value
