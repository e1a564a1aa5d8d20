"""Where a frame's next layer goes, for schedulers that only order the frames."""

from __future__ import annotations

from dream_gym.jit import inlined
from dream_gym.simulator import NEVER, NONE, Problem, State


@inlined
def fastest_idle(problem: Problem, state: State, layer: int) -> int:
    """The idle accelerator with the least latency for a layer, or `NONE` if all are busy."""
    best = NONE
    for accelerator in range(len(state.accelerators)):
        if state.accelerators[accelerator].busy_until_ns == NEVER and (
            best == NONE
            or problem.costs[layer, accelerator].latency_ns < problem.costs[layer, best].latency_ns
        ):
            best = accelerator
    return best
