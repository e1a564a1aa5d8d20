"""Whatever genetic programming makes of rules are rules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agents.genetics import cross, draw, mutate
from dream_gym.schedulers.evolved.expressions import Program, arity, parse

RULE = parse("urgency - 2 * finish + if_positive(late, 3, max(wait, 0.3))")
OTHER = parse("min(slack, 0.5) / hold")


def is_whole(program: Program) -> bool:
    """Whether no operation lacks an operand, and one value remains."""
    depth = 0
    for token in program:
        depth -= arity(token)
        if depth < 0:
            return False
        depth += 1
    return depth == 1


MAKERS: dict[str, Callable[[np.random.Generator], Program]] = {
    "draw": draw,
    "cross": lambda random: cross(random, RULE, OTHER),
    "mutate": lambda random: mutate(random, RULE),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_is_made_is_a_rule_and_the_same_again(
    make: Callable[[np.random.Generator], Program],
) -> None:
    made = [make(np.random.default_rng(seed)) for seed in range(300)]
    assert all(map(is_whole, made))
    assert made == [make(np.random.default_rng(seed)) for seed in range(300)]
    assert len(set(made)) > 50
    constants = [token for program in made for token in program if isinstance(token, float)]
    assert all(float(f"{constant:.3g}") == constant for constant in constants), "can be read"


def test_children_are_of_both_parents() -> None:
    made = {cross(np.random.default_rng(seed), RULE, OTHER) for seed in range(300)}
    assert any({"hold", "urgency"} <= set(child) for child in made)
    assert max(map(len, made)) > len(RULE) > min(map(len, made))


def test_mutations_are_of_all_kinds() -> None:
    made = {mutate(np.random.default_rng(seed), RULE) for seed in range(300)}
    shapes = [tuple(map(arity, child)) for child in made]
    assert any(
        child != RULE and shape == tuple(map(arity, RULE))
        for child, shape in zip(made, shapes, strict=True)
    )
    assert any(len(child) < len(RULE) for child in made), "shrinks"
    assert any(child[: len(RULE)] == RULE and len(child) > len(RULE) for child in made), (
        "gets a term"
    )
    names = [tuple(token for token in child if isinstance(token, str)) for child in made]
    same = tuple(token for token in RULE if isinstance(token, str))
    assert names.count(same) > 30, "moves its constants"
