"""Plans: a schedule as genes, played in the simulator.

A plan gives each layer of each frame an accelerator and a rank. Whenever an accelerator is idle, it
takes the waiting frame of lowest rank among those whose next layer is assigned to it. So a plan
never keeps an accelerator idle for a later frame; a schedule that does is played without the gap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dream_gym.analysis.studies.bounds.window import Window, WindowFrame
from dream_gym.compiling.jit import compiled, entry_point
from dream_gym.simulator import (
    NEVER,
    NONE,
    PASS,
    Decision,
    Floats,
    Ints,
    Problem,
    Result,
    Simulation,
    State,
    advance,
    apply_decision,
    begin_run,
    dispatch,
    finish_run,
    view_problem_compiled,
    view_state_compiled,
    wait,
)
from dream_gym.simulator.accounting import uxcost
from dream_gym.simulator.arena import ints_at

RANKS_PER_NS = 256
"""Ranks are start times in parts of a ns, so that layers that start together have an order."""


class Genome(NamedTuple):
    """Where the genes of a plan lie.

    The gene of layer l of frame f of model m is at ``first[m] + f × layers[m] + l``, where l counts
    within the network.

    Args:
        origin: Per model, the first layer of its network among those of the problem.
        first: Per model, where its genes begin.
        layers: Per model, the layers of its network.
        size: Number of genes.
    """

    origin: Ints
    first: Ints
    layers: Ints
    size: int

    def genes(self, frame: WindowFrame, layers: Ints) -> Ints:
        """The genes of layers, given as rows of the costs, of a frame."""
        start = self.first[frame.model] + frame.index * self.layers[frame.model]
        return np.asarray(start + layers - self.origin[frame.model])


class Plan(NamedTuple):
    """A schedule.

    Args:
        accelerator: [gene] where the layer runs; `NONE` where it never does, which loses the frame.
        rank: [gene] lower is earlier.
    """

    accelerator: Ints
    rank: Ints


def make_genome(simulation: Simulation, window: Window) -> Genome:
    """Room for the genes of all frames of a window."""
    problem = simulation.problem
    networks = problem.networks[problem.models["first_network"]]
    layers = networks["last_layer"] - networks["first_layer"] + 1
    room = np.zeros(len(layers), dtype=np.int64)
    for frame in window.frames:
        room[frame.model] = max(room[frame.model], frame.index + 1)
    ends = np.cumsum(room * layers)
    origin = np.array(networks["first_layer"])
    return Genome(origin, ends - room * layers, np.array(layers), int(ends[-1]))


def plan_of(genome: Genome, result: Result) -> Plan:
    """The plan that a recorded run followed: what it never ran, the plan never runs."""
    timeline = result.timeline
    assert timeline is not None
    accelerator = np.full(genome.size, NONE, dtype=np.int64)
    rank = np.zeros(genome.size, dtype=np.int64)
    latest_ns, same = NONE, 0
    for row in timeline.tolist():
        start_ns, _, _, model, frame, layer, layers, _, where, _ = row
        same = same + 1 if start_ns == latest_ns else 0
        latest_ns = start_ns
        at = genome.first[model] + frame * genome.layers[model] + layer
        accelerator[at : at + layers] = where
        rank[at : at + layers] = start_ns * RANKS_PER_NS + min(same, RANKS_PER_NS - 1)
    return Plan(accelerator, rank)


def play(
    simulation: Simulation, genome: Genome, plan: Plan, *, seed: int, seconds: float
) -> Result:
    """Play a plan in the world of a seed; the result is recorded."""
    simulation.reset(seed=seed, seconds=seconds, record=True)
    arenas = simulation.problem_arena, simulation.state_arena
    play_compiled(*arenas, *simulation.records, genome.first, genome.layers, *plan)
    simulation.end()
    return simulation.result()


@entry_point("bounds")
def play_compiled(
    problem_arena: Ints,
    state_arena: Ints,
    timeline: Ints,
    frames: Ints,
    first: Ints,
    layers: Ints,
    accelerator: Ints,
    rank: Ints,
) -> None:
    """Play a run that has begun to its end; the last arguments are a `Genome` and a `Plan`."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    _run(problem, state, timeline, frames, first, layers, accelerator, rank)


@entry_point("bounds")
def evaluate(
    problem_arena: Ints,
    state_arena: Ints,
    seed: int,
    horizon_ns: int,
    first: Ints,
    layers: Ints,
    accelerators: Ints,
    ranks: Ints,
    out: Floats,
) -> None:
    """UXCost of plans, one per row of genes, in the world of a seed; nothing is recorded."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    nothing = ints_at(0, (0, 0))
    for row in range(len(accelerators)):
        begin_run(problem_arena, state_arena, seed, horizon_ns)
        _run(problem, state, nothing, nothing, first, layers, accelerators[row], ranks[row])
        out[row] = uxcost(problem, state)


@compiled
def _run(
    problem: Problem,
    state: State,
    timeline: Ints,
    frames: Ints,
    first: Ints,
    layers: Ints,
    accelerator: Ints,
    rank: Ints,
) -> None:
    horizon_ns = state.run[0].horizon_ns
    going = True
    while going:
        going = advance(problem, state, timeline, frames, horizon_ns)
        if going and state.run[0].decision_due:
            decision = _decide(problem, state, first, layers, accelerator, rank)
            while decision.kind != PASS:
                apply_decision(problem, state, timeline, frames, decision)
                decision = _decide(problem, state, first, layers, accelerator, rank)
            state.run[0].decision_due = 0
    finish_run(problem, state, frames)


@compiled
def _decide(
    problem: Problem, state: State, first: Ints, layers: Ints, accelerator: Ints, rank: Ints
) -> Decision:
    """Dispatch the waiting frame of lowest rank whose accelerator is idle."""
    best, where, least = NONE, NONE, 0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        frame = state.slots[slot]
        if frame.executing == 0:
            own = frame.layer - problem.networks[frame.network].first_layer
            gene = first[frame.model] + frame.frame * layers[frame.model] + own
            chosen = accelerator[gene]
            if (
                chosen != NONE
                and state.accelerators[chosen].busy_until_ns == NEVER
                and (best == NONE or rank[gene] < least)
            ):
                best, where, least = slot, chosen, rank[gene]
    if best == NONE:
        return wait()
    return dispatch(best, where)
