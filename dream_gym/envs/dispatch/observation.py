"""What an agent sees of a decision point: one flat vector, or the same as a dict of tables."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from dream_gym.compiling.jit import inlined
from dream_gym.envs.dispatch.menu import Menu, layers_at_once
from dream_gym.envs.features import Feature, Flat, Table, clipper, feature_record, make_view
from dream_gym.schedulers.dream.scoring import LEAST_SLACK_NS
from dream_gym.schedulers.pairs import look_at_pair
from dream_gym.simulator import NEVER, Problem, State, latest_stream
from dream_gym.simulator.arena import Records
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


def tables(models: int, rows: int, accelerators: int) -> dict[str, Table]:
    """The tables in the order of the flat vector, padded to the largest cell."""
    return {
        "global": Table((), GLOBAL),
        "models": Table((models,), MODELS),
        "accelerators": Table((accelerators,), ACCELERATORS),
        "frames": Table((rows,), FRAMES),
        "pairs": Table((rows, accelerators), PAIRS),
    }


class Seen(NamedTuple):
    """The tables of an observation, each a record of its features a row."""

    overall: Records
    """[1] of `GLOBAL`."""
    models: Records
    """[model] of `MODELS`."""
    accelerators: Records
    """[accelerator] of `ACCELERATORS`."""
    frames: Records
    """[row] of `FRAMES`."""
    pairs: Records
    """[row, accelerator] of `PAIRS`."""


_view = make_view(
    Seen,
    overall=(feature_record(GLOBAL), (1,)),
    models=(feature_record(MODELS), ("models_count",)),
    accelerators=(feature_record(ACCELERATORS), ("accelerators_count",)),
    frames=(feature_record(FRAMES), ("rows_count",)),
    pairs=(feature_record(PAIRS), ("rows_count", "accelerators_count")),
)
_clip_overall, _clip_model, _clip_accelerator = map(clipper, (GLOBAL, MODELS, ACCELERATORS))
_clip_frame, _clip_pair = map(clipper, (FRAMES, PAIRS))


@inlined
def observe(
    problem: Problem, state: State, menu: Menu, models: int, accelerators: int, out: Flat
) -> None:
    """Fill the flat vector.

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
    seen = _view(out, models, accelerators, len(menu.rows))
    for model in range(len(problem.models)):
        _observe_model(problem, state, model, seen.models[model])
        _clip_model(seen.models[model])
    idle = 0
    for index in range(len(state.accelerators)):
        _observe_accelerator(state, index, seen.accelerators[index])
        _clip_accelerator(seen.accelerators[index])
        idle += state.accelerators[index].busy_until_ns == NEVER
    horizon_ns = state.run[0].horizon_ns
    overall = seen.overall[0]
    overall.time_left = (horizon_ns - state.run[0].now_ns) / horizon_ns
    overall.waiting = menu.now[0].waiting / 10.0
    overall.idle = idle / len(state.accelerators)
    _clip_overall(overall)
    for row in range(menu.now[0].rows):
        slot = menu.rows[row]
        _observe_frame(problem, state, slot, seen.frames[row])
        _clip_frame(seen.frames[row])
        network, layer = state.slots[slot].network, state.slots[slot].layer
        for index in range(len(state.accelerators)):
            layers = layers_at_once(problem, menu, network, layer, index)
            _observe_pair(problem, state, slot, index, layers, seen.pairs[row, index])
            _clip_pair(seen.pairs[row, index])


@inlined
def _observe_model(problem: Problem, state: State, model: int, row: Any) -> None:
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
    row.present = 1.0
    if active:
        row.rate = math.log(1.0 + NS_PER_S / max(stream.period_quotient_ns, 1))
    row.violations = counts.violations / frames
    row.lost = counts.lost / frames
    energy_pj = charged_pj(problem, state, model)
    row.energy = energy_pj / (float(given.worst_energy_pj) * frames)
    row.waiting = counts.waiting / given.backlog_limit


@inlined
def _observe_accelerator(state: State, accelerator: int, row: Any) -> None:
    run, now_ns = state.accelerators[accelerator], state.run[0].now_ns
    busy_ns = float(run.busy_ns)
    row.present = 1.0
    if run.busy_until_ns == NEVER:
        row.idle = 1.0
    else:
        row.busy_for = (run.busy_until_ns - now_ns) / 1e7
        busy_ns += now_ns - run.busy_since_ns
    row.busy = busy_ns / max(now_ns, 1)


@inlined
def _observe_frame(problem: Problem, state: State, slot: int, row: Any) -> None:
    now_ns = state.run[0].now_ns
    frame = state.slots[slot]
    layer, model = problem.layers[frame.layer], problem.models[frame.model]
    deadline_ns = float(max(problem.streams[frame.stream].deadline_ns, 1))
    slack_ns = float(frame.deadline_ns - now_ns)
    to_go_ns = layer.remaining_latency_ns / len(state.accelerators)
    first = problem.networks[frame.network].first_layer
    whole_ns = problem.layers[first].remaining_latency_ns / len(state.accelerators)
    urgency = to_go_ns / max(slack_ns, float(LEAST_SLACK_NS))
    starvation = (now_ns - frame.ready_since_ns) * len(state.accelerators) / layer.total_latency_ns
    row.present = 1.0
    row.waiting = 1.0 - frame.executing
    row.model = frame.model / len(problem.models)
    row.slack = slack_ns / deadline_ns
    row.to_go = to_go_ns / deadline_ns
    row.least_to_go = layer.least_remaining_ns / deadline_ns
    row.urgency = math.log(1.0 + urgency)
    row.starvation = math.log(1.0 + starvation)
    row.progress = 1.0 - to_go_ns / whole_ns
    row.deadline = deadline_ns / 1e8
    row.variant = (frame.network - model.first_network) / model.networks


@inlined
def _observe_pair(
    problem: Problem, state: State, slot: int, accelerator: int, layers: int, row: Any
) -> None:
    frame = state.slots[slot]
    pair = look_at_pair(problem, state, slot, accelerator, layers)
    per_deadline = 1.0 / max(problem.streams[frame.stream].deadline_ns, 1)
    row.legal = 1.0 if pair.legal else 0.0
    row.latency = pair.latency_ns * per_deadline
    row.switch = pair.switch_ns * per_deadline
    row.finish = (pair.wait_ns + pair.switch_ns + pair.latency_ns) * per_deadline
    row.energy = pair.energy_pj / float(problem.models[frame.model].worst_energy_pj)
    row.latency_preference = pair.latency_preference
    preference = pair.energy_preference
    row.energy_preference = math.copysign(math.log(1.0 + abs(preference)), preference)
