"""Functions of + − × ÷ and bits in a fixed order: those of a libm differ from machine to machine.

The polynomials are minimax fits whose ends are exact, so that the functions are continuous.
"""

from __future__ import annotations

from dream_gym.compiling.bits import bits_of, number_of
from dream_gym.compiling.jit import inlined

_FRACTION_BITS = 52
_FRACTION = (1 << _FRACTION_BITS) - 1
_BIAS = 1023
_ONE = _BIAS << _FRACTION_BITS


@inlined
def log2(x: float) -> float:
    """The logarithm of a normal positive number, within 2e-5."""
    bits = bits_of(float(x))
    exponent = (bits >> _FRACTION_BITS) - _BIAS
    t = number_of((bits & _FRACTION) | _ONE) - 1.0
    r = -0.0451485462358803
    r = r * t + 0.1484258786342308
    r = r * t - 0.2671790585443772
    r = r * t + 0.4419169963423144
    return exponent + (t + t * (1.0 - t) * r)


@inlined
def clip(x: float, least: float, most: float) -> float:
    """The number in a range that is nearest."""
    return min(max(x, least), most)
