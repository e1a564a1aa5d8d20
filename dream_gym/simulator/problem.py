"""The problem: one scenario at one load on one platform, as the arrays that the engine reads."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from dream_gym.errors import ConfigError
from dream_gym.hardware import CostTable, Platform, cost_table
from dream_gym.simulator.arena import Ints, Layout
from dream_gym.workload import Layer, Scenario
from dream_gym.workload.chance import probability_threshold

(
    FIRM,
    LITERAL_ENERGY,
    BANDWIDTH_NUMERATOR,
    BANDWIDTH_DENOMINATOR,
    DRAM_PJ_PER_BYTE,
    SETTINGS,
) = range(6)
"""Indices into `Problem.setting`; `SETTINGS` is their number."""

NS_PER_S = 1_000_000_000
NONE = -1
_MAX_NS = 2**53
"""Times stay below 104 days, so that they are exact as float64 too."""


class Problem(NamedTuple):
    """A scenario at a load on a platform. Model, layer and accelerator are indices.

    Layers of all models lie one after the other; sums over accelerators take busy ones too.
    """

    setting: Ints
    """[SETTINGS] whole-problem constants."""
    first_layer: Ints
    """[model] index of the model's first layer."""
    last_layer: Ints
    """[model] index of the model's last layer."""
    period_quotient_ns: Ints
    """[model] the period is quotient + remainder / divisor, exactly."""
    period_remainder: Ints
    """[model]"""
    period_divisor: Ints
    """[model]"""
    phase_ns: Ints
    """[model] nominal time of the first frame; a dependent has that of its root."""
    jitter_ns: Ints
    """[model] largest release jitter of a root."""
    deadline_ns: Ints
    """[model] relative deadline."""
    parent: Ints
    """[model] index of the parent, `NONE` for a root."""
    parent_ratio: Ints
    """[model] frames of the parent per frame of the model."""
    trigger_threshold: Ints
    """[model] of `chance.happens`, for dependents."""
    descent: Ints
    """[ancestor, model] frames of the ancestor per frame of the model, 0 where it is none."""
    backlog_limit: Ints
    """[model] frames that may wait before the oldest is displaced."""
    worst_energy_pj: Ints
    """[model] energy of a frame whose every layer runs where it needs most."""
    best_energy_pj: Ints
    """[model] energy of a frame whose every layer runs where it needs least."""
    latency_ns: Ints
    """[layer, accelerator]"""
    energy_pj: Ints
    """[layer, accelerator]"""
    total_latency_ns: Ints
    """[layer] sum over accelerators."""
    total_energy_pj: Ints
    """[layer] sum over accelerators."""
    remaining_latency_ns: Ints
    """[layer] sum over accelerators of this and all later layers of the model."""
    input_bytes: Ints
    """[layer] what a context switch brings in."""
    output_bytes: Ints
    """[layer] what a context switch takes out."""


_MODEL_FIELDS = (
    "first_layer last_layer period_quotient_ns period_remainder period_divisor phase_ns jitter_ns "
    "deadline_ns parent parent_ratio trigger_threshold"
).split()

PROBLEM = Layout(
    Problem,
    dimensions=("models", "accelerators", "layers"),
    shapes={
        "setting": (SETTINGS,),
        **{field: ("models",) for field in _MODEL_FIELDS},
        "descent": ("models", "models"),
        "backlog_limit": ("models",),
        "worst_energy_pj": ("models",),
        "best_energy_pj": ("models",),
        "latency_ns": ("layers", "accelerators"),
        "energy_pj": ("layers", "accelerators"),
        "total_latency_ns": ("layers",),
        "total_energy_pj": ("layers",),
        "remaining_latency_ns": ("layers",),
        "input_bytes": ("layers",),
        "output_bytes": ("layers",),
    },
)
view_problem = PROBLEM.viewer()


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
    networks = [model.layers for model in scenario.models]
    tables = [cost_table(network, platform) for network in networks]
    arena = PROBLEM.allocate(
        models=len(scenario.models),
        accelerators=len(platform.accelerators),
        layers=sum(len(network.layers) for network in networks),
    )
    problem = view_problem(arena)
    bandwidth = platform.dram_bandwidth_gb_s
    problem.setting[FIRM] = (expiry or scenario.expiry) == "firm"
    problem.setting[LITERAL_ENERGY] = energy_norm == "literal"
    problem.setting[BANDWIDTH_NUMERATOR] = bandwidth.numerator
    problem.setting[BANDWIDTH_DENOMINATOR] = bandwidth.denominator
    problem.setting[DRAM_PJ_PER_BYTE] = platform.dram_energy_pj_per_byte
    _fill_rates(problem, scenario, factor)
    _fill_dependencies(problem, scenario)
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
        quotient, remainder = divmod(period.numerator, period.denominator)
        problem.period_quotient_ns[index] = quotient
        problem.period_remainder[index] = remainder
        problem.period_divisor[index] = period.denominator
        problem.phase_ns[index] = round(model.phase_ms * 1e6)
        problem.jitter_ns[index] = round(model.jitter_ms * 1e6)
        if model.depends_on is None and problem.jitter_ns[index] >= period:
            raise ConfigError(
                f"{scenario.name}: models.{index}.jitter_ms: {model.jitter_ms:g} is not below the "
                f"period at load {float(factor):g}, {float(period) / 1e6:g} ms"
            )
        explicit = model.deadline_ms
        problem.deadline_ns[index] = quotient if explicit is None else round(explicit * 1e6)
        problem.backlog_limit[index] = model.backlog


def _fill_dependencies(problem: Problem, scenario: Scenario) -> None:
    position = {name: index for index, name in enumerate(scenario.model_names)}
    problem.parent[:] = NONE
    for index, model in enumerate(scenario.models):
        if model.depends_on is not None:
            parent = position[model.depends_on.model]
            problem.parent[index] = parent
            problem.parent_ratio[index] = int(scenario.models[parent].rate / model.rate)
            problem.trigger_threshold[index] = probability_threshold(model.depends_on.probability)
    for index in range(len(scenario.models)):
        ratio, ancestor, child = 1, problem.parent[index], index
        while ancestor != NONE:
            ratio *= int(problem.parent_ratio[child])
            problem.descent[ancestor, index] = ratio
            problem.phase_ns[index] = problem.phase_ns[ancestor]
            ancestor, child = problem.parent[ancestor], ancestor


def _fill_layers(
    problem: Problem, model: int, start: int, layers: tuple[Layer, ...], table: CostTable
) -> None:
    rows = slice(start, start + len(layers))
    problem.first_layer[model] = start
    problem.last_layer[model] = start + len(layers) - 1
    problem.latency_ns[rows] = table.latency_ns
    problem.energy_pj[rows] = table.energy_pj
    problem.total_latency_ns[rows] = table.latency_ns.sum(axis=1)
    problem.total_energy_pj[rows] = table.energy_pj.sum(axis=1)
    problem.remaining_latency_ns[rows] = np.cumsum(problem.total_latency_ns[rows][::-1])[::-1]
    problem.input_bytes[rows] = [layer.input_elements for layer in layers]
    problem.output_bytes[rows] = [layer.output_elements for layer in layers]
    problem.worst_energy_pj[model] = table.energy_pj.max(axis=1).sum()
    problem.best_energy_pj[model] = table.energy_pj.min(axis=1).sum()
