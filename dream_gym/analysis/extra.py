"""The packages of the extra ``bench``, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

from dream_gym.errors import DreamGymError


def polars() -> Any:
    """Polars."""
    return _require("polars")


def pyplot() -> Any:
    """Matplotlib's pyplot, drawing into files only."""
    _require("matplotlib").use("agg")
    return _require("matplotlib.pyplot")


def _require(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DreamGymError(
            f'{module} is missing; benchmarks need: pip install "dream_gym[bench]"'
        ) from error
