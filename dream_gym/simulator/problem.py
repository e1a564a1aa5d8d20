"""The problem: one scenario at one load on one platform, as the arrays that the engine reads."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from dream_gym.errors import ConfigError
from dream_gym.hardware import CostTable, Platform, cost_table
from dream_gym.jit import inlined
from dream_gym.simulator.arena import INT, Ints, Layout, Records, record_type
from dream_gym.workload import Layer, RecordedFrames, Scenario, read_recording
from dream_gym.workload.chance import probability_threshold

NS_PER_S = 1_000_000_000
NONE = -1
_MAX_PERIODS_IN_DEADLINE = 10_000
_MAX_NS = 2**53
"""Times stay below 104 days, so that they are exact as float64 too."""


SETTING = record_type(
    firm="1 where a frame that misses its deadline is lost",
    literal_energy="1 where UXCost counts the energy spent only",
    bandwidth_numerator="off-chip bandwidth in bytes per ns",
    bandwidth_denominator="",
    dram_pj_per_byte="energy of off-chip traffic",
)
PROBLEM_MODEL = record_type(
    first_layer="index of the first layer",
    last_layer="index of the last layer",
    period_quotient_ns="the period is quotient + remainder / divisor, exactly",
    period_remainder="",
    period_divisor="",
    phase_ns="nominal time of the first frame; a dependent has that of its root",
    jitter_ns="largest release jitter of a root",
    deadline_ns="relative deadline",
    root="index of the root that it stems from, itself for a root",
    root_ratio="frames of the root per frame of the model",
    recorded_first="index of its first recorded frame",
    recorded_frames="number of its recorded frames, 0 where they are drawn",
    parent="index of the parent, NONE for a root",
    parent_ratio="frames of the parent per frame of the model",
    trigger_threshold="of chance.happens, for dependents",
    backlog_limit="frames that may wait before the oldest is displaced",
    worst_energy_pj="energy of a frame whose every layer runs where it needs most",
    best_energy_pj="energy of a frame whose every layer runs where it needs least",
)
LAYER = record_type(
    total_latency_ns="sum over all accelerators, busy ones too",
    total_energy_pj="sum over all accelerators",
    remaining_latency_ns="total_latency_ns of this and all later layers of the model",
    input_bytes="what a context switch brings in",
    output_bytes="what a context switch takes out",
)
COST = record_type(
    latency_ns="latency of the layer on the accelerator",
    energy_pj="energy of the layer on the accelerator",
)


RECORDED = record_type(
    nominal_ns="nominal time of a root frame",
    release_ns="release of a root frame",
    triggered="1 where the frame exists, given that its parent does",
)


class Problem(NamedTuple):
    """A scenario at a load on a platform; models, layers and accelerators are indices.

    Layers of all models lie one after the other.
    """

    setting: Records
    """[1] of `SETTING`: constants of the whole problem."""
    models: Records
    """[model] of `PROBLEM_MODEL`."""
    layers: Records
    """[layer] of `LAYER`."""
    costs: Records
    """[layer, accelerator] of `COST`."""
    recorded: Records
    """[recorded frame] of `RECORDED`, model by model."""
    descent: Ints
    """[ancestor, model] frames of the ancestor per frame of the model, 0 where it is none."""


PROBLEM = Layout(
    Problem,
    dimensions=("models_count", "accelerators_count", "layers_count", "recorded_count"),
    tables={
        "setting": (SETTING, (1,)),
        "models": (PROBLEM_MODEL, ("models_count",)),
        "layers": (LAYER, ("layers_count",)),
        "costs": (COST, ("layers_count", "accelerators_count")),
        "recorded": (RECORDED, ("recorded_count",)),
        "descent": (INT, ("models_count", "models_count")),
    },
)
view_problem = PROBLEM.viewer()
view_problem_compiled = inlined(view_problem)
"""The same for compiled code."""


def build_problem(
    scenario: Scenario,
    platform: Platform,
    *,
    load: float | Fraction = 1.0,
    expiry: str | None = None,
    energy_norm: str = "charged",
) -> Ints:
    """Lay a scenario and a platform out for the engine.

    Args:
        scenario: The workload.
        platform: The hardware.
        load: Factor on every rate, and so on default deadlines; taken to the nearest fraction
            with a denominator of at most 1000.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
        energy_norm: ``charged`` or ``literal``, see `accounting.uxcost`.

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
    networks = [model.built_network for model in scenario.models]
    tables = [cost_table(network, platform) for network in networks]
    recording = _read_recording(scenario, factor)
    arena = PROBLEM.allocate(
        models_count=len(scenario.models),
        accelerators_count=len(platform.accelerators),
        layers_count=sum(len(network.layers) for network in networks),
        recorded_count=sum(len(frames.triggered) for frames in recording.values()),
    )
    problem = view_problem(arena)
    bandwidth = platform.dram_bandwidth_gb_s
    setting = problem.setting[0]
    setting.firm = (expiry or scenario.expiry) == "firm"
    setting.literal_energy = energy_norm == "literal"
    setting.bandwidth_numerator = bandwidth.numerator
    setting.bandwidth_denominator = bandwidth.denominator
    setting.dram_pj_per_byte = platform.dram_energy_pj_per_byte
    _fill_rates(problem, scenario, factor)
    _fill_dependencies(problem, scenario)
    _fill_recording(problem, scenario, recording)
    start = 0
    for index, (network, table) in enumerate(zip(networks, tables, strict=True)):
        _fill_layers(problem, index, start, network.layers, table)
        start += len(network.layers)
    arena.flags.writeable = False
    return arena


def _load_factor(load: float | Fraction) -> Fraction:
    if not 0 < load <= 1000:
        raise ConfigError(f"load: expected a number in (0, 1000], got {load!r}")
    factor = Fraction(load).limit_denominator(1000)
    if factor == 0:
        raise ConfigError(f"load: {load!r} is too small; the least is 0.001")
    return factor


def _fill_rates(problem: Problem, scenario: Scenario, factor: Fraction) -> None:
    for index, model in enumerate(scenario.models):
        period = NS_PER_S / (model.rate * factor)
        if period < 1000:
            raise ConfigError(
                f"{scenario.name}: models.{index}.rate: {float(model.rate * factor):g} frames per "
                "second at this load; the period must be at least 1 µs"
            )
        if period > _MAX_NS or period.denominator > 2**31:
            raise ConfigError(
                f"{scenario.name}: models.{index}.rate: {model.rate} at load {factor} has no "
                "usable period; write the rate with fewer digits"
            )
        row = problem.models[index]
        row.period_quotient_ns = period.numerator // period.denominator
        row.period_remainder = period.numerator % period.denominator
        row.period_divisor = period.denominator
        row.phase_ns = round(model.phase_ms * 1e6)
        row.jitter_ns = round(model.jitter_ms * 1e6)
        if model.depends_on is None and row.jitter_ns >= period:
            raise ConfigError(
                f"{scenario.name}: models.{index}.jitter_ms: {model.jitter_ms:g} is not below the "
                f"period at load {float(factor):g}, {float(period) / 1e6:g} ms"
            )
        explicit = model.deadline_ms
        row.deadline_ns = int(period) if explicit is None else round(explicit * 1e6)
        if row.deadline_ns > _MAX_PERIODS_IN_DEADLINE * period:
            raise ConfigError(
                f"{scenario.name}: models.{index}.deadline_ms: {explicit:g} is more than "
                f"{_MAX_PERIODS_IN_DEADLINE} periods at load {float(factor):g}"
            )
        row.backlog_limit = model.backlog


def _fill_dependencies(problem: Problem, scenario: Scenario) -> None:
    position = {name: index for index, name in enumerate(scenario.model_names)}
    problem.models["parent"] = NONE
    for index, model in enumerate(scenario.models):
        if model.depends_on is not None:
            parent = position[model.depends_on.model]
            row = problem.models[index]
            row.parent = parent
            row.parent_ratio = int(scenario.models[parent].rate / model.rate)
            row.trigger_threshold = probability_threshold(model.depends_on.probability)
    for index in range(len(scenario.models)):
        ratio, ancestor = 1, index
        while problem.models[ancestor].parent != NONE:
            ratio *= int(problem.models[ancestor].parent_ratio)
            ancestor = problem.models[ancestor].parent
            problem.descent[ancestor, index] = ratio
        row = problem.models[index]
        row.root, row.root_ratio = ancestor, ratio
        row.phase_ns = problem.models[ancestor].phase_ns


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
) -> None:
    start = 0
    for row, name in zip(problem.models, scenario.model_names, strict=True):
        if name in recording:
            frames = recording[name]
            stop = start + len(frames.triggered)
            row.recorded_first, row.recorded_frames = start, stop - start
            problem.recorded["nominal_ns"][start:stop] = frames.nominal_ns
            problem.recorded["release_ns"][start:stop] = frames.release_ns
            problem.recorded["triggered"][start:stop] = frames.triggered
            start = stop


def _fill_layers(
    problem: Problem, model: int, start: int, layers: tuple[Layer, ...], table: CostTable
) -> None:
    stop = start + len(layers)
    row, rows = problem.models[model], problem.layers[start:stop]
    row.first_layer, row.last_layer = start, stop - 1
    row.worst_energy_pj = table.energy_pj.max(axis=1).sum()
    row.best_energy_pj = table.energy_pj.min(axis=1).sum()
    problem.costs["latency_ns"][start:stop] = table.latency_ns
    problem.costs["energy_pj"][start:stop] = table.energy_pj
    rows["total_latency_ns"] = table.latency_ns.sum(axis=1)
    rows["total_energy_pj"] = table.energy_pj.sum(axis=1)
    rows["remaining_latency_ns"] = np.cumsum(rows["total_latency_ns"][::-1])[::-1]
    rows["input_bytes"] = [layer.input_elements for layer in layers]
    rows["output_bytes"] = [layer.output_elements for layer in layers]
