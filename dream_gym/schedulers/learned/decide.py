"""``learned``: each frame takes the accelerator that it scores best on, idle or busy.

Frames to choose from are, of each model, the oldest that waits and the oldest that waits and can
still make its deadline. A frame whose best accelerator is busy waits for it. Of the others the one
with the highest score is dispatched, unless dropping a frame or waiting scores higher. Nothing is
decided while all accelerators are busy; while all are idle, waiting is not a choice, so that no
frame starves where there is little to do. Dropping is open to frames that DREAM's rules would let
go, see `may_drop`. Supernets run their original network, unless the header says `VARIANTS`: then
DREAM's rule chooses, to which frames that are given up but not dropped look like work ahead.
"""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.blocks import layers_within
from dream_gym.schedulers.dream.dropping import DROP_CAP, may_drop
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN, choose_variant
from dream_gym.schedulers.learned.arithmetic import log2
from dream_gym.schedulers.learned.describing import (
    LEAST_NS,
    Least,
    describe_factors,
    describe_frame,
    describe_pair,
    least_latency,
    part,
    scaled,
    time_to_end_ns,
)
from dream_gym.schedulers.learned.features import (
    CONTEXT,
    CROWD,
    DEMAND,
    FRAME,
    IDLE,
    LATE,
    LATE_SHARE,
    LOAD,
    PAIR,
    VIOLATED,
    YOUNGER,
)
from dream_gym.schedulers.learned.network import (
    BLOCK_NS,
    CONTEXT_AT,
    DISPATCHES,
    DROPS,
    FRAME_AT,
    HIDDEN,
    VARIANTS,
    WAITS,
    add_hidden,
    bias,
    hidden_score,
    linear_sum,
    thresholds,
)
from dream_gym.schedulers.placement import any_idle, is_idle
from dream_gym.simulator import (
    NEVER,
    NONE,
    Decision,
    Problem,
    State,
    dispatch_block,
    drop,
    judge_all,
    wait,
)

SLOT, FASTEST, USABLE, ROW = range(4)
"""What is kept of a frame to choose from: its slot, where its next layer is fastest, log2 of its
slack, its features."""
WIDTH = ROW + FRAME
LARGE = 1e300
"""Of no score."""

PAIR_ROW = CONTEXT
SUMS = PAIR_ROW + PAIR
"""Where things lie in the memory: features of the whole, those of a pair, three hidden sums, the
ends on the accelerators, and frames."""


def memory_of(hidden: int, models: int, accelerators: int) -> int:
    """How many numbers it keeps."""
    return SUMS + 3 * hidden + 2 * accelerators + 2 * models * WIDTH


@inlined
def _ends_at(state: State) -> int:
    return SUMS + 3 * int(state.parameter[HIDDEN])


@inlined
def _frames_at(state: State) -> int:
    return _ends_at(state) + 2 * len(state.accelerators)


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Look at the frames to choose from, and take the choice with the highest score."""
    if not any_idle(state):
        return wait()
    count = gather(problem, state)
    if count == 0:
        return wait()
    describe(problem, state, count)
    return choose(problem, state, count)


@compiled
def gather(problem: Problem, state: State) -> int:
    """Write down the frames to choose from; return how many there are."""
    for model in range(len(state.models)):
        state.models[model].scratch = 0
    count, memory, first = 0, state.memory, _frames_at(state)
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        frame = state.slots[slot]
        if frame.executing:
            continue
        seen = state.models[frame.model].scratch
        if seen == 2:
            continue
        left_ns = problem.layers[frame.layer].least_remaining_ns
        in_time = state.run[0].now_ns + left_ns <= frame.deadline_ns
        if seen == 1 and not in_time:
            continue
        state.models[frame.model].scratch = 2 if in_time else 1
        row = first + count * WIDTH
        memory[row + SLOT] = slot
        memory[row + FASTEST] = least_latency(problem, frame.layer)[0]
        memory[row + ROW + YOUNGER] = seen
        count += 1
    return count


@compiled
def describe(problem: Problem, state: State, count: int) -> None:
    """Write the features of the whole and of the frames, and how much work prefers where."""
    judge_all(problem, state)
    memory, accelerators, first = state.memory, len(state.accelerators), _frames_at(state)
    context = memory[:CONTEXT]
    describe_factors(problem, state, context)
    idle = 0
    for accelerator in range(accelerators):
        state.accelerators[accelerator].scratch = 0
        idle += is_idle(state, accelerator)
    late, work_ns, slack_ns = 0.0, 0.0, 0.0
    for index in range(count):
        row = first + index * WIDTH
        slot, features = int(memory[row + SLOT]), memory[row + ROW : row + WIDTH]
        memory[row + USABLE] = describe_frame(problem, state, slot, context[VIOLATED], features)
        left_ns = problem.layers[state.slots[slot].layer].least_remaining_ns
        state.accelerators[int(memory[row + FASTEST])].scratch += left_ns
        late += features[LATE]
        work_ns += left_ns
        slack_ns += max(float(state.slots[slot].deadline_ns - state.run[0].now_ns), LEAST_NS)
        due_ns, demand_ns = state.slots[slot].deadline_ns, 0
        for other in range(count):
            rival = int(memory[first + other * WIDTH + SLOT])
            if state.slots[rival].deadline_ns <= due_ns:
                demand_ns += problem.layers[state.slots[rival].layer].least_remaining_ns
        features[DEMAND] = scaled(log2(demand_ns / accelerators) - memory[row + USABLE])
    context[IDLE] = idle / accelerators
    context[CROWD] = part(count, 8.0)
    context[LOAD] = scaled(log2(work_ns * count / (accelerators * slack_ns)))
    context[LATE_SHARE] = late / count


@compiled
def choose(problem: Problem, state: State, count: int) -> Decision:
    """The choice with the highest score; of equal ones the first."""
    memory, weights, first = state.memory, state.parameter, _frames_at(state)
    hidden, accelerators = int(weights[HIDDEN]), len(state.accelerators)
    context, pair = memory[:CONTEXT], memory[PAIR_ROW:SUMS]
    whole_sums = memory[SUMS : SUMS + hidden]
    frame_sums = memory[SUMS + hidden : SUMS + 2 * hidden]
    pair_sums = memory[SUMS + 2 * hidden : SUMS + 3 * hidden]
    ends_ns = memory[_ends_at(state) : _ends_at(state) + accelerators]
    moved_bytes = memory[_ends_at(state) + accelerators : first]
    thresholds(weights, whole_sums)
    add_hidden(weights, CONTEXT_AT, CONTEXT, context, whole_sums, whole_sums)
    best = wait()
    best_score = (
        bias(weights, WAITS)
        + linear_sum(weights, WAITS, CONTEXT_AT, CONTEXT, context)
        + hidden_score(weights, WAITS, whole_sums)
    )
    if context[IDLE] == 1.0:
        best_score = -LARGE
    whole_dispatch = bias(weights, DISPATCHES) + linear_sum(
        weights, DISPATCHES, CONTEXT_AT, CONTEXT, context
    )
    whole_drop = bias(weights, DROPS) + linear_sum(weights, DROPS, CONTEXT_AT, CONTEXT, context)
    for index in range(count):
        row = first + index * WIDTH
        slot, features = int(memory[row + SLOT]), memory[row + ROW : row + WIDTH]
        layer, fastest = state.slots[slot].layer, int(memory[row + FASTEST])
        add_hidden(weights, FRAME_AT, FRAME, features, whole_sums, frame_sums)
        frame_part = whole_dispatch + linear_sum(weights, DISPATCHES, FRAME_AT, FRAME, features)
        least_end_ns = NEVER
        for accelerator in range(accelerators):
            end_ns, moved = time_to_end_ns(problem, state, slot, accelerator)
            ends_ns[accelerator], moved_bytes[accelerator] = end_ns, moved
            least_end_ns = min(least_end_ns, end_ns)
        least_ns = problem.costs[layer, fastest].latency_ns
        least = Least(least_ns, log2(least_ns), log2(least_end_ns))
        chosen, score = NONE, 0.0
        for accelerator in range(accelerators):
            pressure_ns = state.accelerators[accelerator].scratch
            if accelerator == fastest:
                pressure_ns -= problem.layers[layer].least_remaining_ns
            describe_pair(
                problem,
                state,
                slot,
                accelerator,
                features,
                least,
                int(ends_ns[accelerator]),
                int(moved_bytes[accelerator]),
                pressure_ns,
                pair,
            )
            add_hidden(weights, 0, PAIR, pair, frame_sums, pair_sums)
            own = (
                frame_part
                + linear_sum(weights, DISPATCHES, 0, PAIR, pair)
                + hidden_score(weights, DISPATCHES, pair_sums)
            )
            if chosen == NONE or own > score:
                chosen, score = accelerator, own
        if may_drop(problem, state, slot, DROP_CAP):
            drop_score = (
                whole_drop
                + linear_sum(weights, DROPS, FRAME_AT, FRAME, features)
                + hidden_score(weights, DROPS, frame_sums)
            )
            if drop_score > score and drop_score > best_score:
                best, best_score = drop(slot), drop_score
        if is_idle(state, chosen) and score > best_score:
            best, best_score = dispatch_block(slot, chosen, 0, 1), score
    if best.accelerator == NONE:
        return best
    slot, variant, layer = best.slot, 0, state.slots[best.slot].layer
    if weights[VARIANTS] != 0.0 and state.slots[slot].last_accelerator == NONE:
        variant = choose_variant(problem, state, slot, SUPERNET_MARGIN)
        network = problem.models[state.slots[slot].model].first_network + variant
        layer = problem.networks[network].first_layer
    layers = layers_within(problem, layer, best.accelerator, weights[BLOCK_NS], 1.0 * NEVER)
    return dispatch_block(slot, best.accelerator, variant, layers)
