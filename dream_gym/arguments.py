"""Checks of arguments; each error names the argument."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

import numpy as np

from dream_gym.errors import ConfigError


def checked_number(field: str, value: Any, low: float, high: float) -> float:
    """A number in [low, high]; raises `ConfigError` for anything else."""
    try:
        number = float(value) if _is_number(value) else math.nan
    except OverflowError:  # of an integer
        number = math.inf
    if not low <= number <= high:
        raise ConfigError(f"{field}: expected a number from {low:g} to {high:g}, got {value!r}")
    return number


def checked_integer(field: str, value: Any, low: int, high: int) -> int:
    """An integer in [low, high]; raises `ConfigError` for anything else."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not low <= number <= high:
        raise ConfigError(f"{field}: expected an integer from {low} to {high}, got {value!r}")
    return number


def checked_choice(field: str, value: Any, choices: Sequence[str]) -> str:
    """One of some names; raises `ConfigError` for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{field}: {value!r} is not one of {', '.join(choices)}")
    return value


def checked_flag(field: str, value: Any) -> bool:
    """True or False; raises `ConfigError` for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{field}: expected True or False, got {value!r}")
    return bool(value)


def exact_number(field: str, value: Any, expected: str = "a number") -> Fraction:
    """A number exactly as it is written: a float is taken by the digits that Python shows.

    Raises:
        ConfigError: It is not a finite number.
    """
    if _is_number(value):
        if isinstance(value, Rational):
            return Fraction(value)
        if math.isfinite(value):
            return Fraction(str(value))
    raise ConfigError(f"{field}: expected {expected}, got {value!r}")


def whole_ns(field: str, value: Any, unit_ns: int, expected: str = "a number") -> int:
    """A time in whole nanoseconds.

    A float may differ from whole nanoseconds by a rounding error, as 0.1 + 0.2 differs from 0.3.

    Args:
        field: What to call it in errors.
        value: The time, in a unit.
        unit_ns: Nanoseconds in that unit.
        expected: What the error says was expected, if it is not a number.

    Raises:
        ConfigError: It is not a number, or not a whole number of nanoseconds.
    """
    if isinstance(value, float) and math.isfinite(value):
        whole = round(value * unit_ns)
        if whole / unit_ns == value:
            return whole  # at once: 20 times as fast as fractions
    time_ns = exact_number(field, value, expected) * unit_ns
    whole = round(time_ns)
    noise = 4 * math.ulp(value) * unit_ns if isinstance(value, float) else 0
    if abs(time_ns - whole) > noise:
        raise ConfigError(f"{field}: {value} is no whole number of nanoseconds; round it to them")
    return whole


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
