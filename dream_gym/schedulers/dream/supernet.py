"""Supernet switching: which variant a frame runs, chosen at its first dispatch."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled
from dream_gym.simulator import NEVER, Problem, State

SUPERNET_MARGIN = 1.0
"""In DREAM, the expected time to finish itself has to fit into the slack."""


@compiled
def choose_variant(problem: Problem, state: State, slot: int, margin: float) -> int:
    """The heaviest variant that is expected to meet the slack, else the lightest.

    A variant is expected to finish after the mean ToGo of waiting frames with earlier deadlines
    and the remaining time of running layers, shared by all accelerators, and then its own mean
    ToGo. It meets the slack if that time, times the margin, is not longer.
    """
    frame, now_ns = state.slots[slot], state.run[0].now_ns
    networks, accelerators = problem.models[frame.model].networks, len(state.accelerators)
    if networks == 1:
        return 0
    ahead_ns = 0.0
    for at in range(state.run[0].live_count):
        other = state.slots[state.live[at]]
        if other.executing == 0 and other.deadline_ns < frame.deadline_ns:
            ahead_ns += problem.layers[other.layer].remaining_latency_ns / accelerators
    for index in range(accelerators):
        if state.accelerators[index].busy_until_ns != NEVER:
            ahead_ns += state.accelerators[index].busy_until_ns - now_ns
    slack_ns = frame.deadline_ns - now_ns
    for variant in range(networks):
        network = problem.models[frame.model].first_network + variant
        first = problem.networks[network].first_layer
        own_ns = problem.layers[first].remaining_latency_ns / accelerators
        if (ahead_ns / accelerators + own_ns) * margin <= slack_ns:
            return variant
    return int(networks - 1)
