"""Blocks: how many layers of a frame a dispatch takes at once."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.simulator import Problem


@inlined
def layers_within(
    problem: Problem, layer: int, accelerator: int, most_ns: float, most_total_ns: float
) -> int:
    """How many layers a block takes from one on: one at least, and none behind a fork of the path.

    Args:
        problem: The problem.
        layer: The first layer.
        accelerator: Where the block runs.
        most_ns: The most time that its layers take there.
        most_total_ns: The most that their latencies, summed over all accelerators, come to.
    """
    end = layer + problem.layers[layer].run_length
    own_ns = problem.costs[layer, accelerator].latency_ns
    total_ns = problem.layers[layer].total_latency_ns
    stop = layer + 1
    while stop < end:
        own_ns += problem.costs[stop, accelerator].latency_ns
        total_ns += problem.layers[stop].total_latency_ns
        if own_ns > most_ns or total_ns > most_total_ns:
            break
        stop += 1
    return int(stop - layer)
