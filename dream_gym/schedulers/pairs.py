"""What a pair looks like: the next dispatch of a frame on an accelerator."""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.compiling.jit import inlined
from dream_gym.simulator import (
    NEVER,
    Problem,
    State,
    switch_bytes,
    switch_energy_pj,
    switch_ns,
)


class Pair(NamedTuple):
    """A frame's next layers on an accelerator.

    The context switch is 0 where the pair is not legal: which one a busy accelerator will make is
    not known.
    """

    legal: bool
    """Whether the frame waits and the accelerator is idle."""
    wait_ns: int
    """Time until the accelerator is idle, as expected now."""
    switch_ns: int
    switch_pj: int
    latency_ns: int
    """Latency of the layers there, without the switch."""
    energy_pj: int
    """Energy of the layers there, without the switch."""
    latency_preference: float
    """Of the next layer alone: mean latency over the accelerators / latency there."""
    energy_preference: float
    """Of the next layer alone: (mean energy - energy of the switch / accelerators) / energy there.

    These two, times the number of accelerators, are MapScore's (`dream.scoring`).
    """


@inlined
def look_at_pair(problem: Problem, state: State, slot: int, accelerator: int, layers: int) -> Pair:
    """Describe what dispatching a frame to an accelerator would do.

    Args:
        problem: The problem.
        state: The state.
        slot: Slot of the frame; where it executes, its next layer is the first of what it runs.
        accelerator: The accelerator, idle or busy.
        layers: How many layers the dispatch takes.
    """
    first, accelerators = state.slots[slot].layer, len(state.accelerators)
    sums, cost = problem.layers[first], problem.costs[first, accelerator]
    latency_ns, energy_pj = 0, 0
    for layer in range(first, first + layers):
        latency_ns += problem.costs[layer, accelerator].latency_ns
        energy_pj += problem.costs[layer, accelerator].energy_pj
    busy_until_ns = state.accelerators[accelerator].busy_until_ns
    legal, wait_ns, moved_bytes = False, 0, 0
    if busy_until_ns != NEVER:
        wait_ns = busy_until_ns - state.run[0].now_ns
    elif state.slots[slot].executing == 0:
        legal = True
        moved_bytes = switch_bytes(problem, state, slot, accelerator)
    move_pj = switch_energy_pj(problem, moved_bytes)
    return Pair(
        legal=legal,
        wait_ns=wait_ns,
        switch_ns=switch_ns(problem, moved_bytes),
        switch_pj=move_pj,
        latency_ns=latency_ns,
        energy_pj=energy_pj,
        latency_preference=sums.total_latency_ns / (accelerators * cost.latency_ns),
        energy_preference=(sums.total_energy_pj - move_pj) / (accelerators * cost.energy_pj),
    )
