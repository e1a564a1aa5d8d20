"""What a scheduler may decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dream_gym.compiling.jit import inlined
from dream_gym.simulator.problem import NONE, Problem
from dream_gym.simulator.state import State

PASS, DISPATCH, DROP = range(3)


class Decision(NamedTuple):
    """One decision; made by `wait`, `dispatch`, `dispatch_block` or `drop`.

    Args:
        kind: ``PASS``, ``DISPATCH`` or ``DROP``.
        slot: The frame's slot.
        accelerator: Where it is dispatched.
        variant: At the frame's first dispatch, which network of the model's it runs from then on:
            0 is the original, the others its variants; of no effect later.
        layers: How many consecutive layers run as one, at least 1. They end at the next fork of
            the path (see `problem.LAYER`) or at the end of the network, if that comes before.
    """

    kind: int
    slot: int
    accelerator: int
    variant: int
    layers: int


Decide = Callable[[Problem, State], Decision]
"""A compiled scheduler. It is called again after each decision until it passes."""


@inlined
def wait() -> Decision:
    """Nothing more at this instant."""
    return Decision(PASS, NONE, NONE, 0, 1)


@inlined
def dispatch(slot: int, accelerator: int) -> Decision:
    """Run the next layer of a waiting frame on an idle accelerator."""
    return Decision(DISPATCH, slot, accelerator, 0, 1)


@inlined
def dispatch_block(slot: int, accelerator: int, variant: int, layers: int) -> Decision:
    """Run the next layers of a waiting frame as one, and choose its variant; see `Decision`."""
    return Decision(DISPATCH, slot, accelerator, variant, layers)


@inlined
def drop(slot: int) -> Decision:
    """Lose a waiting frame."""
    return Decision(DROP, slot, NONE, 0, 1)
