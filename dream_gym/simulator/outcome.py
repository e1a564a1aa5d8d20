"""The result of a run, read off its state."""

from __future__ import annotations

from typing import Any

import numpy as np

from dream_gym.hardware import Platform
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.problem import ACCURACY_UNITS, Problem
from dream_gym.simulator.result import Result
from dream_gym.simulator.state import NEVER, State
from dream_gym.units import NS_PER_S
from dream_gym.workload import Scenario


def make_result(
    scenario: Scenario, platform: Platform, problem: Problem, state: State, **others: Any
) -> Result:
    """The result of a run.

    Args:
        scenario: Its workload.
        platform: Its hardware.
        problem: The problem.
        state: Its state, whose deadlines are judged up to its time.
        **others: UXCost, its bounds, and the tables of the `Result`.
    """
    run, models, accelerators = state.run[0], state.models, state.accelerators
    frames = np.maximum(models["frames"], 1)
    worst_pj = models["lost"] * problem.models["worst_energy_pj"]
    running = accelerators["busy_until_ns"] != NEVER
    running_ns = np.where(running, run.now_ns - accelerators["busy_since_ns"], 0)
    busy = (accelerators["busy_ns"] + running_ns) / max(int(run.now_ns), 1)

    def by_model(values: Ints | Floats) -> dict[str, Any]:
        return dict(zip(scenario.model_names, values.tolist(), strict=True))

    return Result(
        accuracy=_accuracy(scenario, problem, state),
        accuracy_loss=by_model(_lost_accuracy(problem, state) / frames),
        frame_count=by_model(models["frames"]),
        violation_rate=by_model(models["violations"] / frames),
        lost_rate=by_model(models["lost"] / frames),
        energy_spent=by_model(models["spent_energy_pj"]),
        energy_charged=by_model(models["completed_energy_pj"] + worst_pj),
        dispatches=int(run.dispatches),
        busy_share=dict(zip(platform.accelerator_names, busy.tolist(), strict=True)),
        seed=int(run.seed),
        seconds=int(run.now_ns) / NS_PER_S,
        **others,
    )


def _lost_accuracy(problem: Problem, state: State) -> Floats:
    """Accuracy lost by each model so far, see `accounting.lost_accuracy`."""
    networks = problem.networks
    lost = np.zeros(len(problem.models))
    completed = state.networks["completed"]
    np.add.at(lost, networks["model"], completed * networks["accuracy_loss"] / ACCURACY_UNITS)
    return lost


def _accuracy(scenario: Scenario, problem: Problem, state: State) -> dict[str, float]:
    """Mean top-1 accuracy of the completed frames, of models that state it."""
    found = {}
    for index, name in enumerate(scenario.model_names):
        family = scenario.networks[index].family
        first = problem.models[index].first_network
        completed = state.networks["completed"][first : first + len(family)].tolist()
        stated = [member.top1 for member in family]
        if sum(completed) > 0 and None not in stated:
            total = sum(n * (top1 or 0.0) for n, top1 in zip(completed, stated, strict=True))
            found[name] = total / sum(completed)
    return found
