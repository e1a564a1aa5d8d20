"""``dream_mapscore``: DREAM's MapScore alone, with fixed alpha and beta."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.dream.scoring import (
    ALPHA,
    BETA,
    LATE_URGENCY,
    NO_LIMIT,
    MapScoreOptions,
    best_pair,
)
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the pair of waiting frame and idle accelerator with the highest MapScore."""
    alpha, beta = state.parameter[ALPHA], state.parameter[BETA]
    late_rule = int(state.parameter[LATE_URGENCY])
    slot, accelerator = best_pair(problem, state, alpha, beta, late_rule, NO_LIMIT)
    return wait() if slot == NONE else dispatch(slot, accelerator)


DREAM_MAPSCORE = BuiltinScheduler(
    "dream_mapscore", decide, MapScoreOptions, family="DREAM", label="DREAM: MapScore alone"
)
