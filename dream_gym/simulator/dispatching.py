"""A dispatch: what it costs, what it changes, and its row in the timeline."""

from __future__ import annotations

from dream_gym.compiling.jit import entry_point, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.bandwidth import UNIT_BITS, bring_up_to_date, share
from dream_gym.simulator.decision import Decision
from dream_gym.simulator.problem import NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import State, view_state_compiled

TIMELINE_COLUMNS = (
    "start_ns",
    "end_ns",
    "switch_ns",
    "model",
    "frame",
    "layer",
    "layers",
    "variant",
    "accelerator",
    "energy_pj",
)
"""Columns of the record of dispatches; switch and its energy are included in end and energy, and
``layer`` is the first of so many ``layers``, counted in the network of the variant."""


@inlined
def switch_bytes(problem: Problem, state: State, slot: int, accelerator: int) -> int:
    """Bytes that a context switch would move if the frame's next layer started there.

    In comes the input of that layer, unless the accelerator last ran the same frame. Out goes
    the output of the last layer that the accelerator ran, if its frame still needs it from there:
    it is live, and has since run nowhere else.
    """
    if state.accelerators[accelerator].serial == state.slots[slot].serial:
        return 0
    moved = problem.layers[state.slots[slot].layer].input_bytes
    previous = state.accelerators[accelerator].slot
    if (
        state.accelerators[accelerator].serial != 0
        and state.slots[previous].serial == state.accelerators[accelerator].serial
        and state.slots[previous].last_accelerator == accelerator
    ):
        moved += problem.layers[state.accelerators[accelerator].layer].output_bytes
    return int(moved)


@inlined
def switch_ns(problem: Problem, moved_bytes: int) -> int:
    """Time of a context switch, rounded up to whole ns."""
    numerator = problem.setting[0].bandwidth_numerator
    return int(
        (moved_bytes * problem.setting[0].bandwidth_denominator + numerator - 1) // numerator
    )


@inlined
def switch_energy_pj(problem: Problem, moved_bytes: int) -> int:
    """Energy of a context switch."""
    return int(moved_bytes * problem.setting[0].dram_pj_per_byte)


@entry_point("dispatching")
def switch_cost(
    problem_arena: Ints, state_arena: Ints, slot: int, accelerator: int
) -> tuple[int, int]:
    """Time in ns and energy in pJ of a context switch, see `switch_bytes`; for Python."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    moved_bytes = switch_bytes(problem, state, slot, accelerator)
    return switch_ns(problem, moved_bytes), switch_energy_pj(problem, moved_bytes)


@inlined
def start(problem: Problem, state: State, timeline: Ints, decision: Decision) -> None:
    """Carry out a dispatch that is possible."""
    now_ns = state.run[0].now_ns
    slot, accelerator = decision.slot, decision.accelerator
    frame, run = state.slots[slot], state.accelerators[accelerator]
    if decision.variant > 0 and frame.last_accelerator == NONE:
        frame.network += decision.variant
        frame.layer = problem.networks[frame.network].first_layer
    first = frame.layer
    last = first + min(decision.layers, problem.layers[first].run_length) - 1
    moved_bytes = switch_bytes(problem, state, slot, accelerator)
    move_ns = switch_ns(problem, moved_bytes)
    isolated_ns = move_ns
    energy_pj = switch_energy_pj(problem, moved_bytes)
    for layer in range(first, last + 1):
        isolated_ns += problem.costs[layer, accelerator].latency_ns
        energy_pj += problem.costs[layer, accelerator].energy_pj
        moved_bytes += problem.layers[layer].dram_bytes
    # A scheduler decides one thing after the other, and needs its time for each.
    start_ns = now_ns
    if problem.setting[0].decision_ns > 0:
        start_ns = max(now_ns, state.run[0].last_start_ns) + problem.setting[0].decision_ns
        state.run[0].last_start_ns = start_ns
    frame.executing = 1
    state.models[frame.model].waiting -= 1
    frame.last_accelerator = accelerator
    frame.energy_pj += energy_pj
    state.models[frame.model].spent_energy_pj += energy_pj
    run.slot, run.serial, run.layer = slot, frame.serial, last
    run.busy_since_ns, run.start_ns, run.busy_until_ns = now_ns, start_ns, start_ns + isolated_ns
    run.timeline_row = state.run[0].timeline_rows
    state.run[0].dispatches += 1
    if len(timeline) > 0:
        row = timeline[state.run[0].timeline_rows]
        row[0] = start_ns
        row[1] = run.busy_until_ns
        row[2] = move_ns
        row[3] = frame.model
        row[4] = frame.frame
        row[5] = first - problem.networks[frame.network].first_layer
        row[6] = last - first + 1
        row[7] = frame.network - problem.models[frame.model].first_network
        row[8] = accelerator
        row[9] = energy_pj
        state.run[0].timeline_rows += 1
    if problem.setting[0].contention:
        run.started = 0
        run.remaining = isolated_ns << UNIT_BITS
        run.demand = (moved_bytes << UNIT_BITS) // isolated_ns
        if start_ns == now_ns:
            bring_up_to_date(problem, state)
            share(problem, state, timeline)
