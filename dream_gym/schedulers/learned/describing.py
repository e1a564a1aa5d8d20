"""How the features of `learned` come about, see `dream_gym.schedulers.learned.features`."""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.learned.arithmetic import clip, log2
from dream_gym.schedulers.learned.features import (
    BACKLOG,
    BUSY,
    CHILD_PRICE,
    CHILD_URGENCY,
    CHILDREN,
    CLEAN,
    COSTLIER,
    DELAY,
    DONE,
    ENERGY,
    FINISH,
    LATE,
    LATE_COSTLIER,
    LATE_SLOWER,
    LATENESS,
    LENGTH,
    LOSSES,
    MISSES,
    PASSED,
    PICKY,
    PRESSURE,
    PRICE,
    SAME,
    SAVING,
    SIZE,
    SLACK,
    SLOWER,
    STARTED,
    STARVATION,
    SWITCH,
    TIGHT,
    URGENCY,
    URGENT_COSTLIER,
    URGENT_SLOWER,
    URGENT_WAIT,
    VIOLATED,
    WAIT,
)
from dream_gym.simulator import (
    NEVER,
    NONE,
    Floats,
    Problem,
    State,
    switch_bytes,
    switch_energy_pj,
    switch_ns,
)

LEAST_NS = 1000.0
"""Slack counts as at least 1 µs where it is divided by, as in MapScore."""

_MS_LOG = 19.931568569324174
"""log2(10^6): of 1 ms in ns."""


class Least(NamedTuple):
    """The least that a frame's next layer takes."""

    latency_ns: int
    latency_log: float
    """log2 of it."""
    end_log: float
    """log2 of the least time to its end, see `time_to_end_ns`."""


@inlined
def least_latency(problem: Problem, layer: int) -> tuple[int, int]:
    """Where a layer is fastest, and its latency there."""
    best, least_ns = 0, problem.costs[layer, 0].latency_ns
    for accelerator in range(1, problem.costs.shape[1]):
        if problem.costs[layer, accelerator].latency_ns < least_ns:
            best, least_ns = accelerator, problem.costs[layer, accelerator].latency_ns
    return best, int(least_ns)


@inlined
def scaled(logarithm: float) -> float:
    """Half a logarithm to the base 2, between -4 and 4."""
    return clip(0.5 * logarithm, -4.0, 4.0)


@inlined
def part(a: float, b: float) -> float:
    """The part a / (a + b), a smooth form of log(a / b) between 0 and 1."""
    return a / (a + b)


@inlined
def describe_factors(problem: Problem, state: State, context: Floats) -> None:
    """Write the features of UXCost's two factors so far, of judged deadlines."""
    run = state.run[0]
    passed = run.now_ns / run.horizon_ns
    violated, energy, models = 0.0, 0.0, 0
    for model in range(len(state.models)):
        counts = state.models[model]
        if counts.frames == 0:
            continue
        models += 1
        violated += (counts.violations + 0.5) / (counts.frames * passed + 1.0)
        ended = counts.completed + counts.lost
        worst_pj = problem.models[model].worst_energy_pj
        energy += (counts.completed_energy_pj + (counts.lost + 0.5) * worst_pj) / (
            (ended + 1.0) * worst_pj
        )
    context[VIOLATED] = violated
    context[ENERGY] = energy / max(models, 1)
    context[PASSED] = passed


@inlined
def describe_frame(
    problem: Problem, state: State, slot: int, violated: float, row: Floats
) -> float:
    """Write the features of a waiting frame, but for `DEMAND` and `YOUNGER`.

    Args:
        problem: The problem.
        state: The state.
        slot: Slot of the frame.
        violated: The feature `VIOLATED`.
        row: What is written.

    Returns:
        log2 of the slack in ns, which is at least `LEAST_NS`.
    """
    frame, now_ns, accelerators = state.slots[slot], state.run[0].now_ns, len(state.accelerators)
    model, layer = frame.model, frame.layer
    network, own = problem.networks[frame.network], problem.layers[layer]
    counts = state.models[model]
    slack_ns = frame.deadline_ns - now_ns
    left_ns = own.least_remaining_ns
    usable_log = log2(max(float(slack_ns), LEAST_NS))
    left_log = log2(left_ns)
    mean_ns = own.total_latency_ns / accelerators
    row[URGENCY] = scaled(left_log - usable_log)
    row[LATE] = 1.0 if slack_ns <= 0 else 0.0
    row[TIGHT] = 1.0 if 0 < slack_ns < left_ns else 0.0
    row[LATENESS] = part(max(-slack_ns, 0), left_ns)
    row[STARVATION] = scaled(log2(1.0 + (now_ns - frame.ready_since_ns) / mean_ns))
    row[DONE] = 1.0 - left_ns / problem.layers[network.first_layer].least_remaining_ns
    row[SIZE] = scaled(left_log - _MS_LOG)
    row[CLEAN] = 1.0 if counts.violations == 0 else 0.0
    row[PRICE] = scaled(-log2(max(counts.frames, 1) * violated))
    row[SAVING] = network.best_energy_pj / problem.models[model].worst_energy_pj
    row[STARTED] = 0.0 if frame.last_accelerator == NONE else 1.0
    row[BACKLOG] = counts.waiting / problem.models[model].backlog_limit
    losses, recent = 0, counts.recent_losses
    while recent > 0:
        losses += 1
        recent &= recent - 1
    row[LOSSES] = losses / 10.0
    row[PICKY] = 1.0 - least_latency(problem, layer)[1] / mean_ns
    row[SLACK] = clip(slack_ns / problem.streams[frame.stream].deadline_ns, -2.0, 2.0)
    row[CHILDREN], row[CHILD_URGENCY], row[CHILD_PRICE] = 0.0, row[URGENCY], 0.0
    if problem.models[model].dependents > 0:
        _describe_children(problem, state, slot, row)
    return usable_log


@compiled
def _describe_children(problem: Problem, state: State, slot: int, row: Floats) -> None:
    """Write the features of the frames that a frame may trigger, directly or not."""
    frame = state.slots[slot]
    left_ns = problem.layers[frame.layer].least_remaining_ns
    at = frame.frame - problem.streams[frame.stream].first_frame
    own_frames, price = max(state.models[frame.model].frames, 1), 0.0
    for child in range(len(problem.streams)):
        ratio = problem.descent[frame.stream, child]
        if ratio <= 0 or at % ratio != 0:
            continue
        given = problem.streams[child]
        likely = given.trigger_threshold / 2.0**62
        network = problem.networks[problem.models[given.model].first_network]
        work_ns = left_ns + problem.layers[network.first_layer].least_remaining_ns
        slack_ns = frame.nominal_ns + given.deadline_ns - state.run[0].now_ns
        urgency = scaled(log2(work_ns) - log2(max(float(slack_ns), LEAST_NS)))
        row[CHILDREN] += likely
        row[CHILD_URGENCY] = max(row[CHILD_URGENCY], urgency)
        price += likely * own_frames / max(state.models[given.model].frames, 1)
    row[CHILD_PRICE] = part(price, 1.0)


@inlined
def time_to_end_ns(problem: Problem, state: State, slot: int, accelerator: int) -> tuple[int, int]:
    """Time from now to the end of a frame's next layer on an accelerator, and bytes moved before.

    The time includes the wait for a busy accelerator, whose context switch is not known.
    """
    time_ns = problem.costs[state.slots[slot].layer, accelerator].latency_ns
    if state.accelerators[accelerator].busy_until_ns != NEVER:
        return int(time_ns + state.accelerators[accelerator].busy_until_ns - state.run[0].now_ns), 0
    moved_bytes = switch_bytes(problem, state, slot, accelerator)
    if moved_bytes > 0:
        time_ns += switch_ns(problem, moved_bytes)
    return int(time_ns), moved_bytes


@inlined
def describe_pair(
    problem: Problem,
    state: State,
    slot: int,
    accelerator: int,
    frame: Floats,
    least: Least,
    end_ns: int,
    moved_bytes: int,
    pressure_ns: int,
    row: Floats,
) -> None:
    """Write the features of a frame on an accelerator.

    Args:
        problem: The problem.
        state: The state.
        slot: Slot of the frame.
        accelerator: The accelerator, idle or busy.
        frame: The features of the frame.
        least: The least that its next layer takes.
        end_ns: `time_to_end_ns` there.
        moved_bytes: What the context switch there moves.
        pressure_ns: Least work of other frames whose next layer is fastest there.
        row: What is written.
    """
    layer = state.slots[slot].layer
    own, cost = problem.layers[layer], problem.costs[layer, accelerator]
    busy = state.accelerators[accelerator].busy_until_ns != NEVER
    apart_ns = end_ns - cost.latency_ns  # the wait, or the switch
    slack_ns = state.slots[slot].deadline_ns - state.run[0].now_ns
    lost_ns = end_ns - least.latency_ns
    latency_log = log2(cost.latency_ns)
    move_pj = switch_energy_pj(problem, moved_bytes)
    slower = scaled(latency_log - least.latency_log)
    costlier = scaled(log2((cost.energy_pj + move_pj) / own.least_energy_pj))
    waits = part(apart_ns, least.latency_ns) if busy else 0.0
    row[SLOWER], row[WAIT], row[COSTLIER] = slower, waits, costlier
    row[FINISH] = scaled(log2(end_ns) - least.end_log)
    row[SWITCH] = 0.0 if busy else part(apart_ns, cost.latency_ns)
    row[BUSY] = 1.0 if busy else 0.0
    same = state.accelerators[accelerator].serial == state.slots[slot].serial
    row[SAME] = 1.0 if same else 0.0
    row[DELAY] = part(lost_ns, max(float(slack_ns), LEAST_NS))
    row[MISSES] = 1.0 if slack_ns - lost_ns < own.least_remaining_ns <= slack_ns else 0.0
    row[PRESSURE] = part(pressure_ns, 1e6)
    row[LENGTH] = scaled(latency_log - _MS_LOG)
    row[URGENT_SLOWER] = frame[URGENCY] * slower
    row[URGENT_WAIT] = frame[URGENCY] * waits
    row[URGENT_COSTLIER] = frame[URGENCY] * costlier
    row[LATE_SLOWER] = frame[LATE] * slower
    row[LATE_COSTLIER] = frame[LATE] * costlier
