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

from typing import NamedTuple

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.blocks import layers_within
from dream_gym.schedulers.dream.dropping import DROP_CAP, may_drop
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN, choose_variant
from dream_gym.schedulers.learned.arithmetic import log2
from dream_gym.schedulers.learned.describing import (
    COMING,
    LEAST_NS,
    Least,
    Scale,
    blocked,
    describe_coming,
    describe_factors,
    describe_frame,
    describe_pair,
    describe_use,
    least_latency,
    part,
    scale_of,
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
    Floats,
    Problem,
    State,
    dispatch_block,
    drop,
    judge_all,
    wait,
)

SLOT, FASTEST, USABLE, DROP_SCORE, PUT_OFF, ROW = range(6)
"""What is kept of a frame to choose from: its slot, where its next layer is fastest, log2 of its
slack, the score of dropping it (`NO_CHOICE` where that is no choice), 1 where it is put off (see
`sampling`), its features."""
WIDTH = ROW + FRAME
NO_CHOICE = -1e300
"""The score of what is no choice."""


class Places(NamedTuple):
    """Where things lie in the memory; the features of the whole lie at 0."""

    rows: int
    """[frame, WIDTH]"""
    coming: int
    """[model, COMING]"""
    used: int
    """[accelerator + 1] share of the time so far that each was busy, and their mean."""
    pairs: int
    """Features of pairs: [frame, accelerator, PAIR] where they are kept, else of one pair."""
    step: int
    """From one pair to the next: 0 where they are not kept."""
    scores: int
    """[frame, accelerator]"""
    ends: int
    """[2, accelerator] of one frame: time to the layer's end there, bytes moved before."""
    sums: int
    """[3, hidden] sums of the hidden units: of the whole, with a frame, with a pair."""
    end: int
    """[] behind the last."""


def places_of(hidden: int, models: int, accelerators: int, keep: bool) -> Places:
    """Where things lie in the memory; `keep` tells whether the features of all pairs are kept."""
    frames = 2 * models
    rows = CONTEXT
    coming = rows + frames * WIDTH
    used = coming + models * COMING
    pairs = used + accelerators + 1
    scores = pairs + (frames * accelerators * PAIR if keep else PAIR)
    ends = scores + frames * accelerators
    sums = ends + 2 * accelerators
    return Places(
        rows, coming, used, pairs, PAIR if keep else 0, scores, ends, sums, sums + 3 * hidden
    )


_places_of = inlined(places_of)


def memory_of(hidden: int, models: int, accelerators: int) -> int:
    """How many numbers it keeps."""
    return places_of(hidden, models, accelerators, False).end


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Look at the frames to choose from, and take the choice with the highest score."""
    if not any_idle(state):
        return wait()
    hidden = int(state.parameter[HIDDEN])
    places = _places_of(hidden, len(state.models), len(state.accelerators), False)
    count = look(problem, state, state.memory, places)
    if count == 0:
        return wait()
    wait_score = score(problem, state, state.parameter, state.memory, places, count)
    return choose(problem, state, places, count, wait_score)


@inlined
def look(problem: Problem, state: State, memory: Floats, places: Places) -> int:
    """Write down the frames to choose from and their features; return how many there are."""
    count = gather(problem, state, memory, places)
    if count > 0:
        describe(problem, state, memory, places, count)
    return int(count)


@compiled
def gather(problem: Problem, state: State, memory: Floats, places: Places) -> int:
    """Write down the frames to choose from; return how many there are."""
    for model in range(len(state.models)):
        state.models[model].scratch = 0
    count = 0
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
        row = places.rows + count * WIDTH
        memory[row + SLOT] = slot
        memory[row + FASTEST] = least_latency(problem, frame.layer)[0]
        memory[row + PUT_OFF] = 0.0
        memory[row + ROW + YOUNGER] = seen
        count += 1
    return count


@compiled
def describe(problem: Problem, state: State, memory: Floats, places: Places, count: int) -> None:
    """Write the features of the whole and of the frames, and how much work prefers where."""
    judge_all(problem, state)
    accelerators, scale, context = len(state.accelerators), scale_of(problem), memory[:CONTEXT]
    mean_frames = describe_factors(problem, state, context)
    describe_coming(problem, state, memory[places.coming : places.used])
    describe_use(state, memory[places.used : places.pairs])
    idle = 0
    for accelerator in range(accelerators):
        state.accelerators[accelerator].scratch = 0
        idle += is_idle(state, accelerator)
    late, work_ns, slack_ns = 0.0, 0.0, 0.0
    for index in range(count):
        row = places.rows + index * WIDTH
        slot, features = int(memory[row + SLOT]), memory[row + ROW : row + WIDTH]
        memory[row + USABLE] = describe_frame(problem, state, slot, scale, mean_frames, features)
        left_ns = problem.layers[state.slots[slot].layer].least_remaining_ns
        state.accelerators[int(memory[row + FASTEST])].scratch += left_ns
        late += features[LATE]
        work_ns += left_ns
        slack_ns += max(float(state.slots[slot].deadline_ns - state.run[0].now_ns), LEAST_NS)
        due_ns, demand_ns = state.slots[slot].deadline_ns, 0
        for other in range(count):
            rival = int(memory[places.rows + other * WIDTH + SLOT])
            if state.slots[rival].deadline_ns <= due_ns:
                demand_ns += problem.layers[state.slots[rival].layer].least_remaining_ns
        features[DEMAND] = scaled(log2(demand_ns / accelerators) - memory[row + USABLE])
    context[IDLE] = idle / accelerators
    context[CROWD] = part(count, 8.0)
    context[LOAD] = scaled(log2(work_ns * count / (accelerators * slack_ns)))
    context[LATE_SHARE] = late / count


@compiled
def score(
    problem: Problem, state: State, weights: Floats, memory: Floats, places: Places, count: int
) -> float:
    """Write the scores of frames on accelerators and of drops; return that of waiting.

    Args:
        problem: The problem.
        state: The state.
        weights: Header and weights of the network.
        memory: Where `look` has written, and this writes.
        places: Where things lie in it.
        count: How many frames there are to choose from.
    """
    hidden, accelerators, scale = int(weights[HIDDEN]), len(state.accelerators), scale_of(problem)
    context = memory[:CONTEXT]
    whole_sums = memory[places.sums : places.sums + hidden]
    frame_sums = memory[places.sums + hidden : places.sums + 2 * hidden]
    pair_sums = memory[places.sums + 2 * hidden : places.end]
    thresholds(weights, whole_sums)
    add_hidden(weights, CONTEXT_AT, CONTEXT, context, whole_sums, whole_sums)
    wait_score = (
        bias(weights, WAITS)
        + linear_sum(weights, WAITS, CONTEXT_AT, CONTEXT, context)
        + hidden_score(weights, WAITS, whole_sums)
    )
    if context[IDLE] == 1.0:
        wait_score = NO_CHOICE
    whole_dispatch = bias(weights, DISPATCHES) + linear_sum(
        weights, DISPATCHES, CONTEXT_AT, CONTEXT, context
    )
    whole_drop = bias(weights, DROPS) + linear_sum(weights, DROPS, CONTEXT_AT, CONTEXT, context)
    for index in range(count):
        row = places.rows + index * WIDTH
        slot, features = int(memory[row + SLOT]), memory[row + ROW : row + WIDTH]
        add_hidden(weights, FRAME_AT, FRAME, features, whole_sums, frame_sums)
        frame_part = whole_dispatch + linear_sum(weights, DISPATCHES, FRAME_AT, FRAME, features)
        least = ends_of(problem, state, slot, int(memory[row + FASTEST]), memory, places)
        for accelerator in range(accelerators):
            place = index * accelerators + accelerator
            pair_at = places.pairs + place * places.step
            pair = memory[pair_at : pair_at + PAIR]
            pair_of(problem, state, slot, accelerator, scale, memory, places, row, least, pair)
            add_hidden(weights, 0, PAIR, pair, frame_sums, pair_sums)
            memory[places.scores + place] = (
                frame_part
                + linear_sum(weights, DISPATCHES, 0, PAIR, pair)
                + hidden_score(weights, DISPATCHES, pair_sums)
            )
        memory[row + DROP_SCORE] = NO_CHOICE
        if may_drop(problem, state, slot, DROP_CAP):
            memory[row + DROP_SCORE] = (
                whole_drop
                + linear_sum(weights, DROPS, FRAME_AT, FRAME, features)
                + hidden_score(weights, DROPS, frame_sums)
            )
    return float(wait_score)


@inlined
def ends_of(
    problem: Problem, state: State, slot: int, fastest: int, memory: Floats, places: Places
) -> Least:
    """Write when a frame's next layer would end on each accelerator; return the least it takes."""
    accelerators, least_end_ns = len(state.accelerators), NEVER
    for accelerator in range(accelerators):
        end_ns, moved_bytes = time_to_end_ns(problem, state, slot, accelerator)
        memory[places.ends + accelerator] = end_ns
        memory[places.ends + accelerators + accelerator] = moved_bytes
        least_end_ns = min(least_end_ns, end_ns)
    least_ns = problem.costs[state.slots[slot].layer, fastest].latency_ns
    return Least(least_ns, log2(least_ns), log2(least_end_ns))


@inlined
def pair_of(
    problem: Problem,
    state: State,
    slot: int,
    accelerator: int,
    scale: Scale,
    memory: Floats,
    places: Places,
    row: int,
    least: Least,
    pair: Floats,
) -> None:
    """Write the features of a frame on an accelerator, after `ends_of`."""
    queued_ns = state.accelerators[accelerator].scratch
    if accelerator == int(memory[row + FASTEST]):
        queued_ns -= problem.layers[state.slots[slot].layer].least_remaining_ns
    end_ns = int(memory[places.ends + accelerator])
    coming = memory[places.coming : places.used]
    describe_pair(
        problem,
        state,
        slot,
        accelerator,
        scale,
        memory[row + ROW : row + WIDTH],
        least,
        end_ns,
        int(memory[places.ends + len(state.accelerators) + accelerator]),
        queued_ns,
        blocked(coming, len(state.models), accelerator, end_ns),
        memory[places.used : places.pairs],
        pair,
    )


@compiled
def choose(
    problem: Problem, state: State, places: Places, count: int, wait_score: float
) -> Decision:
    """The choice with the highest score; of equal ones the first."""
    memory, accelerators = state.memory, len(state.accelerators)
    best, best_score = wait(), wait_score
    for index in range(count):
        row, scores = places.rows + index * WIDTH, places.scores + index * accelerators
        chosen = 0
        for accelerator in range(1, accelerators):
            if memory[scores + accelerator] > memory[scores + chosen]:
                chosen = accelerator
        own, drop_score = memory[scores + chosen], memory[row + DROP_SCORE]
        slot = int(memory[row + SLOT])
        if drop_score > own and drop_score > best_score:
            best, best_score = drop(slot), drop_score
        if is_idle(state, chosen) and own > best_score:
            best, best_score = dispatch_block(slot, chosen, 0, 1), own
    if best.accelerator == NONE:
        return best
    return block_of(problem, state, best.slot, best.accelerator)


@compiled
def block_of(problem: Problem, state: State, slot: int, accelerator: int) -> Decision:
    """The dispatch of a frame, with the variant and as many layers as the header lets it have."""
    variant, layer, weights = 0, state.slots[slot].layer, state.parameter
    if weights[VARIANTS] != 0.0 and state.slots[slot].last_accelerator == NONE:
        variant = choose_variant(problem, state, slot, SUPERNET_MARGIN)
        network = problem.models[state.slots[slot].model].first_network + variant
        layer = problem.networks[network].first_layer
    layers = layers_within(problem, layer, accelerator, weights[BLOCK_NS], 1.0 * NEVER)
    return dispatch_block(slot, accelerator, variant, layers)
