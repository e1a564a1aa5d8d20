"""Smart frame drop: which waiting frame is given up, so that others can be saved."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.dream.scoring import LEAST_SLACK_NS
from dream_gym.simulator import NONE, Problem, State

DROP_CAP = 2
"""In DREAM, a model must have lost fewer of its last 10 resolved frames."""


@compiled
def frame_to_drop(problem: Problem, state: State, cap: int) -> int:
    """The slot of the frame to drop now, or `NONE`.

    Of the frames that may be dropped (`may_drop`) it is the one with the largest least remaining
    latency / slack; ties go to the earlier release, then to the lower model and frame. There is
    none unless another live frame, waiting or executing, is expected to miss too (condition 2).
    """
    able = 0
    for model in range(len(state.models)):
        state.models[model].scratch = _may_lose_one(problem, state, model, cap)
        able += state.models[model].scratch
    if able == 0:
        return NONE
    now_ns = state.run[0].now_ns
    misses, chosen, chosen_ratio = 0, NONE, 0.0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if not expected_to_miss(problem, state, slot):
            continue
        misses += 1
        if state.slots[slot].executing == 0 and state.models[state.slots[slot].model].scratch:
            least_ns = problem.layers[state.slots[slot].layer].least_remaining_ns
            ratio = least_ns / max(state.slots[slot].deadline_ns - now_ns, LEAST_SLACK_NS)
            if chosen == NONE or ratio > chosen_ratio:
                chosen, chosen_ratio = slot, ratio
    return chosen if misses >= 2 else NONE


@inlined
def expected_to_miss(problem: Problem, state: State, slot: int) -> bool:
    """Whether a live frame would miss its deadline even with every layer where it is fastest.

    Layers that are executing end where and when they are expected to. The full remaining path is
    assumed to run, in the original network until a variant is chosen.
    """
    frame = state.slots[slot]
    if frame.executing == 0:
        end_ns = state.run[0].now_ns + problem.layers[frame.layer].least_remaining_ns
    else:
        run = state.accelerators[frame.last_accelerator]
        end_ns = run.busy_until_ns
        if run.layer < problem.networks[frame.network].last_layer:
            end_ns += problem.layers[run.layer + 1].least_remaining_ns
    return bool(end_ns > frame.deadline_ns)


@inlined
def may_drop(problem: Problem, state: State, slot: int, cap: int) -> bool:
    """Conditions 1, 3 and 4 of DREAM: the waiting frame alone decides them.

    It is expected to miss its deadline; its model has lost fewer than `cap` of its last resolved
    frames; and no model depends on its model, in any phase.
    """
    model = state.slots[slot].model
    return expected_to_miss(problem, state, slot) and _may_lose_one(problem, state, model, cap)


@inlined
def _may_lose_one(problem: Problem, state: State, model: int, cap: int) -> bool:
    """Conditions 3 and 4."""
    losses, recent = 0, state.models[model].recent_losses
    while recent > 0 and losses < cap:
        losses += 1
        recent &= recent - 1
    return bool(losses < cap and problem.models[model].dependents == 0)
