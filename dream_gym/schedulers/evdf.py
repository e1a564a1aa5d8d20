"""Earliest virtual deadline first: the deadline of the next layer, not that of the frame.

The scheduling half of Terastal (RTCSA 2026) as read here, without its choice of model variants;
adapted for layer-granular dispatch on fixed heterogeneous accelerators. The time from release to
deadline is shared out over the layers of the network in proportion to their mean latency, so the
virtual deadline of a layer is deadline - window × mean latency behind it / mean latency of all.
Earliest-finish placement by default.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.measures import virtual_deadline_ns
from dream_gym.schedulers.ordering import make_ordered
from dream_gym.schedulers.placement import EftPlacement
from dream_gym.simulator import Problem, State


@inlined
def next_deadline(problem: Problem, state: State, slot: int) -> float:
    """The key: the virtual deadline of the next layer."""
    return virtual_deadline_ns(problem, state, slot, state.slots[slot].layer)


EVDF = BuiltinScheduler(
    "evdf",
    make_ordered(next_deadline),
    EftPlacement,
    family="rule",
    label="earliest virtual deadline first",
)
