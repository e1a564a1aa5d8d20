"""Types of fields that many configs share: exact numbers, names, and the version of a format."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from dream_gym.errors import shown
from dream_gym.reading.yaml_core import NUMBER


def _not_a_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"expected 1, got {shown(value)}")
    return value


SchemaVersion = Annotated[Literal[1], BeforeValidator(_not_a_truth_value)]
"""Version of a file format."""

_LEAST_RATIONAL = Fraction(1, 1_000_000_000)
_MAX_RATIONAL = 1_000_000
_MAX_RATIONAL_CHARACTERS = 40
_RATIO = re.compile(r"[0-9]+/[0-9]+")


def _to_fraction(value: Any) -> Fraction:
    problem = f"expected a number or a text such as '30000/1001', got {shown(value)}"
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        raise ValueError(problem)
    text = value if isinstance(value, str) else ""
    if text and not (NUMBER.fullmatch(text) or _RATIO.fullmatch(text)):
        raise ValueError(problem)
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    if len(text) > _MAX_RATIONAL_CHARACTERS or len(exponent) > 2:
        raise ValueError(f"has too many digits: {shown(value)}")
    try:
        fraction = Fraction(str(value) if isinstance(value, float | str) else value)
    except (ValueError, ZeroDivisionError):
        raise ValueError(problem) from None
    if not _LEAST_RATIONAL <= fraction <= _MAX_RATIONAL:
        limits = f"{float(_LEAST_RATIONAL):g} to {_MAX_RATIONAL}"
        raise ValueError(f"expected a positive number from {limits}, got {shown(value)}")
    return fraction


Rational = Annotated[
    Fraction,
    BeforeValidator(_to_fraction),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _MAX_RATIONAL},
                {"type": "string"},
            ]
        }
    ),
]
"""A positive number, taken exactly as written: 30, 29.97 or "30000/1001"."""

MAX_NAME = 100
MAX_PROSE = 10_000


def _check_title(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError(
            f"expected printable text on one line, without spaces around it, got {shown(text)}"
        )
    if len(text) > MAX_NAME:
        raise ValueError(f"expected at most {MAX_NAME} characters, got {len(text)}")
    return text


def _check_name(text: str) -> str:
    if not text:
        raise ValueError("expected a name, got an empty text")
    return _check_title(text)


def _check_file_name(text: str) -> str:
    _check_name(text)
    if text.startswith(".") or set(text) & set("/\\") or len(text.encode()) > MAX_NAME:
        raise ValueError(
            "must do as the name of a file: no '/' or '\\', no '.' at its beginning, at most "
            f"{MAX_NAME} bytes; got {shown(text)}"
        )
    return text


def _check_prose(text: str) -> str:
    for line in text.split("\n"):
        if not line.replace("\t", " ").isprintable():
            raise ValueError(f"expected printable text, got {shown(line)}")
    if len(text) > MAX_PROSE:
        raise ValueError(f"expected at most {MAX_PROSE} characters, got {len(text)}")
    return text


Title = Annotated[str, AfterValidator(_check_title)]
"""What tables and plots may call something: one line of printable text, or none."""

Name = Annotated[str, AfterValidator(_check_name)]
"""What tables and plots call something: one line of printable text."""

FileName = Annotated[str, AfterValidator(_check_file_name)]
"""A name after which a file or a folder may be called, too."""

Prose = Annotated[str, AfterValidator(_check_prose)]
"""Text of one or more lines."""
