"""What an agent sees of a run whose parameters it tunes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dream_gym.compiling.jit import compiled
from dream_gym.envs.features import Feature, Flat, Table
from dream_gym.simulator import NEVER, Floats, Ints, Problem, State, latest_stream
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
PER_MODEL, PER_ACCELERATOR = len(MODELS), len(ACCELERATORS)
PARAMETERS_AT = len(GLOBAL)


def tables(models: int, accelerators: int, tunables: Sequence[Feature]) -> dict[str, Table]:
    """The tables in the order of the flat vector."""
    return {
        "global": Table((), GLOBAL),
        "tunables": Table((), tuple(tunables)),
        "models": Table((models,), MODELS),
        "accelerators": Table((accelerators,), ACCELERATORS),
    }


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
    bounds: Flat,
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
        bounds: [2, features] least and largest values; what is beyond is clipped.
        out: float32 vector.
    """
    out[:] = 0.0
    now_ns, horizon_ns = state.run[0].now_ns, state.run[0].horizon_ns
    elapsed_ns = max(now_ns - memory[0], 1.0)
    memory[0] = now_ns
    out[0] = (horizon_ns - now_ns) / horizon_ns
    at = PARAMETERS_AT
    for index in range(len(tuned)):
        out[at + index] = state.parameter[tuned[index]]
    at += len(tuned)
    for model in range(len(problem.models)):
        row = out[at + PER_MODEL * model : at + PER_MODEL * (model + 1)]
        _observe_model(problem, state, model, interval_ns, memory[1 + 2 * model :], row)
    at += PER_MODEL * padding[0]
    for accelerator in range(len(state.accelerators)):
        run = state.accelerators[accelerator]
        busy_ns = float(run.busy_ns)
        if run.busy_until_ns != NEVER:
            busy_ns += now_ns - run.busy_since_ns
        last = 1 + 2 * len(problem.models) + accelerator
        out[at + PER_ACCELERATOR * accelerator] = 1.0
        out[at + PER_ACCELERATOR * accelerator + 1] = (busy_ns - memory[last]) / elapsed_ns
        memory[last] = busy_ns
    for feature in range(len(out)):
        out[feature] = min(max(out[feature], bounds[0, feature]), bounds[1, feature])


@compiled
def _observe_model(
    problem: Problem, state: State, model: int, interval_ns: int, last: Floats, row: Flat
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
    row[0] = 1.0
    if _is_on(problem, given.phase, now_ns):
        row[1] = math.log(1.0 + NS_PER_S / period_ns)
    row[2] = live / problem.models[model].backlog_limit
    row[3] = slack_ns / given.deadline_ns
    row[4] = work_ns / len(state.accelerators) / given.deadline_ns
    row[5] = (violations - last[0]) / due
    row[6] = (energy_pj - last[1]) / (worst_pj * due)
    row[7] = violations / frames
    row[8] = counts.lost / frames
    row[9] = energy_pj / (worst_pj * frames)
    last[0], last[1] = violations, energy_pj


@compiled
def _is_on(problem: Problem, phase: int, now_ns: int) -> bool:
    """Whether a phase is the present one, or begins with it."""
    present_start_ns = 0
    for start_ns in problem.phase_starts_ns:
        if start_ns <= now_ns:
            present_start_ns = start_ns
    return bool(problem.phase_starts_ns[phase] == present_start_ns)
