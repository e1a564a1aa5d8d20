"""How the features of `learned` come about, see `dream_gym.schedulers.learned.features`."""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.learned.arithmetic import clip, log2
from dream_gym.schedulers.learned.features import (
    BACKLOG,
    BLOCKS,
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
    HOLD,
    LATE,
    LATE_COSTLIER,
    LATE_SLOWER,
    LATENESS,
    LOSSES,
    MISSES,
    PASSED,
    PICKY,
    PRICE,
    QUEUE,
    SAME,
    SAVING,
    SLACK,
    SLOWER,
    SPARE_COSTLIER,
    STARTED,
    STARVATION,
    SWITCH,
    TIGHT,
    URGENCY,
    URGENT_COSTLIER,
    URGENT_SLOWER,
    URGENT_WAIT,
    USED,
    VIOLATED,
    WAIT,
    WORK,
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
from dream_gym.simulator.worlds import nominal_ns

LEAST_NS = 1000.0
"""Slack counts as at least 1 µs where it is divided by, as in MapScore."""


class Scale(NamedTuple):
    """What long and short mean in a workload: the shortest relative deadline of its models."""

    ns: int
    log: float
    """log2 of it."""


RELEASE_NS, SPARE_NS, WHERE, COMING = range(4)
"""What is kept of a frame to come: time from now to its nominal time, by how much its relative
deadline is longer than its least work, where its first layer is fastest."""


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
def scale_of(problem: Problem) -> Scale:
    """The scale of a workload."""
    shortest_ns = problem.streams[0].deadline_ns
    for stream in range(1, len(problem.streams)):
        shortest_ns = min(shortest_ns, problem.streams[stream].deadline_ns)
    return Scale(int(shortest_ns), log2(shortest_ns))


@inlined
def describe_factors(problem: Problem, state: State, context: Floats) -> float:
    """Write the features of UXCost's two factors so far, of judged deadlines.

    Returns:
        Mean number of frames of a model in the whole run.
    """
    run = state.run[0]
    passed = run.now_ns / run.horizon_ns
    violated, energy, models, frames = 0.0, 0.0, 0, 0
    for model in range(len(state.models)):
        counts = state.models[model]
        if counts.frames == 0:
            continue
        models += 1
        frames += counts.frames
        violated += (counts.violations + 0.5) / (counts.frames * passed + 1.0)
        ended = counts.completed + counts.lost
        worst_pj = problem.models[model].worst_energy_pj
        energy += (counts.completed_energy_pj + (counts.lost + 0.5) * worst_pj) / (
            (ended + 1.0) * worst_pj
        )
    context[VIOLATED] = violated
    context[ENERGY] = energy / max(models, 1)
    context[PASSED] = passed
    return float(frames / max(models, 1))


@inlined
def describe_frame(
    problem: Problem, state: State, slot: int, scale: Scale, mean_frames: float, row: Floats
) -> float:
    """Write the features of a waiting frame, but for `DEMAND` and `YOUNGER`.

    Args:
        problem: The problem.
        state: The state.
        slot: Slot of the frame.
        scale: The scale of the workload.
        mean_frames: Mean number of frames of a model.
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
    row[WORK] = scaled(left_log - scale.log)
    row[CLEAN] = 1.0 if counts.violations == 0 else 0.0
    row[PRICE] = scaled(log2(mean_frames / max(counts.frames, 1)))
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
def describe_coming(problem: Problem, state: State, coming: Floats) -> None:
    """Write which frames are to come: of each model the next one of a root, by nominal time.

    Models are known by their first release, so that a change of the app is none that is foreseen.

    Args:
        problem: The problem.
        state: The state.
        coming: [model, COMING], written.
    """
    now_ns = state.run[0].now_ns
    for model in range(len(state.models)):
        coming[model * COMING + RELEASE_NS] = NEVER
    for stream in range(len(problem.streams)):
        given, frame = problem.streams[stream], state.streams[stream].next_frame
        if given.parent != NONE or frame == 0:
            continue
        release_ns = max(nominal_ns(problem, stream, frame) - now_ns, 0)
        at = given.model * COMING
        if release_ns < coming[at + RELEASE_NS]:
            first = problem.networks[problem.models[given.model].first_network].first_layer
            spare_ns = given.deadline_ns - problem.layers[first].least_remaining_ns
            coming[at + RELEASE_NS] = release_ns
            coming[at + SPARE_NS] = max(float(spare_ns), LEAST_NS)
            coming[at + WHERE] = least_latency(problem, first)[0]


@inlined
def blocked(coming: Floats, models: int, accelerator: int, end_ns: int) -> float:
    """The feature `BLOCKS` of a layer that ends on an accelerator in so much time."""
    most = 0.0
    for model in range(models):
        at = model * COMING
        if coming[at + RELEASE_NS] < end_ns and coming[at + WHERE] == accelerator:
            most = max(most, part(end_ns - coming[at + RELEASE_NS], coming[at + SPARE_NS]))
    return most


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
def describe_use(state: State, used: Floats) -> None:
    """Write the share of the time so far that each accelerator was busy, and their mean behind."""
    now_ns, accelerators = state.run[0].now_ns, len(state.accelerators)
    used[accelerators] = 0.0
    for accelerator in range(accelerators):
        own = state.accelerators[accelerator]
        busy_ns = own.busy_ns
        if own.busy_until_ns != NEVER:
            busy_ns += now_ns - own.busy_since_ns
        used[accelerator] = busy_ns / max(now_ns, 1)
        used[accelerators] += used[accelerator] / accelerators


@inlined
def describe_pair(
    problem: Problem,
    state: State,
    slot: int,
    accelerator: int,
    scale: Scale,
    frame: Floats,
    least: Least,
    end_ns: int,
    moved_bytes: int,
    queued_ns: int,
    blocks: float,
    used: Floats,
    row: Floats,
) -> None:
    """Write the features of a frame on an accelerator.

    Args:
        problem: The problem.
        state: The state.
        slot: Slot of the frame.
        accelerator: The accelerator, idle or busy.
        scale: The scale of the workload.
        frame: The features of the frame.
        least: The least that its next layer takes.
        end_ns: `time_to_end_ns` there.
        moved_bytes: What the context switch there moves.
        queued_ns: Least work of other frames whose next layer is fastest there.
        blocks: The feature `BLOCKS`.
        used: What `describe_use` wrote.
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
    row[QUEUE] = part(queued_ns, scale.ns)
    row[HOLD] = scaled(latency_log - scale.log)
    row[BLOCKS] = blocks
    row[USED] = used[accelerator]
    row[SPARE_COSTLIER] = (1.0 - used[len(state.accelerators)]) * costlier
    row[URGENT_SLOWER] = frame[URGENCY] * slower
    row[URGENT_WAIT] = frame[URGENCY] * waits
    row[URGENT_COSTLIER] = frame[URGENCY] * costlier
    row[LATE_SLOWER] = frame[LATE] * slower
    row[LATE_COSTLIER] = frame[LATE] * costlier
