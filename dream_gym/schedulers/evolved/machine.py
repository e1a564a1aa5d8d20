"""What computes an expression: a small stack machine over a program in the parameters.

The parameters are a header, whose `BLOCK_NS` and `VARIANTS` are those of `learned`, then for each
token its code and its operand. An operand is a constant, or the place of a feature among those of
its kind. All is + − × ÷ and comparisons in a fixed order, so that the bits are the same on every
machine; products and quotients are cut off and divisors kept from 0, so that none is infinite.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.learned.arithmetic import clip
from dream_gym.schedulers.learned.network import HEADER, HIDDEN
from dream_gym.simulator import Floats

LENGTH = HIDDEN
"""Where the header says how many tokens there are."""
MOST_TOKENS = 128
PARAMETERS = HEADER + 2 * MOST_TOKENS
"""How many numbers header and program are; those behind the program are 0."""

(
    CONSTANT,
    OF_PAIR,
    OF_FRAME,
    OF_WHOLE,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    LEAST,
    MOST,
    NEGATE,
    ABSOLUTE,
    IF_POSITIVE,
) = range(13)
"""The codes of tokens."""

LARGEST = 1e6
"""Products and quotients are between this and its negative."""
LEAST_DIVISOR = 1e-3
"""What is divided by counts as at least so large, with its sign; 0 is positive."""


@inlined
def evaluate(parameter: Floats, memory: Floats, pair: int, frame: int, stack: int) -> float:
    """The value of the program.

    Args:
        parameter: Header and program.
        memory: Where the features are; those of the whole lie at 0.
        pair: Where those of the frame on the accelerator lie.
        frame: Where those of the frame lie.
        stack: Where `MOST_TOKENS` numbers are free.
    """
    top, at = stack - 1, HEADER
    for _ in range(int(parameter[LENGTH])):
        code, operand = int(parameter[at]), parameter[at + 1]
        at += 2
        if code <= OF_WHOLE:
            top += 1
            if code == CONSTANT:
                memory[top] = operand
            elif code == OF_PAIR:
                memory[top] = memory[pair + int(operand)]
            elif code == OF_FRAME:
                memory[top] = memory[frame + int(operand)]
            else:
                memory[top] = memory[int(operand)]
        elif code == NEGATE:
            memory[top] = -memory[top]
        elif code == ABSOLUTE:
            memory[top] = abs(memory[top])
        elif code == IF_POSITIVE:
            top -= 2
            memory[top] = memory[top + 1] if memory[top] > 0.0 else memory[top + 2]
        else:
            top -= 1
            memory[top] = _combine(code, memory[top], memory[top + 1])
    return float(memory[stack])


@inlined
def _combine(code: int, a: float, b: float) -> float:
    """The result of an operation on two numbers."""
    if code == ADD:
        return a + b
    if code == SUBTRACT:
        return a - b
    if code == MULTIPLY:
        return clip(a * b, -LARGEST, LARGEST)
    if code == DIVIDE:
        divisor = min(b, -LEAST_DIVISOR) if b < 0.0 else max(b, LEAST_DIVISOR)
        return clip(a / divisor, -LARGEST, LARGEST)
    if code == LEAST:
        return min(a, b)
    return max(a, b)
