"""The packages of the extras, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

from dream_gym.errors import DreamGymError


def polars() -> Any:
    """Polars."""
    return _require("polars", "benchmarks need", "bench")


def pyplot() -> Any:
    """Matplotlib's pyplot, drawing into files only."""
    _require("matplotlib", "benchmarks need", "bench").use("agg")
    return _require("matplotlib.pyplot", "benchmarks need", "bench")


def cma() -> Any:
    """CMA-ES, in the package by its authors."""
    return _require("cma", "tuning needs", "tune")


def cp_model() -> Any:
    """The CP-SAT of OR-Tools."""
    return _require("ortools.sat.python.cp_model", "bounds need", "bounds")


def _require(module: str, who: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DreamGymError(
            f'{module} is missing; {who}: pip install "dream_gym[{extra}]"'
        ) from error
