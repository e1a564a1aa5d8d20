"""What a step has cost, term by term and model by model: ``info["cost"]``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dream_gym.compiling.jit import inlined
from dream_gym.simulator import Floats, Problem, State
from dream_gym.simulator.accounting import lost_accuracy
from dream_gym.simulator.windows import charged_pj

TERMS = ("violations", "lost", "energy", "accuracy")
"""Violations and lost frames; energy in pJ, as UXCost charges it; accuracy lost, in frames, each of
which counts 1 - top1 / top1 of the original."""
_SO_FAR, _LAST_STEP = range(2)


def make_costs(models: int) -> Floats:
    """The buffer of costs: [so far or of the last step, term, model]; no models: not wanted."""
    return np.zeros((2, len(TERMS), models))


@inlined
def record_costs(problem: Problem, state: State, costs: Floats) -> None:
    """Enter a step, whose deadlines are judged."""
    if costs.shape[2] == 0:
        return
    for model in range(len(problem.models)):
        counts = state.models[model]
        terms = (
            float(counts.violations),
            float(counts.lost),
            charged_pj(problem, state, model),
            lost_accuracy(problem, state, model),
        )
        for term in range(len(terms)):
            costs[_LAST_STEP, term, model] = terms[term] - costs[_SO_FAR, term, model]
            costs[_SO_FAR, term, model] = terms[term]


def costs_of(costs: Floats) -> dict[str, NDArray[Any]]:
    """The terms of the last step by model, of a run or of each of a batch; copies."""
    return {name: costs[..., _LAST_STEP, term, :].copy() for term, name in enumerate(TERMS)}
