"""Contention: dispatches that run at the same time share the bandwidth of the off-chip link.

Each asks for bytes / isolated time. Where the sum is beyond the supply, all are slowed in
proportion. Times are kept in 2^-20 ns and bandwidths in 2^-20 bytes per ns, as integers.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import Problem
from dream_gym.simulator.state import NEVER, State

UNIT_BITS = 20


@compiled
def multiply_divide(a: int, b: int, c: int) -> tuple[int, int]:
    """Quotient and remainder of a·b / c, which need more than 64 bits on the way.

    Args:
        a: In [0, 2^63).
        b: In [0, 2^63).
        c: In [1, 2^61); the quotient must be below 2^63.
    """
    quotient, factor = 0, a % c
    remainder = 0
    for bit in range(62, -1, -1):
        quotient *= 2
        remainder *= 2
        if (b >> bit) & 1:
            remainder += factor
        while remainder >= c:
            remainder -= c
            quotient += 1
    return quotient + a // c * b, remainder


@compiled
def bring_up_to_date(problem: Problem, state: State) -> None:
    """Take from what runs the isolated time that it has done since the demand last changed."""
    elapsed_ns = state.run[0].now_ns - state.run[0].shared_ns
    state.run[0].shared_ns = state.run[0].now_ns
    if elapsed_ns == 0 or state.run[0].sharing == 0:
        return
    supply = problem.setting[0].supply
    done, _ = multiply_divide(elapsed_ns, supply << UNIT_BITS, max(supply, state.run[0].demand))
    for index in range(len(state.accelerators)):
        accelerator = state.accelerators[index]
        if accelerator.busy_until_ns != NEVER and accelerator.started:
            accelerator.remaining = max(accelerator.remaining - done, 0)


@compiled
def share(problem: Problem, state: State, timeline: Ints) -> None:
    """Start what is to start now, and expect the ends of all that runs under the demand of now."""
    now_ns, supply = state.run[0].now_ns, problem.setting[0].supply
    sharing, demand = 0, 0
    for index in range(len(state.accelerators)):
        accelerator = state.accelerators[index]
        if accelerator.busy_until_ns != NEVER and accelerator.start_ns <= now_ns:
            accelerator.started = 1
            sharing += 1
            demand += accelerator.demand
    state.run[0].sharing = sharing
    state.run[0].demand = demand
    for index in range(len(state.accelerators)):
        accelerator = state.accelerators[index]
        if accelerator.busy_until_ns != NEVER and accelerator.started:
            ahead_ns, rest = multiply_divide(
                accelerator.remaining, max(supply, demand), supply << UNIT_BITS
            )
            accelerator.busy_until_ns = now_ns + ahead_ns + (rest > 0)
            if len(timeline) > 0:
                timeline[accelerator.timeline_row, 1] = accelerator.busy_until_ns


@inlined
def next_start_ns(state: State) -> int:
    """When the next dispatch that waits for its decision starts, or `NEVER`."""
    start_ns = NEVER
    for index in range(len(state.accelerators)):
        accelerator = state.accelerators[index]
        if accelerator.busy_until_ns != NEVER and accelerator.started == 0:
            start_ns = min(start_ns, accelerator.start_ns)
    return start_ns
