"""VELTAIR: blocks of layers, longer under load, first come first served.

After "VELTAIR: Towards High-Performance Multi-tenant Deep Learning Services via Adaptive
Compilation and Scheduling" (ASPLOS 2022) and its public code; adapted for layer-granular dispatch
on fixed heterogeneous accelerators. A frame's next block ends with the layer at which its mean
latency reaches a threshold, or at a fork of a dynamic network; it does not stop inside. The
threshold is

    (deadline - release) / blocks × frames in the system / accelerators

so that a system at rest is scheduled by the layer, and one under load in long blocks, which
conflict less; the public code has blocks of 20 layers, whatever the load. A block is due when its
frame should have run it if alpha × the time from release to deadline is shared out by mean latency
(instead of MACs, which say little on unlike accelerators). The oldest frame goes first. Among the
idle accelerators that would end its block by then, the block takes the smallest, read as the one
that needs least energy for it; if there is none, it takes the fastest idle one.
"""

from __future__ import annotations

from pydantic import Field

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.measures import virtual_deadline_ns, window_ns
from dream_gym.schedulers.placement import any_idle, is_idle
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch_block, wait

BLOCKS, ALPHA = range(2)


class VeltairOptions(Options):
    """Options of `veltair`.

    Args:
        blocks: Blocks in the window of a frame when there is one frame per accelerator.
        alpha: Factor on the time until a block is due; below 1, faster accelerators are taken.
    """

    blocks: float = Field(default=20.0, ge=1, le=1000)
    alpha: float = Field(default=1.0, ge=0, le=10)


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the next block of the oldest waiting frame."""
    if not any_idle(state):
        return wait()
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing == 0:
            layers = _block_length(problem, state, slot)
            return dispatch_block(slot, _smallest(problem, state, slot, layers), 0, layers)
    return wait()


@compiled
def _block_length(problem: Problem, state: State, slot: int) -> int:
    """The number of layers of a frame's next block."""
    accelerators = len(state.accelerators)
    share_ns = window_ns(state, slot) / state.parameter[BLOCKS]
    threshold_ns = share_ns * state.run[0].live_count / accelerators
    first = state.slots[slot].layer
    latency_ns, layers = problem.layers[first].total_latency_ns, 1
    while latency_ns / accelerators < threshold_ns and layers < problem.layers[first].run_length:
        latency_ns += problem.layers[first + layers].total_latency_ns
        layers += 1
    return layers


@compiled
def _smallest(problem: Problem, state: State, slot: int, layers: int) -> int:
    """The idle accelerator for a block."""
    first = state.slots[slot].layer
    born_ns = state.slots[slot].deadline_ns - window_ns(state, slot)
    share_ns = virtual_deadline_ns(problem, state, slot, first + layers - 1) - born_ns
    due_ns = born_ns + state.parameter[ALPHA] * share_ns
    best, best_in_time, best_cost = NONE, False, 0
    for accelerator in range(len(state.accelerators)):
        if not is_idle(state, accelerator):
            continue
        latency_ns, energy_pj = 0, 0
        for layer in range(first, first + layers):
            latency_ns += problem.costs[layer, accelerator].latency_ns
            energy_pj += problem.costs[layer, accelerator].energy_pj
        in_time = state.run[0].now_ns + latency_ns <= due_ns
        cost = energy_pj if in_time else latency_ns
        if best == NONE or in_time > best_in_time or (in_time == best_in_time and cost < best_cost):
            best, best_in_time, best_cost = accelerator, in_time, cost
    return best


VELTAIR = BuiltinScheduler(
    "veltair", decide, VeltairOptions, family="rival", label="VELTAIR: blocks of layers"
)
