"""What keeps the engine's int64 numbers from wrapping: limits that a problem and a run must meet.

The engine adds and multiplies without looking. All that it can come to is bounded here, in
Python's integers and before a run, by limits on one frame and on how many frames there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.exact import least_fraction
from dream_gym.simulator.problem import FAR_NS, NONE, Problem
from dream_gym.workload import Network

MAX_SECONDS = 100_000.0
"""The longest run."""
MAX_NS = 2**53
"""Times stay below 104 days, so that they are exact as float64 too."""
MAX_FRAME = 2**53
"""Most ns, pJ and bytes of a frame, all of its switches included."""
_MAX_CONTENDED = 2**42
"""Contention counts in 2^-20 ns and 2^-20 bytes per ns: this and the next keep it in 62 bits."""
_MAX_SLOWDOWN = 2**15
_INT64 = 2**63


def switch_ns_per_byte(problem: Problem, platform: Platform) -> Fraction:
    """Time of a context switch for each byte; exact, for as many bytes as one may move.

    Raises:
        ConfigError: A context switch may take too long, or its time needs too many digits.
    """
    most_bytes, bandwidth = _most_switch_bytes(problem), platform.dram_bandwidth_gb_s
    ns_per_byte = 1 / bandwidth
    if not _fits(ns_per_byte, most_bytes):
        ns_per_byte = least_fraction(ns_per_byte, most_bytes)
    if most_bytes * ns_per_byte > MAX_FRAME or not _fits(ns_per_byte, most_bytes):
        raise ConfigError(
            f"{platform.name}: dram_bandwidth_gb_s: {float(bandwidth):g} is too small, or has too "
            f"many digits, for a context switch of {most_bytes} bytes"
        )
    return ns_per_byte


def _fits(ns_per_byte: Fraction, most_bytes: int) -> bool:
    """Whether the engine can multiply it, see `dispatching.switch_ns`."""
    return most_bytes * ns_per_byte.numerator + ns_per_byte.denominator < _INT64


def _most_switch_bytes(problem: Problem) -> int:
    return int(problem.layers["input_bytes"].max()) + int(problem.layers["output_bytes"].max())


def _most_switch_ns(problem: Problem) -> int:
    setting = problem.setting[0]
    moved = _most_switch_bytes(problem) * int(setting.bandwidth_denominator)
    return -(-moved // int(setting.bandwidth_numerator))


def check_frames(problem: Problem, networks: Sequence[Network], platform: Platform) -> None:
    """Raise `ConfigError` where a frame of a network may need more than `MAX_FRAME`."""
    for amounts, unit in ((_most_ns(problem), "ns"), (_most_energy_pj(problem), "pJ")):
        worst = int(np.argmax(amounts))
        if amounts[worst] > MAX_FRAME:
            raise ConfigError(
                f"{platform.name}: costs: a frame of {networks[worst].name}, with a context switch "
                f"before each layer, may need {amounts[worst]:.1e} {unit}, which is more than 2^53"
            )


def _most_ns(problem: Problem) -> Floats:
    """[network] time of a frame that is moved to its slowest accelerator for each layer."""
    return _sum_up(problem, "latency_ns", _most_switch_ns(problem))


def _most_energy_pj(problem: Problem) -> Floats:
    """[network] energy of a frame that is moved to its hungriest accelerator for each layer."""
    move_pj = _most_switch_bytes(problem) * int(problem.setting[0].dram_pj_per_byte)
    return _sum_up(problem, "energy_pj", move_pj)


def _sum_up(problem: Problem, cost: str, move: int) -> Floats:
    """[network] sum over the layers of the largest cost and a switch; it may be huge."""
    largest = problem.costs[cost].max(axis=1).astype(np.float64) + float(move)
    return np.add.reduceat(largest, problem.networks["first_layer"])


def most_frames(problem: Problem) -> Ints:
    """[model] of how many frames the energies can be added up.

    It leaves room for twice their worst case: a frame that completes late may be charged both its
    own energy and the worst case, see `windows.window_uxcost`.
    """
    first = problem.models["first_network"]
    most_pj = np.maximum.reduceat(_most_energy_pj(problem), first)
    return (2.0**61 / most_pj).astype(np.int64)


def longest_ns(problem: Problem) -> int:
    """The longest run whose frames have times that do not wrap, see `worlds.nominal_ns`."""
    streams = problem.streams
    return int((streams["period_quotient_ns"] / streams["period_divisor"] * 2.0**62).min())


def first_due_ns(problem: Problem) -> int:
    """The first deadline of a root that exists, `FAR_NS` if there is none.

    No other frame is part of a shorter run: a dependent exists only if its root does.
    """
    first_ns = FAR_NS
    for stream in problem.streams[problem.streams["parent"] == NONE]:
        roots_ns: list[int] = [int(stream.first_ns)] if stream.frames > 0 else []
        if stream.recorded_first != NONE:
            rows = problem.recorded[stream.recorded_first :][: stream.recorded_frames]
            roots_ns = rows["nominal_ns"][rows["triggered"] > 0][:1].tolist()
        first_ns = min([first_ns, *(root_ns + int(stream.deadline_ns) for root_ns in roots_ns)])
    return first_ns


def check_contention(problem: Problem, platform: Platform) -> None:
    """Raise `ConfigError` where numbers of `bandwidth` may wrap."""
    supply, move_ns = int(problem.setting[0].supply), _most_switch_ns(problem)
    for network in problem.networks:
        layers = slice(network.first_layer, network.last_layer + 1)
        frame_ns = sum(problem.costs["latency_ns"][layers].max(axis=1).tolist())
        if max(frame_ns, move_ns) > _MAX_CONTENDED:
            raise ConfigError(
                f"{platform.name}: contention: a frame of an hour is too long to share bandwidth"
            )
        moved_bytes = sum(problem.layers["dram_bytes"][layers].tolist())
        if max(moved_bytes, _most_switch_bytes(problem)) > _MAX_CONTENDED:
            raise ConfigError(
                f"{platform.name}: contention: a frame of 4 TB is too large to share bandwidth"
            )
    demand = problem.layers["dram_bytes"][:, None] / problem.costs["latency_ns"] * 2**20
    if supply == 0 or demand.max() * len(platform.accelerators) > _MAX_SLOWDOWN * supply:
        raise ConfigError(
            f"{platform.name}: dram_bandwidth_gb_s: with contention, it would slow layers down "
            f"more than {_MAX_SLOWDOWN} times"
        )
