"""Genetic programming on rules: how rules are drawn, mutated and crossed.

Rules are programs in postfix order, see `dream_gym.schedulers.evolved.expressions`, in which each
part, an operation with its operands, is a stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np

from dream_gym.schedulers.evolved.expressions import ARITIES, Program, Token, arity
from dream_gym.schedulers.evolved.machine import LARGEST
from dream_gym.schedulers.learned.features import INPUT_NAMES

Random: TypeAlias = np.random.Generator
Item = TypeVar("Item")

SIMPLE = ("+", "-", "*")
"""Operations that are drawn as often as all others together."""
DEEPEST = 3
"""How many operations deep what is drawn may be."""
JITTER = 0.3
"""How far constants move: as a share of themselves, and by a third of it beside."""


def draw(random: Random, deepest: int = DEEPEST) -> Program:
    """A random rule."""
    if deepest == 0 or random.random() < 0.3:
        return (_operand(random),)
    operation = _pick(random, SIMPLE if random.random() < 0.5 else tuple(ARITIES))
    operands = [draw(random, deepest - 1) for _ in range(arity(operation))]
    return (*(token for operand in operands for token in operand), operation)


def cross(random: Random, first: Program, second: Program) -> Program:
    """The first rule with a part of the second in place of one of its own."""
    start, stop = _part(random, first)
    other_start, other_stop = _part(random, second)
    return first[:start] + second[other_start:other_stop] + first[stop:]


def mutate(random: Random, program: Program) -> Program:
    """A rule that is changed in one way of several."""
    return _pick(random, _MUTATIONS)(random, program)


def _replace(random: Random, program: Program) -> Program:
    """Draw a part anew."""
    start, stop = _part(random, program)
    return program[:start] + draw(random, DEEPEST - 1) + program[stop:]


def _extend(random: Random, program: Program) -> Program:
    """Let a part, often the whole, be joined by another: a term, a factor."""
    stop = len(program) if random.random() < 0.5 else _part(random, program)[1]
    other = draw(random, DEEPEST - 1)
    operation = _pick(random, ("+", "-", "*", "min", "max"))
    return (*program[:stop], *other, operation, *program[stop:])


def _shrink(random: Random, program: Program) -> Program:
    """Replace a part by one of its own parts."""
    start, stop = _part(random, program)
    inner_start, inner_stop = _part(random, program[start:stop])
    return program[:start] + program[start + inner_start : start + inner_stop] + program[stop:]


def _exchange(random: Random, program: Program) -> Program:
    """Replace an operation by another of as many operands, or an operand by another."""
    at = int(random.integers(len(program)))
    count = arity(program[at])
    alike = [operation for operation in ARITIES if ARITIES[operation] == count]
    other = _pick(random, alike) if count else _operand(random)
    return (*program[:at], other, *program[at + 1 :])


def _shift(random: Random, program: Program) -> Program:
    """Move all constants a little."""
    return tuple(_moved(random, token) if isinstance(token, float) else token for token in program)


_MUTATIONS: Sequence[Callable[[Random, Program], Program]] = (
    _replace,
    _extend,
    _shrink,
    _exchange,
    _shift,
)


def _moved(random: Random, constant: float) -> float:
    steps = JITTER * random.standard_normal(2)
    return _rounded(constant * (1.0 + steps[0]) + steps[1] / 3)


def _operand(random: Random) -> Token:
    if random.random() < 0.3:
        return _rounded(2.0 * random.standard_normal())
    return _pick(random, INPUT_NAMES)


def _rounded(constant: float) -> float:
    """Three digits, which can be read."""
    return float(f"{min(max(constant, -LARGEST), LARGEST):.3g}")


def _part(random: Random, program: Program) -> tuple[int, int]:
    """Where a random part begins and ends."""
    stop = int(random.integers(len(program))) + 1
    start, missing = stop, 1
    while missing:
        start -= 1
        missing += arity(program[start]) - 1
    return start, stop


def _pick(random: Random, items: Sequence[Item]) -> Item:
    return items[int(random.integers(len(items)))]
