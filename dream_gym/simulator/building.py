"""Laying a scenario and a platform out as the arrays of a problem."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dream_gym.arguments import (
    checked_choice,
    checked_flag,
    checked_integer,
    exact_number,
    whole_ns,
)
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, cost_table, dram_bytes
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.exact import greatest_fraction
from dream_gym.simulator.limits import (
    MAX_FRAME,
    MAX_NS,
    MAX_SECONDS,
    check_contention,
    check_frames,
    switch_ns_per_byte,
)
from dream_gym.simulator.problem import ACCURACY_UNITS, FAR_NS, NONE, PROBLEM, Problem, view_problem
from dream_gym.units import NS_PER_MS, NS_PER_S
from dream_gym.workload import Layer, ModelSpec, Network, RecordedFrames, Scenario, read_recording
from dream_gym.workload.chance import probability_threshold

_MAX_PERIODS_IN_DEADLINE = 10_000
_MAX_DECISION_NS = NS_PER_S
_MAX_DIVISOR = 2**31
"""Of the fraction of a period, so that its product with a frame's index does not wrap."""


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
        load: Factor on every rate, and so on default deadlines, from 0.001 to 1000; exactly as
            it is written.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
        energy_norm: ``charged`` or ``literal``, see `accounting.uxcost`.
        contention: Whether dispatches share the off-chip bandwidth; by default what the platform
            says.
        decision_ns: Time that the scheduler needs for each dispatch, in [0, 10^9].

    Returns:
        The problem's arena, read-only; `view_problem` cuts it into a `Problem`.

    Raises:
        ConfigError: An option is out of range, a rate at this load is too large or too small, or a
            time is no whole number of nanoseconds; or something is so large that the engine's
            int64 numbers could wrap.
    """
    factor = _load_factor(load)
    if expiry is not None:
        checked_choice("expiry", expiry, ("soft", "firm"))
    checked_choice("energy_norm", energy_norm, ("charged", "literal"))
    if contention is not None:
        checked_flag("contention", contention)
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
    setting.decision_ns = checked_integer("decision_ns", decision_ns, 0, _MAX_DECISION_NS)
    setting.contention = platform.contention if contention is None else contention
    setting.supply = math.floor(platform.dram_bandwidth_gb_s * 2**20)
    setting.dram_pj_per_byte = platform.dram_energy_pj_per_byte
    problem.phase_starts_ns[:] = [part.start_ns for part in scenario.parts]
    _fill_models(problem, scenario, platform)
    ns_per_byte = switch_ns_per_byte(problem, platform)
    setting.bandwidth_numerator = ns_per_byte.denominator
    setting.bandwidth_denominator = ns_per_byte.numerator
    check_frames(problem, networks, platform)
    recorded = _fill_recording(problem, scenario, recording)
    _fill_rates(problem, streams)
    _fill_dependencies(problem, streams)
    _fill_frames(problem, streams, recorded)
    if setting.contention:
        check_contention(problem, platform)
    arena.flags.writeable = False
    return arena


def _load_factor(load: float | Fraction) -> Fraction:
    expected = "a number from 0.001 to 1000"
    factor = exact_number("load", load, expected)
    if not Fraction(1, 1000) <= factor <= 1000:
        raise ConfigError(f"load: expected {expected}, got {load!r}")
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
        if period > MAX_NS:
            raise ConfigError(
                f"{origin}.rate: {float(rate):g} frames per second at this load; the period must "
                f"be at most {MAX_NS // NS_PER_S} s"
            )
        row.model, row.phase = stream.model, stream.phase
        drawn = _short_period(period, origin)
        row.period_quotient_ns = drawn.numerator // drawn.denominator
        row.period_remainder = drawn.numerator % drawn.denominator
        row.period_divisor = drawn.denominator
        phase_ns = whole_ns(f"{origin}.phase_ms", spec.phase_ms, NS_PER_MS)
        row.first_ns = problem.phase_starts_ns[stream.phase] + phase_ns
        row.jitter_ns = whole_ns(f"{origin}.jitter_ms", spec.jitter_ms, NS_PER_MS)
        if spec.depends_on is None and row.jitter_ns >= period:
            raise ConfigError(
                f"{origin}.jitter_ms: {spec.jitter_ms:g} is not below the period at this load, "
                f"{float(period) / NS_PER_MS:g} ms"
            )
        explicit = spec.deadline_ms
        row.deadline_ns = int(period)
        if explicit is not None:
            row.deadline_ns = whole_ns(f"{origin}.deadline_ms", explicit, NS_PER_MS)
        if row.deadline_ns > _MAX_PERIODS_IN_DEADLINE * period:
            raise ConfigError(
                f"{origin}.deadline_ms: {explicit:g} is more than {_MAX_PERIODS_IN_DEADLINE} "
                "periods at this load"
            )


def _short_period(period: Fraction, origin: str) -> Fraction:
    """A fraction that puts every frame of a run at the same ns, with a divisor for int64."""
    if period.denominator <= _MAX_DIVISOR:
        return period
    frames = int(2 * MAX_SECONDS * NS_PER_S / period) + 1
    if frames > _MAX_DIVISOR:
        raise ConfigError(
            f"{origin}.rate: {float(NS_PER_S / period):g} frames per second at this load are too "
            "many for a number of so many digits; write rate and load with fewer"
        )
    return greatest_fraction(period, frames)


def _fill_dependencies(problem: Problem, streams: list[_Stream]) -> None:
    position = {(item.phase, item.spec.name): at for at, item in enumerate(streams)}
    problem.streams["parent"] = NONE
    for row, stream in zip(problem.streams, streams, strict=True):
        link = stream.spec.depends_on
        if link is not None:
            row.parent = position[stream.phase, link.model]
            row.parent_ratio = int(streams[row.parent].rate / stream.rate)
            problem.models[problem.streams[row.parent].model].dependents += 1
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
    rows["input_bytes"] = _sizes(layers, [layer.input_elements for layer in layers])
    rows["output_bytes"] = _sizes(layers, [layer.output_elements for layer in layers])
    rows["dram_bytes"] = _sizes(layers, [dram_bytes(layer, platform) for layer in layers])
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


def _sizes(layers: Sequence[Layer], sizes: list[int]) -> list[int]:
    """Sizes of layers in bytes, or an error where one is too large for int64."""
    most = max(sizes)
    if most > MAX_FRAME:
        name = layers[sizes.index(most)].name
        raise ConfigError(f"layer {name!r}: {float(most):.1e} bytes are more than 2^53")
    return sizes


def _sum_to_the_end(values: Ints) -> Ints:
    return np.cumsum(values[::-1])[::-1]
