"""The bits of a number, for arithmetic of our own that is the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import lower_builtin, type_callable


def bits_of(number: float) -> int:
    """The bits of a float64 as an int64."""
    return int(np.float64(number).view(np.int64))


def number_of(bits: int) -> float:
    """The float64 of an int64's bits."""
    return float(np.int64(bits).view(np.float64))


@type_callable(bits_of)  # type: ignore[untyped-decorator]
def _type_of_bits(context: Any) -> Callable[..., Any]:
    return lambda number: types.int64


@lower_builtin(bits_of, types.Float)  # type: ignore[untyped-decorator]
def _lower_bits_of(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    number = context.cast(builder, arguments[0], signature.args[0], types.float64)
    return builder.bitcast(number, ir.IntType(64))


@type_callable(number_of)  # type: ignore[untyped-decorator]
def _type_of_number(context: Any) -> Callable[..., Any]:
    return lambda bits: types.float64


@lower_builtin(number_of, types.Integer)  # type: ignore[untyped-decorator]
def _lower_number_of(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    bits = context.cast(builder, arguments[0], signature.args[0], types.int64)
    return builder.bitcast(bits, ir.DoubleType())
