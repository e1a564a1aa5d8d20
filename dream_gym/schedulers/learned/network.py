"""The network: its sizes, how its weights lie in the parameters, and the score that it gives.

score(kind, x) = bias(kind) + linear(kind)·x + output(kind)·relu(hidden·x + threshold), where x are
the features of a frame on an accelerator, of the frame, and of the whole, one after the other.
There are three kinds of choice: to dispatch, to drop and to wait. Where a choice has no accelerator
or no frame, their features are 0. Without hidden units the score is linear.

The parameters are a header, then for each kind its bias, linear and output weights, then the
thresholds of the hidden units, then for each input its weights to all of them.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.learned.features import CONTEXT, FRAME, PAIR
from dream_gym.simulator import Floats

DISPATCHES, DROPS, WAITS, KINDS = range(4)
"""The kinds of choice, and their number."""

HIDDEN, BLOCK_NS, VARIANTS, HEADER = range(4)
"""What the header says: how many hidden units there are, the most time of a block of layers, and
whether variants of Supernets are chosen."""

INPUTS = PAIR + FRAME + CONTEXT
FRAME_AT, CONTEXT_AT = PAIR, PAIR + FRAME


def count_parameters(hidden: int) -> int:
    """How many numbers header and weights are."""
    return HEADER + KINDS * (1 + INPUTS + hidden) + hidden * (1 + INPUTS)


@inlined
def _kind_at(parameter: Floats, kind: int) -> int:
    return HEADER + kind * (1 + INPUTS + int(parameter[HIDDEN]))


@inlined
def bias(parameter: Floats, kind: int) -> float:
    """A kind's bias."""
    return float(parameter[_kind_at(parameter, kind)])


@inlined
def linear_sum(parameter: Floats, kind: int, first: int, count: int, x: Floats) -> float:
    """The part of a kind's linear score that comes from some of its inputs."""
    at = _kind_at(parameter, kind) + 1 + first
    even, odd = 0.0, 0.0  # two sums, since each addition waits for the one before
    for index in range(0, count - 1, 2):
        even += parameter[at + index] * x[index]
        odd += parameter[at + index + 1] * x[index + 1]
    if count % 2 == 1:
        even += parameter[at + count - 1] * x[count - 1]
    return even + odd


@inlined
def thresholds(parameter: Floats, sums: Floats) -> None:
    """Write the thresholds of the hidden units, which their sums start from."""
    at = _kind_at(parameter, KINDS)
    for unit in range(int(parameter[HIDDEN])):
        sums[unit] = parameter[at + unit]


@inlined
def add_hidden(
    parameter: Floats, first: int, count: int, x: Floats, before: Floats, sums: Floats
) -> None:
    """Add to the sums of the hidden units what comes from some of the inputs.

    Args:
        parameter: The parameters.
        first: The first of those inputs.
        count: How many they are.
        x: Their values.
        before: [hidden] the sums so far.
        sums: [hidden] the new sums, written.
    """
    hidden = int(parameter[HIDDEN])
    at = _kind_at(parameter, KINDS) + hidden * (1 + first)
    for unit in range(hidden):
        sums[unit] = before[unit]
    for index in range(count):
        value = x[index]
        for unit in range(hidden):  # the inner loop, so that it takes several units at once
            sums[unit] += parameter[at + unit] * value
        at += hidden


@inlined
def hidden_score(parameter: Floats, kind: int, sums: Floats) -> float:
    """What the hidden units add to a kind's score."""
    at = _kind_at(parameter, kind) + 1 + INPUTS
    total = 0.0
    for unit in range(int(parameter[HIDDEN])):
        total += parameter[at + unit] * max(sums[unit], 0.0)
    return total
