"""Fractions of many digits, replaced by short ones that give the same whole numbers.

The engine multiplies int64 numbers by fractions and rounds. Between two neighbours among the
fractions with denominators up to N lies no k/n with n <= N. So no n-fold, n <= N, of a number
passes a whole number on the way to the next such fraction: both are rounded alike.
"""

from __future__ import annotations

from fractions import Fraction


def least_fraction(number: Fraction, largest: int) -> Fraction:
    """The least fraction from a number on whose denominator is at most `largest`, at least 1.

    For all n in [0, largest], ceil(n × fraction) is ceil(n × number).
    """
    nearest = number.limit_denominator(largest)
    if nearest >= number:
        return nearest
    # The next after a/b in the Farey sequence is the c/d with bc - ad = 1 of largest d.
    a, b = nearest.numerator, nearest.denominator
    d = largest - (largest + pow(a, -1, b)) % b
    return Fraction(1 + a * d, b * d)


def greatest_fraction(number: Fraction, largest: int) -> Fraction:
    """The greatest fraction up to a number whose denominator is at most `largest`, at least 1.

    For all n in [0, largest], floor(n × fraction) is floor(n × number).
    """
    return -least_fraction(-number, largest)
