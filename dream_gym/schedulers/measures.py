"""Measures that several schedulers share: of a waiting frame, and of models before a run."""

from __future__ import annotations

from fractions import Fraction

from dream_gym.compiling.jit import inlined
from dream_gym.simulator import Problem, State
from dream_gym.units import NS_PER_S


@inlined
def isolated_ns(problem: Problem, state: State, slot: int) -> int:
    """Time of a frame alone on the platform: all its layers, each where it is fastest."""
    first = problem.networks[state.slots[slot].network].first_layer
    return int(problem.layers[first].least_remaining_ns)


@inlined
def window_ns(state: State, slot: int) -> int:
    """Time from a frame's release to its deadline; 0 for a dependent that is born late."""
    return int(max(state.slots[slot].deadline_ns - state.slots[slot].release_ns, 0))


@inlined
def whole_latency_ns(problem: Problem, state: State, slot: int) -> int:
    """Latency of all layers of a frame's network, summed over all accelerators."""
    first = problem.networks[state.slots[slot].network].first_layer
    return int(problem.layers[first].remaining_latency_ns)


@inlined
def latency_after_ns(problem: Problem, layer: int) -> int:
    """Latency of all layers of the network behind a layer, summed over all accelerators."""
    sums = problem.layers[layer]
    return int(sums.remaining_latency_ns - sums.total_latency_ns)


@inlined
def virtual_deadline_ns(problem: Problem, state: State, slot: int, last: int) -> float:
    """When a frame should have run a layer, if its window is shared out by mean latency."""
    behind = latency_after_ns(problem, last) / whole_latency_ns(problem, state, slot)
    return float(state.slots[slot].deadline_ns - window_ns(state, slot) * behind)


def highest_rates(problem: Problem) -> list[Fraction]:
    """Frames per second of each model, in the phase where it has most."""
    rates = [Fraction(0)] * len(problem.models)
    for stream in problem.streams:
        period_ns = int(stream.period_quotient_ns) + Fraction(
            int(stream.period_remainder), int(stream.period_divisor)
        )
        rates[stream.model] = max(rates[stream.model], NS_PER_S / period_ns)
    return rates
