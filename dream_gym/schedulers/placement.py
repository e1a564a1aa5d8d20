"""Where a frame's next layer goes, for schedulers that only order the frames."""

from __future__ import annotations

from typing import Literal

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.builtin import Options
from dream_gym.simulator import NEVER, NONE, Problem, State

PLACEMENT = 0
IDLE, EFT = range(2)


class IdlePlacement(Options):
    """Options of a scheduler that orders frames; `placement` stays its first parameter.

    Args:
        placement: ``idle`` takes the idle accelerator that is fastest for the layer; ``eft`` takes
            the accelerator, idle or busy, that would finish the layer earliest (when it is
            expected to be free + latency, context switches left out), and where that one is busy
            the frame waits and the next one in order is considered.
    """

    placement: Literal["idle", "eft"] = "idle"


class EftPlacement(Options):
    """The options of `IdlePlacement`, with the other default.

    Args:
        placement: ``idle`` or ``eft``.
    """

    placement: Literal["idle", "eft"] = "eft"


@inlined
def is_idle(state: State, accelerator: int) -> bool:
    """Whether an accelerator can be given a frame."""
    return bool(state.accelerators[accelerator].busy_until_ns == NEVER)


@inlined
def any_idle(state: State) -> bool:
    """Whether an accelerator can be given a frame; where none can, no frame need be looked at."""
    idle = 0
    for accelerator in range(len(state.accelerators)):
        idle += is_idle(state, accelerator)
    return idle > 0


@inlined
def free_ns(state: State, accelerator: int) -> int:
    """When an accelerator is expected to be free; now where it is idle."""
    if is_idle(state, accelerator):
        return int(state.run[0].now_ns)
    return int(state.accelerators[accelerator].busy_until_ns)


@inlined
def fastest_idle(problem: Problem, state: State, layer: int) -> int:
    """The idle accelerator with the least latency for a layer, or `NONE` if all are busy."""
    best = NONE
    for accelerator in range(len(state.accelerators)):
        if is_idle(state, accelerator) and (
            best == NONE
            or problem.costs[layer, accelerator].latency_ns < problem.costs[layer, best].latency_ns
        ):
            best = accelerator
    return best


@inlined
def earliest_finish(problem: Problem, state: State, layer: int) -> int:
    """The accelerator, idle or busy, that would finish a layer earliest."""
    best, best_ns = NONE, 0
    for accelerator in range(len(state.accelerators)):
        end_ns = free_ns(state, accelerator) + problem.costs[layer, accelerator].latency_ns
        if best == NONE or end_ns < best_ns:
            best, best_ns = accelerator, end_ns
    return best


@compiled
def place(problem: Problem, state: State, layer: int, rule: int) -> int:
    """The idle accelerator that a layer takes by a rule, or `NONE` where it waits."""
    if rule == IDLE:
        return fastest_idle(problem, state, layer)
    accelerator = earliest_finish(problem, state, layer)
    return accelerator if is_idle(state, accelerator) else NONE
