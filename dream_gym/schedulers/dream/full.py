"""``dream_full``: MapScore, smart frame drop and Supernet switching."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.dream.dropping import DROP_CAP, frame_to_drop
from dream_gym.schedulers.dream.scoring import (
    ALPHA,
    BETA,
    LATE_URGENCY,
    NO_LIMIT,
    MapScoreOptions,
    best_pair,
)
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN, choose_variant
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch_block, drop, wait


@inlined
def decide_fully(
    problem: Problem,
    state: State,
    alpha: float,
    beta: float,
    late_rule: int,
    drop_cap: int,
    supernet_margin: float,
    patience: float,
) -> Decision:
    """Drop a frame that qualifies, or else dispatch by MapScore; choose a frame's variant once."""
    hopeless = frame_to_drop(problem, state, drop_cap)
    if hopeless != NONE:
        return drop(hopeless)
    slot, accelerator = best_pair(problem, state, alpha, beta, late_rule, patience)
    if slot == NONE:
        return wait()
    variant = 0
    if state.slots[slot].last_accelerator == NONE:
        variant = choose_variant(problem, state, slot, supernet_margin)
    return dispatch_block(slot, accelerator, variant, 1)


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """DREAM with fixed alpha and beta."""
    alpha, beta = state.parameter[ALPHA], state.parameter[BETA]
    late_rule = int(state.parameter[LATE_URGENCY])
    return decide_fully(problem, state, alpha, beta, late_rule, DROP_CAP, SUPERNET_MARGIN, NO_LIMIT)


DREAM_FULL = BuiltinScheduler(
    "dream_full",
    decide,
    MapScoreOptions,
    family="DREAM",
    label="DREAM: MapScore, frame drop, Supernets",
)
