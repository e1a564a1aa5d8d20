"""Expressions: a second evaluation agrees bit for bit, texts and programs are one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dream_gym.compiling.jit import entry_point
from dream_gym.schedulers.evolved.expressions import (
    MOST_CHARACTERS,
    Program,
    parameters_of,
    parse,
    text_of,
)
from dream_gym.schedulers.evolved.machine import MOST_TOKENS, evaluate
from dream_gym.schedulers.learned.features import (
    CONTEXT,
    CONTEXT_FEATURES,
    FRAME,
    FRAME_FEATURES,
    INPUT_NAMES,
    PAIR,
    PAIR_FEATURES,
)
from dream_gym.schedulers.learned.network import BLOCK_NS
from dream_gym.simulator import Floats

ORDER = (*CONTEXT_FEATURES, *FRAME_FEATURES, *PAIR_FEATURES)
"""As they lie in the memory of the machine below."""


@entry_point("test_expressions", cache=False)
def compiled_evaluate(parameter: Floats, memory: Floats) -> float:
    return evaluate(parameter, memory, CONTEXT + FRAME, CONTEXT, CONTEXT + FRAME + PAIR)


def value(program: Program, features: dict[str, float]) -> float:
    """What the machine makes of a program."""
    memory = np.array([features[name] for name in ORDER] + [np.nan] * MOST_TOKENS)
    return compiled_evaluate(parameters_of(program, 0.0), memory)


FEATURES = {name: 0.5 * (place % 9) - 2.0 for place, name in enumerate(INPUT_NAMES)}
value(("late",), FEATURES)  # compiled before hypothesis looks at the clock

Tree = Any
"""A number, a name, or a tuple of an operation and its operands."""
numbers = st.floats(-1e6, 1e6)
trees = st.recursive(
    st.one_of(numbers, st.sampled_from(INPUT_NAMES)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "min", "max"]), inner, inner),
        st.tuples(st.sampled_from(["neg", "abs"]), inner),
        st.tuples(st.just("if_positive"), inner, inner, inner),
    ),
    max_leaves=20,
)


def written(tree: Tree) -> str:
    """A tree with all parentheses."""
    if isinstance(tree, float):
        return f"({tree!r})"
    if isinstance(tree, str):
        return tree
    operation, *operands = tree
    texts = [written(operand) for operand in operands]
    if operation == "neg":
        return f"(-({texts[0]}))"
    if operation in ("+", "-", "*", "/"):
        return f"({texts[0]}{operation}{texts[1]})"
    return f"{operation}({','.join(texts)})"


def second_value(tree: Tree, features: dict[str, float]) -> float:
    """What a tree is worth, from what the page says."""
    if isinstance(tree, float):
        return tree
    if isinstance(tree, str):
        return features[tree]
    operation, *operands = tree
    x = [second_value(operand, features) for operand in operands]
    if operation in ("*", "/"):
        divisor = x[1] if abs(x[1]) >= 0.001 else (-0.001 if x[1] < 0 else 0.001)
        result = x[0] * x[1] if operation == "*" else x[0] / divisor
        return max(-1e6, min(1e6, result))
    return {
        "+": lambda: x[0] + x[1],
        "-": lambda: x[0] - x[1],
        "min": lambda: min(x),
        "max": lambda: max(x),
        "neg": lambda: -x[0],
        "abs": lambda: abs(x[0]),
        "if_positive": lambda: x[1] if x[0] > 0 else x[2],
    }[operation]()


@given(trees, st.lists(st.floats(-10, 10), min_size=len(INPUT_NAMES), max_size=len(INPUT_NAMES)))
@example(("/", "late", ("-", "late", "late")), [1.0] * len(INPUT_NAMES))
@example(("/", 1.0, -1e-9), [1.0] * len(INPUT_NAMES))
@example(("*", 1e6, ("*", -1e6, 1e6)), [1.0] * len(INPUT_NAMES))
@settings(deadline=None)
def test_a_second_evaluation_agrees(tree: Tree, values: list[float]) -> None:
    features = dict(zip(INPUT_NAMES, values, strict=True))
    found = value(parse(written(tree)), features)
    assert found == second_value(tree, features)
    assert np.isfinite(found)


@given(trees)
@settings(deadline=None)
def test_a_program_and_its_text_are_one_another(tree: Tree) -> None:
    program = parse(written(tree))
    text = text_of(program)
    assert parse(text) == program
    assert text_of(parse(text)) == text
    assert len(text) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("urgency - 2 * finish", ("urgency", 2.0, "finish", "*", "-")),
        ("late - slack - 1", ("late", "slack", "-", 1.0, "-")),
        ("late - (slack - 1)", ("late", "slack", 1.0, "-", "-")),
        ("late / slack / 2", ("late", "slack", "/", 2.0, "/")),
        ("late / (slack * 2)", ("late", "slack", 2.0, "*", "/")),
        ("-late * slack", ("late", "neg", "slack", "*")),
        ("-(late * slack)", ("late", "slack", "*", "neg")),
        ("late * -0.5", ("late", -0.5, "*")),
        (
            "if_positive(late, max(wait, 1e-05), abs(-slack))",
            ("late", "wait", 1e-05, "max", "slack", "neg", "abs", "if_positive"),
        ),
    ],
)
def test_texts_have_the_parentheses_that_they_need(text: str, program: Program) -> None:
    assert parse(text) == program
    assert text_of(program) == text


def test_spaces_do_not_count() -> None:
    assert parse(" min(late,\n\tslack)*2 ") == parse("min(late, slack) * 2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends where a feature, a number or '\\(' was expected"),
        ("late +", "ends where a feature"),
        ("(late", r"ends where '\)' was expected"),
        ("late)", r"expected an operation, got '\)' at character 5"),
        ("late slack", "expected an operation, got 'slack' at character 6"),
        ("late ** 2", r"got '\*' at character 7"),
        ("min(late)", "expected ',', got"),
        ("min(late, slack, 1)", r"expected '\)', got ','"),
        ("min", r"ends where '\('"),
        ("hurry", "no feature 'hurry'"),
        ("urgancy", "did you mean urgency"),
        ("neg(late)", "no feature 'neg'"),
        ("__import__('os')", "no feature '__import__'"),
        ("late.real", r"expected an operation, got '\.'"),
        ("1e7", r"numbers are at most 1e\+06"),
        ("(" * 5000, "nested more than 100 deep"),
        ("late" + " + late" * 64, f"at most {MOST_TOKENS} .*, got 129"),
        (" " * 9000, "at most 8192 characters"),
        ("läte", "expected|no feature"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text)


def test_the_longest_program_fits() -> None:
    text = "late" + " + late" * 63
    program = (*parse(text), "neg")
    assert len(program) == MOST_TOKENS
    assert value(program, FEATURES) == -64 * FEATURES["late"]
    deep = (*["late"] * 64, *["+"] * 63)
    assert value(deep, FEATURES) == 64 * FEATURES["late"]
    assert parameters_of(program, 0.25)[BLOCK_NS] == 250_000
