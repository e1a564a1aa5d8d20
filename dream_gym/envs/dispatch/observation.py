"""What an agent sees of a decision point: one flat vector, or the same as a dict of tables."""

from __future__ import annotations

import math

from dream_gym.compiling.jit import inlined
from dream_gym.envs.dispatch.menu import Menu, layers_at_once
from dream_gym.envs.features import Feature, Flat, Table
from dream_gym.schedulers.dream.scoring import LEAST_SLACK_NS
from dream_gym.simulator import (
    NEVER,
    Problem,
    State,
    latest_stream,
    switch_bytes,
    switch_energy_pj,
    switch_ns,
)
from dream_gym.simulator.windows import charged_pj
from dream_gym.units import NS_PER_S

GLOBAL = (
    Feature("time_left", "episode", 0, 1, "share of the episode that is left"),
    Feature("waiting", "frames", 0, 10, "frames that wait, in tens"),
    Feature("idle", "accelerators", 0, 1, "share of the accelerators that are idle"),
)
MODELS = (
    Feature("present", "1", 0, 1, "1 for a model, 0 for padding"),
    Feature("rate", "log(1 + frames/s)", 0, 14, "rate at present, 0 where its app is off"),
    Feature("violations", "frames of the episode", 0, 1, "violations since the start"),
    Feature("lost", "frames of the episode", 0, 1, "frames lost since the start"),
    Feature("energy", "worst-case energy of the episode", 0, 2, "its energy since the start"),
    Feature("waiting", "backlog limit", 0, 2, "frames that wait"),
)
FRAMES = (
    Feature("present", "1", 0, 1, "1 for a frame, 0 for padding"),
    Feature("waiting", "1", 0, 1, "1 where it waits, 0 where it executes"),
    Feature("model", "models", 0, 1, "index of its model over the number of models"),
    Feature("slack", "relative deadline", -2, 1, "time to its deadline"),
    Feature("to_go", "relative deadline", 0, 4, "remaining mean latency"),
    Feature("least_to_go", "relative deadline", 0, 4, "remaining latency where it is least"),
    Feature("urgency", "log(1 + x)", 0, 20, "ToGo / slack, the slack at least 1 µs"),
    Feature("starvation", "log(1 + x)", 0, 20, "time since it last ended a layer / mean latency"),
    Feature("progress", "network", 0, 1, "share of its mean latency that lies behind it"),
    Feature("deadline", "100 ms", 0, 10, "its relative deadline"),
    Feature("variant", "variants", 0, 1, "which lighter network it runs, 0 for the original"),
)
ACCELERATORS = (
    Feature("present", "1", 0, 1, "1 for an accelerator, 0 for padding"),
    Feature("idle", "1", 0, 1, "1 where it is idle"),
    Feature("busy_for", "10 ms", 0, 10, "time until it is idle"),
    Feature("busy", "time so far", 0, 1, "share of the time that it was busy"),
)
PAIRS = (
    Feature("legal", "1", 0, 1, "1 where the frame can be dispatched there now"),
    Feature("latency", "relative deadline", 0, 4, "latency of the dispatch, switch left out"),
    Feature("switch", "relative deadline", 0, 4, "time of the context switch, 0 where not legal"),
    Feature("finish", "relative deadline", 0, 4, "time until its end: busy_for + switch + latency"),
    Feature("energy", "worst-case energy", 0, 1, "energy of the dispatch, switch left out"),
    Feature("latency_preference", "1", 0, 32, "mean latency of the layer / its latency"),
    Feature(
        "energy_preference", "± log(1 + x)", -20, 20, "(mean energy − switch / A) / its energy"
    ),
)
"""The last two, times the number of accelerators A, are MapScore's."""

GLOBALS, PER_MODEL, PER_ACCELERATOR = len(GLOBAL), len(MODELS), len(ACCELERATORS)
PER_FRAME, PER_PAIR = len(FRAMES), len(PAIRS)


def tables(models: int, rows: int, accelerators: int) -> dict[str, Table]:
    """The tables in the order of the flat vector, padded to the largest cell."""
    return {
        "global": Table((), GLOBAL),
        "models": Table((models,), MODELS),
        "accelerators": Table((accelerators,), ACCELERATORS),
        "frames": Table((rows,), FRAMES),
        "pairs": Table((rows, accelerators), PAIRS),
    }


@inlined
def _put(out: Flat, at: int, value: float, low: float, high: float) -> None:
    out[at] = min(max(value, low), high)


@inlined
def observe(
    problem: Problem, state: State, menu: Menu, models: int, accelerators: int, out: Flat
) -> None:
    """Fill the flat vector, table by table in the order of `tables`.

    Args:
        problem: The problem.
        state: The state.
        menu: Its menu.
        models: Models, padding included.
        accelerators: Accelerators, padding included.
        out: float32 vector.
    """
    for at in range(len(out)):
        out[at] = 0.0
    now_ns = state.run[0].now_ns
    idle = 0
    start = GLOBALS + PER_MODEL * models
    for index in range(len(state.accelerators)):
        run, at = state.accelerators[index], start + PER_ACCELERATOR * index
        busy_ns = float(run.busy_ns)
        out[at] = 1.0
        if run.busy_until_ns == NEVER:
            idle += 1
            out[at + 1] = 1.0
        else:
            _put(out, at + 2, (run.busy_until_ns - now_ns) / 1e7, 0.0, 10.0)
            busy_ns += now_ns - run.busy_since_ns
        _put(out, at + 3, busy_ns / max(now_ns, 1), 0.0, 1.0)
    out[0] = (state.run[0].horizon_ns - now_ns) / state.run[0].horizon_ns
    _put(out, 1, menu.now[0].waiting / 10.0, 0.0, 10.0)
    out[2] = idle / len(state.accelerators)
    for model in range(len(problem.models)):
        _observe_model(problem, state, model, out, GLOBALS + PER_MODEL * model)
    start += PER_ACCELERATOR * accelerators
    pairs = start + PER_FRAME * len(menu.rows)
    for row in range(menu.now[0].rows):
        slot = menu.rows[row]
        _observe_frame(problem, state, slot, out, start + PER_FRAME * row)
        network, layer = state.slots[slot].network, state.slots[slot].layer
        for index in range(len(state.accelerators)):
            at = pairs + PER_PAIR * (row * accelerators + index)
            layers = layers_at_once(problem, menu, network, layer, index)
            _observe_pair(problem, state, slot, layers, index, out, at)


@inlined
def _observe_model(problem: Problem, state: State, model: int, out: Flat, at: int) -> None:
    now_ns = state.run[0].now_ns
    given, counts = problem.models[model], state.models[model]
    frames = max(counts.frames, 1)
    stream = problem.streams[model]
    active = True
    if len(problem.phase_starts_ns) > 1:
        stream = problem.streams[latest_stream(problem, model, now_ns)]
        active = problem.phase_starts_ns[stream.phase] <= now_ns
        if stream.phase + 1 < len(problem.phase_starts_ns):
            active = active and now_ns < problem.phase_starts_ns[stream.phase + 1]
    out[at] = 1.0
    if active:
        _put(out, at + 1, math.log(1.0 + NS_PER_S / max(stream.period_quotient_ns, 1)), 0.0, 14.0)
    _put(out, at + 2, counts.violations / frames, 0.0, 1.0)
    _put(out, at + 3, counts.lost / frames, 0.0, 1.0)
    energy_pj = charged_pj(problem, state, model)
    _put(out, at + 4, energy_pj / (float(given.worst_energy_pj) * frames), 0.0, 2.0)
    _put(out, at + 5, counts.waiting / given.backlog_limit, 0.0, 2.0)


@inlined
def _observe_frame(problem: Problem, state: State, slot: int, out: Flat, at: int) -> None:
    now_ns = state.run[0].now_ns
    frame = state.slots[slot]
    layer, model = problem.layers[frame.layer], problem.models[frame.model]
    deadline_ns = float(max(problem.streams[frame.stream].deadline_ns, 1))
    slack_ns = float(frame.deadline_ns - now_ns)
    to_go_ns = layer.remaining_latency_ns / len(state.accelerators)
    first = problem.networks[frame.network].first_layer
    whole_ns = problem.layers[first].remaining_latency_ns / len(state.accelerators)
    out[at] = 1.0
    out[at + 1] = 1.0 - frame.executing
    out[at + 2] = frame.model / len(problem.models)
    _put(out, at + 3, slack_ns / deadline_ns, -2.0, 1.0)
    _put(out, at + 4, to_go_ns / deadline_ns, 0.0, 4.0)
    _put(out, at + 5, layer.least_remaining_ns / deadline_ns, 0.0, 4.0)
    urgency = to_go_ns / max(slack_ns, float(LEAST_SLACK_NS))
    starvation = (now_ns - frame.ready_since_ns) * len(state.accelerators) / layer.total_latency_ns
    _put(out, at + 6, math.log(1.0 + urgency), 0.0, 20.0)
    _put(out, at + 7, math.log(1.0 + starvation), 0.0, 20.0)
    _put(out, at + 8, 1.0 - to_go_ns / whole_ns, 0.0, 1.0)
    _put(out, at + 9, deadline_ns / 1e8, 0.0, 10.0)
    out[at + 10] = (frame.network - model.first_network) / model.networks


@inlined
def _observe_pair(
    problem: Problem, state: State, slot: int, layers: int, accelerator: int, out: Flat, at: int
) -> None:
    frame, run = state.slots[slot], state.accelerators[accelerator]
    layer, cost = problem.layers[frame.layer], problem.costs[frame.layer, accelerator]
    per_deadline = 1.0 / max(problem.streams[frame.stream].deadline_ns, 1)
    count = len(state.accelerators)
    latency_ns, energy_pj = 0.0, 0.0
    for index in range(frame.layer, frame.layer + layers):
        latency_ns += problem.costs[index, accelerator].latency_ns
        energy_pj += problem.costs[index, accelerator].energy_pj
    wait_ns, move_ns, move_pj = 0, 0, 0
    if run.busy_until_ns != NEVER:
        wait_ns = run.busy_until_ns - state.run[0].now_ns
    elif frame.executing == 0:
        out[at] = 1.0
        moved_bytes = switch_bytes(problem, state, slot, accelerator)
        move_ns, move_pj = switch_ns(problem, moved_bytes), switch_energy_pj(problem, moved_bytes)
    _put(out, at + 1, latency_ns * per_deadline, 0.0, 4.0)
    _put(out, at + 2, move_ns * per_deadline, 0.0, 4.0)
    _put(out, at + 3, (wait_ns + move_ns + latency_ns) * per_deadline, 0.0, 4.0)
    worst_pj = float(problem.models[frame.model].worst_energy_pj)
    _put(out, at + 4, energy_pj / worst_pj, 0.0, 1.0)
    _put(out, at + 5, layer.total_latency_ns / (count * cost.latency_ns), 0.0, 32.0)
    preference = (layer.total_energy_pj - move_pj) / (count * cost.energy_pj)
    out[at + 6] = math.copysign(min(math.log(1.0 + abs(preference)), 20.0), preference)
