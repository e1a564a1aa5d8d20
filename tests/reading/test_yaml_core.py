"""YAML 1.2 core: what values are, what is refused and where, and that writing loses nothing."""

from __future__ import annotations

import math
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_gym.errors import ConfigError
from dream_gym.reading import yaml_core
from dream_gym.reading.yaml_core import dump_yaml, load_yaml

LOADERS = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]


@pytest.fixture(params=LOADERS, ids=["fast", "portable"], autouse=True)
def _both_parsers(request, monkeypatch):
    monkeypatch.setattr(yaml_core, "_LOADER", request.param)


def value(text: str) -> object:
    return load_yaml(f"a: {text}", origin="my.yaml")["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1:30", "1:30"),
        ("12:48", "12:48"),
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("1_000", "1_000"),
        ("2024-01-30", "2024-01-30"),
        ("2024-13-45", "2024-13-45"),
        ("0b11", "0b11"),
        ("010", 10),
        ("0400", 400),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("1e3", 1000.0),
        ("3e-4", 0.0003),
        ("1.", 1.0),
        (".5", 0.5),
        ("1000000000000000000000000.0", 1e24),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("'010'", "010"),
        ('"true"', "true"),
        ("30000/1001", "30000/1001"),
        ("!!str 12", "12"),
        ("!!float 1", 1.0),
    ],
)
def test_a_scalar_is_what_the_core_schema_says(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_document_may_be_empty_and_nan_is_a_number():
    assert load_yaml("# nothing\n", origin="my.yaml") is None
    assert math.isnan(value(".nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: 'a' is there twice, first in line 1"),
        ("x: {b: 1, c: 2, b: 1}", "line 1, column 17: 'b' is there twice, first in line 1"),
        ("a: !!int abc", "line 1, column 4: 'abc' is no int"),
        ("a: !!int true", "line 1, column 4: 'true' is no int"),
        ("a: !!bool 1", "line 1, column 4: '1' is no bool"),
        ("a: !!timestamp 2024-01-30", "line 1, column 4: the tag .*timestamp' has no meaning"),
        ("!!python/name:os.system x", "line 1, column 1: the tag .* has no meaning"),
        ("a: !!set {b}", "line 1, column 4: the tag"),
        ("a: " + "9" * 10_000, "line 1, column 4: a number of 10,000 digits; at most 40"),
        ("a: 0x" + "9" * 10_000, "line 1, column 4: a number of 10,002 digits; at most 40"),
        ("a: 33.333333333333333333", "a number of 20 digits would be rounded; write at most 17"),
        ("a: 0.33333333333333331", "would be rounded to 0.3333333333333333; write that"),
        ("a: 0.10000000000000001", "would be rounded to 0.1; write that"),
        ("x: {<<: {b: 1}, <<: {b: 2}}", "'<<' is there twice, first in line 1"),
        ("a: 1e400", "line 1, column 4: '1e400' is too large"),
        ("a: 1e-400", "line 1, column 4: '1e-400' is too small"),
        ("a: 1e30000000", "line 1, column 4: '1e30000000' is too large"),
        ("1: a", 'line 1, column 1: a key must be text, got 1; write "1"'),
        ("true: a", 'line 1, column 1: a key must be text, got true; write "true"'),
        ("? [a]\n: b", "line 1, column 3: a key must be text"),
        ("a: *b", r"line 1, column 4: \*b: is not defined by & before it"),
        ("a: *" + "b" * 5000, "is not defined by & before it"),
        ("a: &a [*a]", r"line 1, column 8: \*a: contains itself"),
        ("a: &a {<<: *a}", r"line 1, column 12: \*a: contains itself"),
        ("a: {<<: 3}", "line 1, column 5: << needs a mapping, or a list of mappings"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins"),
        ("[" * 3000, "line 1, column 51: more than 50 lists and mappings"),
        ("- " * 3000, "line 1, column 101: more than 50 lists and mappings"),
        ("{a: " * 3000, "more than 50 lists and mappings"),
        ("? " * 3000, "a key must be text"),
        ("a: [1", "line .*: not valid YAML: while parsing a flow sequence"),
        ("a: \x00", "not valid YAML: .* characters are not allowed"),
        ("a: \ud800", "not valid YAML: "),
        ("a" * 2_000_001, "is longer than 2,000,000 characters"),
    ],
)
def test_what_cannot_be_meant_is_one_short_line(text, problem):
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=problem) as caught:
        load_yaml(text, origin="my.yaml")
    message = str(caught.value)
    assert message.startswith("my.yaml: ")
    assert "\n" not in message
    assert len(message) < 300
    assert time.perf_counter() - start < 10


def test_aliases_repeat_what_was_written_up_to_a_limit():
    text = "a: &a {x: 1, y: [2]}\nb: *a\nc: {<<: *a, x: 3}\nd: {<<: [{x: 4}, *a], z: 5}"
    first = {"x": 1, "y": [2]}
    assert load_yaml(text, origin="my.yaml") == {
        "a": first,
        "b": first,
        "c": {"x": 3, "y": [2]},
        "d": {"x": 4, "y": [2], "z": 5},
    }
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(ConfigError, match=r"line 5.*more than 100,000 values, those of aliases"):
        load_yaml("\n".join(lines), origin="my.yaml")
    merged = "\n".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 40))
    with pytest.raises(ConfigError, match="more than 100,000 values"):
        load_yaml(f"a0: &a0 {{x: 1}}\n{merged}", origin="my.yaml")


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(["1e3", "1e-3", "0o7", "0x1f", "010", "1:30", "yes", "~", "", "1_0", ".5"]),
    st.from_regex(yaml_core.NUMBER, fullmatch=True).filter(lambda text: len(text) < 30),
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**39), 10**39) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _types(content: object) -> object:
    if isinstance(content, dict):
        return {key: _types(item) for key, item in content.items()}
    return [_types(item) for item in content] if isinstance(content, list) else type(content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(content=DOCUMENTS)
def test_what_is_written_is_read_back(content):
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_core, "_LOADER", loader)
            found = load_yaml(dump_yaml(content), origin="my.yaml")
        assert found == content
        assert _types(found) == _types(content)
