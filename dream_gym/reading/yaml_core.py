"""YAML 1.2 by its core schema, where numbers are what they look like: reading and writing it.

PyYAML parses and writes, but its own constructor reads YAML 1.1: there ``1:30`` is 90, ``010`` is
8, ``yes`` is true, ``2024-01-30`` is a date, and of two equal keys the last wins. Here the first
and the last two stay text or are errors, ``010`` is ten, and ``1e-3`` is a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from dream_gym.errors import ConfigError, plain, shown

MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 50
"""Lists and mappings inside one another."""
MAX_VALUES = 100_000
"""Values in a document, keys included; what is repeated by an alias counts again."""
MAX_INTEGER_DIGITS = 40
MAX_FLOAT_DIGITS = 17
"""Significant digits of a number with a point or an exponent: more would be rounded away."""
_SAFE_DIGITS = 15
"""A float always keeps this many digits."""

_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAMED = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}{word}": math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{f"-{word}": -math.inf for word in (".inf", ".Inf", ".INF")},
}
_INTEGER = re.compile(r"[-+]?([0-9]+)")
_BASED = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""A number in decimal, as the core schema writes it."""


def load_yaml(text: str, *, origin: str) -> Any:
    """Read one YAML document into dicts with text as keys, lists, text, numbers, bools and None.

    Args:
        text: The document.
        origin: What to call it in errors, usually its path.

    Raises:
        ConfigError: It is malformed, or beyond the limits above; names the line.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"{origin}: is longer than {MAX_CHARACTERS:,} characters")
    try:
        return _Document(text, origin).content()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise ConfigError(f"{origin}: {where}not valid YAML: {problem}") from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        reason = getattr(error, "reason", "unreadable")
        raise ConfigError(f"{origin}: not valid YAML: {reason}") from error


def dump_yaml(content: Any) -> str:
    """Write a document that `load_yaml` reads back as it was; keys stay in their order."""
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False))


class _Dumper(yaml.SafeDumper):
    """Also quotes text that is a number in YAML 1.2 but not in 1.1."""


for _pattern in (NUMBER, _BASED):
    _Dumper.add_implicit_resolver(
        f"{_TAG}float", re.compile(f"(?:{_pattern.pattern})$"), list("-+.0123456789")
    )


class _Document:
    """One document, built while it is parsed, so that a limit ends both."""

    def __init__(self, text: str, origin: str) -> None:
        self._origin = origin
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._values = 0
        self._anchors: dict[str, tuple[Any, int] | None] = {}

    def content(self) -> Any:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        content = self._node(next(self._events), 0)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._fail(event, "a second document begins; one is expected")
        return content

    def _node(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor is None:
            return self._new(event, depth)
        before = self._values
        self._anchors[event.anchor] = None  # until it is complete
        content = self._new(event, depth)
        self._anchors[event.anchor] = content, self._values - before
        return content

    def _new(self, event: Any, depth: int) -> Any:
        self._count(event, 1)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth == MAX_DEPTH:
            self._fail(event, f"more than {MAX_DEPTH} lists and mappings inside one another")
        if isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event, "seq")
            return self._sequence(depth + 1)
        self._check_tag(event, "map")
        return self._mapping(depth + 1)

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            self._fail(event, f"*{plain(event.anchor)}: is not defined by & before it")
        found = self._anchors[event.anchor]
        if found is None:
            self._fail(event, f"*{plain(event.anchor)}: contains itself")
        content, values = found
        self._count(event, values)
        return content

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._fail(event, f"more than {MAX_VALUES:,} values, those of aliases included")

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        content: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: list[dict[str, Any]] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            value = self._node(next(self._events), depth)
            if key in lines:
                self._fail(event, f"{shown(key)} is there twice, first in line {lines[key]}")
            lines[key] = event.start_mark.line + 1
            if key == "<<" and event.implicit[0]:
                merged = self._merged(event, value)
            else:
                content[key] = value
        for source in merged:
            content = {**source, **content}
        return content

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._fail(event, "a key must be text")
        key = self._node(event, 0)
        if not isinstance(key, str):
            self._fail(event, f'a key must be text, got {shown(key)}; write "{event.value[:80]}"')
        return key

    def _merged(self, event: Any, value: Any) -> list[dict[str, Any]]:
        """The mappings that ``<<: *other`` merges in, for keys that the mapping does not have."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._fail(event, "<< needs a mapping, or a list of mappings")
        return sources

    def _scalar(self, event: Any) -> Any:
        if event.tag in (None, "!"):
            return self._plain(event) if event.implicit[0] else event.value
        tag = event.tag.removeprefix(_TAG)
        if tag == "str":
            return event.value
        types: dict[str, Any] = {
            "int": int,
            "float": (int, float),
            "bool": bool,
            "null": type(None),
        }
        if tag not in types:
            self._fail(event, f"the tag {shown(event.tag)} has no meaning here")
        value = self._plain(event)
        if not isinstance(value, types[tag]) or (isinstance(value, bool) and tag != "bool"):
            self._fail(event, f"{shown(event.value)} is no {tag}")
        return float(value) if tag == "float" else value

    def _plain(self, event: Any) -> Any:
        text: str = event.value
        if text in _NAMED:
            return _NAMED[text]
        if text[0] not in "-+.0123456789":
            return text
        if match := _INTEGER.fullmatch(text):
            self._check_digits(event, len(match[1]))
            return int(text)
        if match := _BASED.fullmatch(text):
            self._check_digits(event, len(text))
            return int(match[1], 8) if match[1] else int(match[2], 16)
        return self._float(event) if NUMBER.fullmatch(text) else text

    def _check_digits(self, event: Any, digits: int) -> None:
        if digits > MAX_INTEGER_DIGITS:
            self._fail(event, f"a number of {digits:,} digits; at most {MAX_INTEGER_DIGITS}")

    def _float(self, event: Any) -> float:
        significant = re.split("[eE]", event.value)[0].replace(".", "").strip("-+0")
        if len(significant) > MAX_FLOAT_DIGITS:
            self._fail(
                event,
                f"a number of {len(significant):,} digits would be rounded; write at most "
                f"{MAX_FLOAT_DIGITS}",
            )
        value = float(event.value)
        if math.isinf(value) or (value == 0 and significant):
            self._fail(event, f"{shown(event.value)} is too {'small' if value == 0 else 'large'}")
        if len(significant) > _SAFE_DIGITS and Decimal(event.value) != Decimal(repr(value)):
            self._fail(event, f"{event.value} would be rounded to {value!r}; write that")
        return value

    def _check_tag(self, event: Any, kind: str) -> None:
        if event.tag not in (None, "!", f"{_TAG}{kind}"):
            self._fail(event, f"the tag {shown(event.tag)} has no meaning here")

    def _fail(self, event: Any, problem: str) -> NoReturn:
        mark = event.start_mark
        raise ConfigError(
            f"{self._origin}: line {mark.line + 1}, column {mark.column + 1}: {problem}"
        )
