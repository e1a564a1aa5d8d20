"""Expressions over the features of `learned`: as text, and as programs of the stack machine.

A program is an expression in postfix order: ``("urgency", 2.0, "finish", "*", "-")`` is
``urgency - 2 * finish``.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np

from dream_gym.errors import hint, shown
from dream_gym.schedulers.evolved import machine
from dream_gym.schedulers.evolved.machine import (
    CONSTANT,
    LARGEST,
    LENGTH,
    MOST_TOKENS,
    OF_FRAME,
    OF_PAIR,
    OF_WHOLE,
    PARAMETERS,
)
from dream_gym.schedulers.learned.features import (
    CONTEXT_FEATURES,
    FRAME_FEATURES,
    INPUT_NAMES,
    PAIR_FEATURES,
)
from dream_gym.schedulers.learned.network import BLOCK_NS, HEADER
from dream_gym.simulator import Floats
from dream_gym.units import NS_PER_MS

Token: TypeAlias = str | float
Program: TypeAlias = tuple[Token, ...]
"""A constant, the name of a feature, or that of an operation, in postfix order."""

NEGATIVE = "neg"
ARITIES = {
    "+": 2,
    "-": 2,
    "*": 2,
    "/": 2,
    "min": 2,
    "max": 2,
    "abs": 1,
    "if_positive": 3,
    NEGATIVE: 1,
}
"""How many operands each operation takes; ``if_positive(x, a, b)`` is a where x > 0, else b."""
_FUNCTIONS = ("min", "max", "abs", "if_positive")
_CODES = dict(
    zip(
        ARITIES,
        (
            machine.ADD,
            machine.SUBTRACT,
            machine.MULTIPLY,
            machine.DIVIDE,
            machine.LEAST,
            machine.MOST,
            machine.ABSOLUTE,
            machine.IF_POSITIVE,
            machine.NEGATE,
        ),
        strict=True,
    )
)
_OPERANDS = {
    name: (code, float(place))
    for code, names in (
        (OF_PAIR, PAIR_FEATURES),
        (OF_FRAME, FRAME_FEATURES),
        (OF_WHOLE, CONTEXT_FEATURES),
    )
    for place, name in enumerate(names)
}

MOST_CHARACTERS = 8192
MOST_NESTED = 100
_WORD = re.compile(r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[a-z_]+)|\S")


def arity(token: Token) -> int:
    """How many operands a token takes."""
    return ARITIES.get(token, 0) if isinstance(token, str) else 0


def parameters_of(program: Program, block_ms: float) -> Floats:
    """A program as compiled code reads it: float64 (`PARAMETERS`,).

    Args:
        program: Of at most `MOST_TOKENS`.
        block_ms: The most time that a block of layers takes.
    """
    parameters = np.zeros(PARAMETERS)
    parameters[LENGTH], parameters[BLOCK_NS] = len(program), round(block_ms * NS_PER_MS)
    for at, token in enumerate(program):
        if isinstance(token, float):
            code, operand = CONSTANT, token
        elif token in _OPERANDS:
            code, operand = _OPERANDS[token]
        else:
            code, operand = _CODES[token], 0.0
        parameters[HEADER + 2 * at : HEADER + 2 * at + 2] = code, operand
    return parameters


def text_of(program: Program) -> str:
    """A program as text, with the parentheses that it needs."""
    stack: list[tuple[str, int]] = []  # and how strongly its outermost operation binds, or a sign
    for token in program:
        if isinstance(token, float):
            stack.append((repr(token).removesuffix(".0"), 3))
            continue
        operands = [stack.pop() for _ in range(arity(token))][::-1]
        if token in ("+", "-", "*", "/"):
            own = 1 if token in "+-" else 2
            left, right = (
                text if binds >= least else f"({text})"
                for (text, binds), least in zip(operands, (own, own + 1), strict=True)
            )
            stack.append((f"{left} {token} {right}", own))
        elif token == NEGATIVE:
            text, binds = operands[0]
            stack.append((f"-{text}" if binds > 3 else f"-({text})", 3))
        elif operands:
            stack.append((f"{token}({', '.join(text for text, _ in operands)})", 4))
        else:
            stack.append((token, 4))
    return stack[0][0]


def parse(text: str) -> Program:
    """The program of a text.

    Raises:
        ValueError: It is no expression, knows a name that there is not, or is too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected at most {MOST_CHARACTERS} characters, got {len(text)}")
    program = _Parser(text).program()
    if len(program) > MOST_TOKENS:
        raise ValueError(
            f"expected at most {MOST_TOKENS} names, numbers and operations, got {len(program)}"
        )
    return program


class _Parser:
    """Reads a text from left to right; each method reads what it is called after."""

    def __init__(self, text: str) -> None:
        self._words = list(_WORD.finditer(text))
        self._at = 0
        self._nested = 0
        self._program: list[Token] = []

    def program(self) -> Program:
        self._sum()
        if self._at < len(self._words):
            raise self._unexpected("an operation")
        return tuple(self._program)

    @property
    def _next(self) -> str:
        return self._words[self._at].group() if self._at < len(self._words) else ""

    def _unexpected(self, what: str) -> ValueError:
        if self._at == len(self._words):
            return ValueError(f"ends where {what} was expected")
        at = self._words[self._at].start() + 1
        return ValueError(f"expected {what}, got {shown(self._next)} at character {at}")

    def _take(self, word: str) -> None:
        if self._next != word:
            raise self._unexpected(repr(word))
        self._at += 1

    def _sum(self) -> None:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise ValueError(f"is nested more than {MOST_NESTED} deep")
        self._product()
        while (operation := self._next) in ("+", "-"):
            self._at += 1
            self._product()
            self._program.append(operation)
        self._nested -= 1

    def _product(self) -> None:
        self._signed()
        while (operation := self._next) in ("*", "/"):
            self._at += 1
            self._signed()
            self._program.append(operation)

    def _signed(self) -> None:
        negative = False
        while self._next == "-":
            self._at += 1
            negative = not negative
        number = self._at < len(self._words) and self._words[self._at]["number"] is not None
        self._atom()
        if negative and number:
            constant = self._program.pop()
            assert isinstance(constant, float)
            self._program.append(-constant)
        elif negative:
            self._program.append(NEGATIVE)

    def _atom(self) -> None:
        word = self._words[self._at] if self._at < len(self._words) else None
        if self._next == "(":
            self._at += 1
            self._sum()
            self._take(")")
        elif word is not None and word["number"]:
            number = float(word["number"])
            if number > LARGEST:
                raise ValueError(f"numbers are at most {LARGEST:g}, got {shown(word['number'])}")
            self._program.append(number)
            self._at += 1
        elif word is not None and word["name"] in _FUNCTIONS:
            self._at += 1
            self._arguments(word["name"])
        elif word is not None and word["name"] in _OPERANDS:
            self._program.append(word["name"])
            self._at += 1
        elif word is not None and word["name"]:
            known = (*INPUT_NAMES, *_FUNCTIONS)
            raise ValueError(
                f"there is no feature {shown(word['name'])}; {hint(word['name'], known)}"
            )
        else:
            raise self._unexpected("a feature, a number or '('")

    def _arguments(self, function: str) -> None:
        self._take("(")
        for index in range(ARITIES[function]):
            if index:
                self._take(",")
            self._sum()
        self._take(")")
        self._program.append(function)
