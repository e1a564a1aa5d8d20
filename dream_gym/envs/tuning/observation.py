"""What an agent sees of a run whose parameters it tunes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from dream_gym.compiling.jit import compiled
from dream_gym.envs.features import (
    FLOAT32,
    Feature,
    Flat,
    Table,
    clipper,
    feature_record,
    make_view,
)
from dream_gym.simulator import NEVER, Floats, Ints, Problem, State, latest_stream
from dream_gym.simulator.arena import Records
from dream_gym.simulator.windows import charged_pj
from dream_gym.units import NS_PER_S

GLOBAL = (Feature("time_left", "episode", 0, 1, "share of the episode that is left"),)
MODELS = (
    Feature("present", "1", 0, 1, "1 for a model, 0 for padding"),
    Feature("rate", "log(1 + frames/s)", 0, 14, "rate at the load in force"),
    Feature("backlog", "backlog limit", 0, 2, "released frames that are neither complete nor lost"),
    Feature("slack", "relative deadline", -2, 1, "least time to a deadline over those frames"),
    Feature("remaining_work", "relative deadline", 0, 10, "their remaining mean latency, summed"),
    Feature("interval_violations", "frames due per interval", 0, 10, "violations in the interval"),
    Feature("interval_energy", "worst-case energy due per interval", 0, 10, "its energy in it"),
    Feature("violations", "frames of the episode", 0, 1, "violations since the start"),
    Feature("lost", "frames of the episode", 0, 1, "frames lost since the start"),
    Feature("energy", "worst-case energy of the episode", 0, 10, "its energy since the start"),
)
ACCELERATORS = (
    Feature("present", "1", 0, 1, "1 for an accelerator, 0 for padding"),
    Feature("busy", "interval", 0, 1, "share of the last interval that it was busy"),
)


def tables(models: int, accelerators: int, tunables: Sequence[Feature]) -> dict[str, Table]:
    """The tables in the order of the flat vector."""
    return {
        "global": Table((), GLOBAL),
        "tunables": Table((), tuple(tunables)),
        "models": Table((models,), MODELS),
        "accelerators": Table((accelerators,), ACCELERATORS),
    }


class Seen(NamedTuple):
    """The tables of an observation, each a record of its features a row."""

    overall: Records
    """[1] of `GLOBAL`."""
    tunables: Flat
    """[tunable] its value in force, which is within its bounds."""
    models: Records
    """[model] of `MODELS`."""
    accelerators: Records
    """[accelerator] of `ACCELERATORS`."""


_view = make_view(
    Seen,
    overall=(feature_record(GLOBAL), (1,)),
    tunables=(FLOAT32, ("tunables_count",)),
    models=(feature_record(MODELS), ("models_count",)),
    accelerators=(feature_record(ACCELERATORS), ("accelerators_count",)),
)
_clip_overall, _clip_model, _clip_accelerator = map(clipper, (GLOBAL, MODELS, ACCELERATORS))


def memory_size(models: int, accelerators: int) -> int:
    """Length of what is remembered of the last observation: see `observe`."""
    return 1 + 2 * models + accelerators


@compiled
def observe(
    problem: Problem,
    state: State,
    tuned: Ints,
    padding: Ints,
    interval_ns: int,
    memory: Floats,
    out: Flat,
) -> None:
    """Fill the flat vector, and begin a new interval.

    Args:
        problem: The problem.
        state: The state.
        tuned: Indices of the parameters that are tuned.
        padding: Models and accelerators of the observation, padding included.
        interval_ns: Length of a control interval.
        memory: The time, violations and energy of each model, and busy time of each accelerator,
            as they were when last observed; `memory_size`.
        out: float32 vector.
    """
    out[:] = 0.0
    now_ns, horizon_ns = state.run[0].now_ns, state.run[0].horizon_ns
    elapsed_ns = max(now_ns - memory[0], 1.0)
    memory[0] = now_ns
    seen = _view(out, len(tuned), padding[0], padding[1])
    seen.overall[0].time_left = (horizon_ns - now_ns) / horizon_ns
    _clip_overall(seen.overall[0])
    for index in range(len(tuned)):
        seen.tunables[index] = state.parameter[tuned[index]]
    for model in range(len(problem.models)):
        row, last = seen.models[model], memory[1 + 2 * model :]
        _observe_model(problem, state, model, interval_ns, last, row)
        _clip_model(row)
    for accelerator in range(len(state.accelerators)):
        run = state.accelerators[accelerator]
        busy_ns = float(run.busy_ns)
        if run.busy_until_ns != NEVER:
            busy_ns += now_ns - run.busy_since_ns
        at = 1 + 2 * len(problem.models) + accelerator
        seen.accelerators[accelerator].present = 1.0
        seen.accelerators[accelerator].busy = (busy_ns - memory[at]) / elapsed_ns
        _clip_accelerator(seen.accelerators[accelerator])
        memory[at] = busy_ns


@compiled
def _observe_model(
    problem: Problem, state: State, model: int, interval_ns: int, last: Floats, row: Any
) -> None:
    now_ns = state.run[0].now_ns
    given = problem.streams[latest_stream(problem, model, now_ns)]
    counts = state.models[model]
    worst_pj = problem.models[model].worst_energy_pj
    period_ns = given.period_quotient_ns + given.period_remainder / given.period_divisor
    live, slack_ns, work_ns = 0, given.deadline_ns, 0.0
    for index in range(state.run[0].live_count):
        frame = state.slots[state.live[index]]
        if frame.model == model:
            live += 1
            slack_ns = min(slack_ns, frame.deadline_ns - now_ns)
            work_ns += problem.layers[frame.layer].remaining_latency_ns
    violations = float(counts.violations)
    energy_pj = charged_pj(problem, state, model)
    frames = max(counts.frames, 1)
    due = interval_ns / period_ns
    row.present = 1.0
    if _is_on(problem, given.phase, now_ns):
        row.rate = math.log(1.0 + NS_PER_S / period_ns)
    row.backlog = live / problem.models[model].backlog_limit
    row.slack = slack_ns / given.deadline_ns
    row.remaining_work = work_ns / len(state.accelerators) / given.deadline_ns
    row.interval_violations = (violations - last[0]) / due
    row.interval_energy = (energy_pj - last[1]) / (worst_pj * due)
    row.violations = violations / frames
    row.lost = counts.lost / frames
    row.energy = energy_pj / (worst_pj * frames)
    last[0], last[1] = violations, energy_pj


@compiled
def _is_on(problem: Problem, phase: int, now_ns: int) -> bool:
    """Whether a phase is the present one, or begins with it."""
    present_start_ns = 0
    for start_ns in problem.phase_starts_ns:
        if start_ns <= now_ns:
            present_start_ns = start_ns
    return bool(problem.phase_starts_ns[phase] == present_start_ns)
