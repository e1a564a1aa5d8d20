"""Laying a scenario and a platform out as the arrays of a problem."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, cost_table, dram_bytes
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.problem import (
    ACCURACY_UNITS,
    FAR_NS,
    NONE,
    NS_PER_S,
    PROBLEM,
    Problem,
    view_problem,
)
from dream_gym.workload import ModelSpec, Network, RecordedFrames, Scenario, read_recording
from dream_gym.workload.chance import probability_threshold

_MAX_PERIODS_IN_DEADLINE = 10_000
_MAX_NS = 2**53
"""Times stay below 104 days, so that they are exact as float64 too."""
_MAX_DECISION_NS = NS_PER_S
_MAX_CONTENDED_NS = 2**42
_MAX_SLOWDOWN = 2**15
"""Contention counts in 2^-20 ns: these two keep its times within 62 bits."""


@dataclass(frozen=True)
class _Stream:
    """What one model does in one phase."""

    model: int
    phase: int
    spec: ModelSpec
    rate: Fraction
    origin: str


def build_problem(
    scenario: Scenario,
    platform: Platform,
    *,
    load: float | Fraction = 1.0,
    expiry: str | None = None,
    energy_norm: str = "charged",
    contention: bool | None = None,
    decision_ns: int = 0,
) -> Ints:
    """Lay a scenario and a platform out for the engine.

    Args:
        scenario: The workload.
        platform: The hardware.
        load: Factor on every rate, and so on default deadlines; taken to the nearest fraction
            with a denominator of at most 1000.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
        energy_norm: ``charged`` or ``literal``, see `accounting.uxcost`.
        contention: Whether dispatches share the off-chip bandwidth; by default what the platform
            says.
        decision_ns: Time that the scheduler needs for each dispatch, in [0, 10^9].

    Returns:
        The problem's arena, read-only; `view_problem` cuts it into a `Problem`.

    Raises:
        ConfigError: An option is out of range, or a rate at this load is too large or too fine.
    """
    factor = _load_factor(load)
    if expiry not in (None, "soft", "firm"):
        raise ConfigError(f"expiry: expected soft or firm, got {expiry!r}")
    if energy_norm not in ("charged", "literal"):
        raise ConfigError(f"energy_norm: expected charged or literal, got {energy_norm!r}")
    if not 0 <= decision_ns <= _MAX_DECISION_NS:
        raise ConfigError(f"decision_ns: expected 0 to {_MAX_DECISION_NS}, got {decision_ns}")
    streams = _list_streams(scenario, factor)
    networks = [network for own in scenario.networks for network in own.family]
    recording = _read_recording(scenario, factor)
    arena = PROBLEM.allocate(
        models_count=len(scenario.networks),
        streams_count=len(streams),
        networks_count=len(networks),
        layers_count=sum(len(network.layers) for network in networks),
        accelerators_count=len(platform.accelerators),
        recorded_count=sum(len(frames.triggered) for frames in recording.values()),
        phases_count=len(scenario.parts),
    )
    problem = view_problem(arena)
    setting = problem.setting[0]
    setting.firm = (expiry or scenario.expiry) == "firm"
    setting.literal_energy = energy_norm == "literal"
    setting.decision_ns = decision_ns
    setting.contention = platform.contention if contention is None else contention
    bandwidth = platform.dram_bandwidth_gb_s
    setting.supply = math.floor(bandwidth * 2**20)
    setting.bandwidth_numerator = bandwidth.numerator
    setting.bandwidth_denominator = bandwidth.denominator
    setting.dram_pj_per_byte = platform.dram_energy_pj_per_byte
    problem.phase_starts_ns[:] = [part.start_ns for part in scenario.parts]
    _fill_models(problem, scenario, platform)
    recorded = _fill_recording(problem, scenario, recording)
    _fill_rates(problem, streams)
    _fill_dependencies(problem, streams)
    _fill_frames(problem, streams, recorded)
    if setting.contention:
        _check_contention(problem, platform)
    arena.flags.writeable = False
    return arena


def _load_factor(load: float | Fraction) -> Fraction:
    if not 0 < load <= 1000:
        raise ConfigError(f"load: expected a number in (0, 1000], got {load!r}")
    factor = Fraction(load).limit_denominator(1000)
    if factor == 0:
        raise ConfigError(f"load: {load!r} is too small; the least is 0.001")
    return factor


def _list_streams(scenario: Scenario, factor: Fraction) -> list[_Stream]:
    """The streams, by model and then by phase."""
    position = {name: index for index, name in enumerate(scenario.model_names)}
    streams = []
    for phase, part in enumerate(scenario.parts):
        for index, spec in enumerate(part.models):
            where = f"models.{index}" if not scenario.phases else f"phases.{phase}: {spec.name}"
            rate = spec.rate * factor * part.load
            streams.append(
                _Stream(position[spec.name], phase, spec, rate, f"{scenario.name}: {where}")
            )
    return sorted(streams, key=lambda stream: (stream.model, stream.phase))


def _fill_rates(problem: Problem, streams: list[_Stream]) -> None:
    for row, stream in zip(problem.streams, streams, strict=True):
        spec, rate, origin = stream.spec, stream.rate, stream.origin
        period = NS_PER_S / rate
        if period < 1000:
            raise ConfigError(
                f"{origin}.rate: {float(rate):g} frames per second at this load; the period must "
                "be at least 1 µs"
            )
        if period > _MAX_NS or period.denominator > 2**31:
            raise ConfigError(
                f"{origin}.rate: {rate} at this load has no usable period; write the rate with "
                "fewer digits"
            )
        row.model, row.phase = stream.model, stream.phase
        row.period_quotient_ns = period.numerator // period.denominator
        row.period_remainder = period.numerator % period.denominator
        row.period_divisor = period.denominator
        row.first_ns = problem.phase_starts_ns[stream.phase] + round(spec.phase_ms * 1e6)
        row.jitter_ns = round(spec.jitter_ms * 1e6)
        if spec.depends_on is None and row.jitter_ns >= period:
            raise ConfigError(
                f"{origin}.jitter_ms: {spec.jitter_ms:g} is not below the period at this load, "
                f"{float(period) / 1e6:g} ms"
            )
        explicit = spec.deadline_ms
        row.deadline_ns = int(period) if explicit is None else round(explicit * 1e6)
        if row.deadline_ns > _MAX_PERIODS_IN_DEADLINE * period:
            raise ConfigError(
                f"{origin}.deadline_ms: {explicit:g} is more than {_MAX_PERIODS_IN_DEADLINE} "
                "periods at this load"
            )


def _fill_dependencies(problem: Problem, streams: list[_Stream]) -> None:
    position = {(item.phase, item.spec.name): at for at, item in enumerate(streams)}
    problem.streams["parent"] = NONE
    for row, stream in zip(problem.streams, streams, strict=True):
        link = stream.spec.depends_on
        if link is not None:
            row.parent = position[stream.phase, link.model]
            row.parent_ratio = int(streams[row.parent].rate / stream.rate)
            row.trigger_threshold = probability_threshold(link.probability)
    for index, row in enumerate(problem.streams):
        ratio, ancestor = 1, index
        while problem.streams[ancestor].parent != NONE:
            ratio *= int(problem.streams[ancestor].parent_ratio)
            ancestor = problem.streams[ancestor].parent
            problem.descent[ancestor, index] = ratio
        row.root, row.root_ratio = ancestor, ratio
        row.first_ns = problem.streams[ancestor].first_ns


def _fill_frames(problem: Problem, streams: list[_Stream], recorded: Mapping[int, slice]) -> None:
    """Count the frames that each phase has room for, and number those of a model throughout."""
    ends_ns = [*problem.phase_starts_ns[1:].tolist(), FAR_NS]
    for row, stream in zip(problem.streams, streams, strict=True):
        if row.parent == NONE:
            room_ns = max(ends_ns[stream.phase] - int(row.first_ns), 0)
            row.frames = min(math.ceil(room_ns * stream.rate / NS_PER_S), FAR_NS)
    used = [0] * len(problem.models)
    for row in problem.streams:
        roots = int(problem.streams[row.root].frames)
        row.frames = -(-roots // int(row.root_ratio))
        row.first_frame = used[row.model]
        used[row.model] += int(row.frames)
        row.recorded_first = NONE
        if row.model in recorded:
            span = recorded[row.model]
            row.recorded_first = span.start + row.first_frame
            row.recorded_frames = max(min(int(row.frames), span.stop - row.recorded_first), 0)
    for row in problem.streams:
        root = problem.streams[row.root]
        if root.recorded_first != NONE:
            row.frames = -(-int(root.recorded_frames) // int(row.root_ratio))


def _read_recording(scenario: Scenario, factor: Fraction) -> dict[str, RecordedFrames]:
    if scenario.recording is None:
        return {}
    if factor != 1:
        raise ConfigError(f"load: a recorded scenario runs at load 1, got {float(factor):g}")
    recording = read_recording(scenario.recording)
    for name in recording:
        if name not in scenario.model_names:
            raise ConfigError(f"{scenario.recording}: model: {name!r} is not in {scenario.name}")
    return recording


def _fill_recording(
    problem: Problem, scenario: Scenario, recording: dict[str, RecordedFrames]
) -> dict[int, slice]:
    """Where the recorded frames of each model lie."""
    start = 0
    spans = {}
    for model, name in enumerate(scenario.model_names):
        if name in recording:
            frames = recording[name]
            span = slice(start, start + len(frames.triggered))
            problem.recorded["nominal_ns"][span] = frames.nominal_ns
            problem.recorded["release_ns"][span] = frames.release_ns
            problem.recorded["triggered"][span] = frames.triggered
            spans[model] = span
            start = span.stop
    return spans


def _fill_models(problem: Problem, scenario: Scenario, platform: Platform) -> None:
    network, layer = 0, 0
    for index, (model, spec) in enumerate(zip(problem.models, scenario.all_models, strict=True)):
        family = spec.built_network.family
        model.first_network, model.networks = network, len(family)
        model.backlog_limit = spec.backlog
        worst_pj = cost_table(family[0], platform).energy_pj.max(axis=1)
        model.worst_energy_pj = worst_pj.sum()
        for member in family:
            row = problem.networks[network]
            row.model, row.forks = index, len(member.forks)
            row.first_layer, row.last_layer = layer, layer + len(member.layers) - 1
            _fill_layers(problem, layer, member, platform)
            row.accuracy_loss = _accuracy_loss(family, member)
            row.best_energy_pj = problem.layers["least_energy_pj"][layer : row.last_layer + 1].sum()
            network, layer = network + 1, row.last_layer + 1


def _accuracy_loss(family: tuple[Network, ...], member: Network) -> int:
    """What a network loses of the original's accuracy; 0 unless the whole family states it."""
    original, own = family[0].top1, member.top1
    if not original or own is None or any(other.top1 is None for other in family):
        return 0
    return max(round((1.0 - own / original) * ACCURACY_UNITS), 0)


def _fill_layers(problem: Problem, start: int, network: Network, platform: Platform) -> None:
    layers, table = network.layers, cost_table(network, platform)
    rows = problem.layers[start : start + len(layers)]
    costs = problem.costs[start : start + len(layers)]
    costs["latency_ns"], costs["energy_pj"] = table.latency_ns, table.energy_pj
    rows["total_latency_ns"] = table.latency_ns.sum(axis=1)
    rows["total_energy_pj"] = table.energy_pj.sum(axis=1)
    rows["least_energy_pj"] = table.energy_pj.min(axis=1)
    rows["remaining_latency_ns"] = _sum_to_the_end(rows["total_latency_ns"])
    rows["least_remaining_ns"] = _sum_to_the_end(table.latency_ns.min(axis=1))
    rows["input_bytes"] = [layer.input_elements for layer in layers]
    rows["output_bytes"] = [layer.output_elements for layer in layers]
    rows["dram_bytes"] = [dram_bytes(layer, platform) for layer in layers]
    for index, early_exit in enumerate(network.exits):
        rows["exit_threshold"][early_exit.layer] = probability_threshold(early_exit.probability)
        rows["exit_index"][early_exit.layer] = index
    for index, block in enumerate(network.blocks):
        rows["skip_threshold"][block.first] = probability_threshold(block.probability)
        rows["skip_index"][block.first] = index
        rows["skip_to"][block.first] = start + block.stop
    ends = {early_exit.layer + 1 for early_exit in network.exits}
    ends |= {block.first for block in network.blocks} | {len(layers)}
    for index in range(len(layers)):
        rows["run_length"][index] = min(end for end in ends if end > index) - index


def _sum_to_the_end(values: Ints) -> Ints:
    return np.cumsum(values[::-1])[::-1]


def _check_contention(problem: Problem, platform: Platform) -> None:
    supply = int(problem.setting[0].supply)
    for network in problem.networks:
        layers = slice(network.first_layer, network.last_layer + 1)
        if problem.costs["latency_ns"][layers].max(axis=1).sum() > _MAX_CONTENDED_NS:
            raise ConfigError(
                f"{platform.name}: contention: a frame of an hour is too long to share bandwidth"
            )
    demand = problem.layers["dram_bytes"][:, None] / problem.costs["latency_ns"] * 2**20
    if supply == 0 or demand.max() * len(platform.accelerators) > _MAX_SLOWDOWN * supply:
        raise ConfigError(
            f"{platform.name}: dram_bandwidth_gb_s: with contention, it would slow layers down "
            f"more than {_MAX_SLOWDOWN} times"
        )
