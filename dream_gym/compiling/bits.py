"""The bits of a number, for arithmetic of our own that is the same on every machine."""

from __future__ import annotations

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


def _reinterprets(function: Any, argument: Any, of: Any, to: Any, bits: Any) -> None:
    """Compile a function as one that takes the bits of a number for those of another type.

    Args:
        function: The function.
        argument: What its argument may be, a class of Numba types.
        of: The type whose bits they are.
        to: The type of what it returns.
        bits: The same to LLVM.
    """

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.cast(builder, arguments[0], signature.args[0], of)
        return builder.bitcast(number, bits)

    type_callable(function)(lambda context: lambda number: to)
    lower_builtin(function, argument)(lower)


_reinterprets(bits_of, types.Float, types.float64, types.int64, ir.IntType(64))
_reinterprets(number_of, types.Integer, types.int64, types.float64, ir.DoubleType())
