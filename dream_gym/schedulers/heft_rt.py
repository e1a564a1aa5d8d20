"""HEFT at run time: the frame with most work left first, where its layer ends earliest.

After the hardware HEFT scheduler for heterogeneous SoCs (2022): at each decision, HEFT runs over
the ready queue. The upward rank of a layer is its mean latency and that of all behind it
(transfers left out). In order of falling rank, each frame's next layer is mapped to the
accelerator that would finish it earliest, given what runs there and what was mapped there before;
it starts if that accelerator is idle. Deadlines play no part.
"""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.placement import any_idle, free_ns, is_idle
from dream_gym.simulator import NEVER, NONE, Decision, Problem, State, dispatch, wait


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Map the queue until a layer is mapped to an idle accelerator, and dispatch that layer.

    The memory of the run holds when each accelerator would be free.
    """
    if not any_idle(state):
        return wait()
    for accelerator in range(len(state.accelerators)):
        state.memory[accelerator] = free_ns(state, accelerator)
    rank, at = NEVER, NONE
    while True:
        rank, at = _next_in_rank(problem, state, rank, at)
        if at == NONE:
            return wait()
        slot = state.live[at]
        layer = state.slots[slot].layer
        best, best_ns = NONE, 0.0
        for accelerator in range(len(state.accelerators)):
            end_ns = state.memory[accelerator] + problem.costs[layer, accelerator].latency_ns
            if best == NONE or end_ns < best_ns:
                best, best_ns = accelerator, end_ns
        if is_idle(state, best):
            return dispatch(slot, best)
        state.memory[best] = best_ns


@inlined
def _next_in_rank(problem: Problem, state: State, rank: int, at: int) -> tuple[int, int]:
    """The waiting frame behind the one of a rank and place, as its rank and place."""
    next_rank, next_at = 0, NONE
    for place in range(state.run[0].live_count):
        slot = state.live[place]
        own = problem.layers[state.slots[slot].layer].remaining_latency_ns
        behind = own < rank or (own == rank and place > at)
        if state.slots[slot].executing == 0 and behind and (next_at == NONE or own > next_rank):
            next_rank, next_at = own, place
    return next_rank, next_at


HEFT_RT = BuiltinScheduler("heft_rt", decide, family="rival", label="HEFT at run time")
