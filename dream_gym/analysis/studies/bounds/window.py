"""A window as plain data: all that a schedule with the future known is made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dream_gym.compiling.jit import entry_point
from dream_gym.simulator import (
    NONE,
    Ints,
    Result,
    Simulation,
    view_problem_compiled,
    view_state_compiled,
)
from dream_gym.simulator.worlds import layer_after

ENERGY_UNIT = 10**8
"""What a frame adds to the sum of normalised energies is counted in parts of this."""


@dataclass(frozen=True)
class WindowFrame:
    """A frame of the window.

    Args:
        model: Index of its model.
        index: Its index in the model.
        parent: Position of its parent in the window, or `NONE`.
        release_ns: Its release; for a dependent the earliest possible, with its ancestors alone.
        deadline_ns: When it is due.
        layers: The layers of its path, as drawn, as rows of the costs.
    """

    model: int
    index: int
    parent: int
    release_ns: int
    deadline_ns: int
    layers: tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """The frames of one world up to a horizon, parents before their dependents.

    Args:
        frames: The frames.
        latency_ns: [layer, accelerator] latencies.
        energy_pj: [layer, accelerator] energies.
        input_bytes: [layer] what a context switch brings in.
        output_bytes: [layer] what a context switch takes out.
        ns_per_byte: Time of the off-chip link.
        pj_per_byte: Energy of the off-chip link.
        worst_energy_pj: Per model, what a lost frame is charged.
        firm: Whether a late frame is lost.
        horizon_ns: End of the window.
    """

    frames: tuple[WindowFrame, ...]
    latency_ns: Ints
    energy_pj: Ints
    input_bytes: Ints
    output_bytes: Ints
    ns_per_byte: float
    pj_per_byte: int
    worst_energy_pj: tuple[int, ...]
    firm: bool
    horizon_ns: int

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Number of frames per model."""
        models = [frame.model for frame in self.frames]
        return tuple(models.count(model) for model in range(len(self.worst_energy_pj)))

    @cached_property
    def rate_unit(self) -> int:
        """The sum of violation rates is a whole number of parts of this."""
        return 2 * math.lcm(*(count for count in self.counts if count))

    @property
    def accelerators(self) -> int:
        """Number of accelerators."""
        return int(self.latency_ns.shape[1])

    def rates(self, violations: tuple[int, ...]) -> float:
        """UXCost's sum of violation rates, half a violation where there is none."""
        pairs = zip(violations, self.counts, strict=True)
        return sum(max(float(number), 0.5) / count for number, count in pairs if count)

    def energy_parts(self, model: int, energy_pj: int) -> int:
        """What an energy adds to that sum, in parts of `ENERGY_UNIT`, rounded down."""
        return energy_pj * ENERGY_UNIT // (self.worst_energy_pj[model] * self.counts[model])

    def energy_share(self, model: int, energy_pj: float) -> float:
        """What an energy adds to UXCost's sum of normalised energies."""
        return energy_pj / (self.worst_energy_pj[model] * self.counts[model])

    def least_energy_pj(self, frame: WindowFrame) -> int:
        """Energy of a frame whose every layer runs where it needs least."""
        return int(self.energy_pj[list(frame.layers)].min(axis=1).sum())


@dataclass(frozen=True)
class Attained:
    """The result of a schedule in the simulator.

    Args:
        uxcost: UXCost.
        rates: Its first factor.
        energies: Its second factor.
        violations: Violated frames of all models.
    """

    uxcost: float
    rates: float
    energies: float
    violations: int


def attained(window: Window, result: Result) -> Attained:
    """The figures of a run of the window."""
    numbers = tuple(
        round(rate * count)
        for rate, count in zip(result.violation_rate.values(), window.counts, strict=True)
    )
    charged = enumerate(result.energy_charged.values())
    energies = sum(window.energy_share(model, pj) for model, pj in charged if window.counts[model])
    return Attained(result.uxcost, window.rates(numbers), energies, sum(numbers))


def read_window(simulation: Simulation, result: Result) -> Window:
    """The window that a simulation has just played.

    Args:
        simulation: It is at its horizon; no network has variants.
        result: Its outcome, recorded.
    """
    assert result.frames is not None
    problem = simulation.problem
    setting = problem.setting[0]
    keys = sorted(
        zip(result.frames["model"].tolist(), result.frames["frame"].tolist(), strict=True)
    )
    order = np.lexsort((result.frames["frame"], result.frames["model"]))
    table = result.frames[order]
    alone = simulation.alone(table)
    streams = [_stream(simulation, *key) for key in keys]
    depth = [_depth(simulation, stream) for stream in streams]
    by_depth = sorted(range(len(keys)), key=lambda row: (depth[row], row))
    place = {keys[row]: at for at, row in enumerate(by_depth)}
    paths = np.full((len(keys), len(problem.layers)), NONE, dtype=np.int64)
    export_paths(
        simulation.problem_arena,
        simulation.state_arena,
        np.array(keys, dtype=np.int64).reshape(-1, 2),
        paths,
    )
    frames = []
    for row in by_depth:
        model, index = keys[row]
        given = problem.streams[streams[row]]
        parent = NONE
        if given.parent != NONE:
            above = problem.streams[given.parent]
            number = (index - given.first_frame) * given.parent_ratio + above.first_frame
            parent = place[int(above.model), int(number)]
        frames.append(
            WindowFrame(
                model=model,
                index=index,
                parent=parent,
                release_ns=int(alone[row, 1] - alone[row, 0]),
                deadline_ns=int(table["deadline_ns"][row]),
                layers=tuple(paths[row][paths[row] != NONE].tolist()),
            )
        )
    return Window(
        frames=tuple(frames),
        latency_ns=np.array(problem.costs["latency_ns"]),
        energy_pj=np.array(problem.costs["energy_pj"]),
        input_bytes=np.array(problem.layers["input_bytes"]),
        output_bytes=np.array(problem.layers["output_bytes"]),
        ns_per_byte=float(setting.bandwidth_denominator / setting.bandwidth_numerator),
        pj_per_byte=int(setting.dram_pj_per_byte),
        worst_energy_pj=tuple(problem.models["worst_energy_pj"].tolist()),
        firm=bool(setting.firm),
        horizon_ns=simulation.horizon_ns,
    )


def _stream(simulation: Simulation, model: int, frame: int) -> int:
    streams = simulation.problem.streams
    own = (streams["model"] == model) & (streams["first_frame"] <= frame)
    return int(np.flatnonzero(own)[-1])


def _depth(simulation: Simulation, stream: int) -> int:
    parent = int(simulation.problem.streams[stream].parent)
    return 0 if parent == NONE else 1 + _depth(simulation, parent)


@entry_point("bounds")
def export_paths(problem_arena: Ints, state_arena: Ints, keys: Ints, out: Ints) -> None:
    """Write the layers that frames run in their original network.

    Args:
        problem_arena: The problem.
        state_arena: A state that has begun.
        keys: int64 array (rows, 2) of models and of frames counted in them.
        out: int64 array (rows, layers of the problem); entries after a path's end are left alone.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    for row in range(len(keys)):
        network = problem.models[keys[row, 0]].first_network
        layer, at = problem.networks[network].first_layer, 0
        while layer != NONE:
            out[row, at] = layer
            at += 1
            layer = layer_after(problem, state, layer, network, keys[row, 1])
