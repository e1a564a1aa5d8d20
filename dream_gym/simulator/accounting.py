"""UXCost: the figure of merit of DREAM, at any time of a run, and its lower bound."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, entry_point, inlined
from dream_gym.simulator.arena import Ints
from dream_gym.simulator.frames import judge_all
from dream_gym.simulator.problem import ACCURACY_UNITS, NONE, Problem, view_problem_compiled
from dream_gym.simulator.state import State, view_state_compiled
from dream_gym.simulator.windows import charged_pj
from dream_gym.simulator.worlds import due_ns, exists, path_energy_pj

UNFINISHED = -1.0
"""What `lower_bound` returns where it is to be called again, for the frames that are left."""


@entry_point("accounting")
def uxcost_now(problem_arena: Ints, state_arena: Ints) -> float:
    """UXCost at the state's time, after the events of that time."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    return uxcost(problem, state)


@compiled
def uxcost(problem: Problem, state: State) -> float:
    """UXCost now, see `judged_uxcost`."""
    judge_all(problem, state)
    return judged_uxcost(problem, state)


@inlined
def judged_uxcost(problem: Problem, state: State) -> float:
    """The product of `judged_factors`."""
    violation_rates, energies = judged_factors(problem, state)
    return violation_rates * energies


@inlined
def judged_factors(problem: Problem, state: State) -> tuple[float, float]:
    """Sum of violation rates, and sum of normalised energies, over models that have frames.

    All deadlines up to now are judged.

    A model without violations counts as half a violation, as in the paper. With
    ``energy_norm="charged"`` its energy is that of its completed frames, and the worst case
    for each lost frame; with ``literal`` it is the energy spent, whatever came of it.
    """
    violation_rates = 0.0
    energies = 0.0
    for model in range(len(problem.models)):
        counts = state.models[model]
        if counts.frames > 0:
            violation_rates += max(float(counts.violations), 0.5) / counts.frames
            worst_pj = problem.models[model].worst_energy_pj
            energies += charged_pj(problem, state, model) / (worst_pj * counts.frames)
    return violation_rates, energies


@inlined
def lost_accuracy(problem: Problem, state: State, model: int) -> float:
    """What the variants that a model's completed frames ran have lost of the original's accuracy.

    In frames: each counts 1 − top1 / top1 of the original.
    """
    lost = 0
    first = problem.models[model].first_network
    for network in range(first, first + problem.models[model].networks):
        lost += state.networks[network].completed * problem.networks[network].accuracy_loss
    return lost / ACCURACY_UNITS


@entry_point("accounting")
def lower_bound(
    problem_arena: Ints, state_arena: Ints, lightest: bool, sums: Ints, most: int
) -> float:
    """UXCost of a run without violations whose layers all run where they need least energy.

    Frames and paths are those drawn.

    Args:
        problem_arena: The problem.
        state_arena: A state that has begun.
        lightest: Whether each frame of a Supernet runs the variant that needs least, and not
            the original.
        sums: [2 + models], zeros at the first call and then kept: stream and frame to go on with,
            and energies of the models' frames.
        most: How many frames to look at; see `UNFINISHED`.
    """
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    while sums[0] < len(problem.streams):
        stream, frame = sums[0], sums[1]
        model = problem.streams[stream].model
        if _forks(problem, model) > 0:
            while due_ns(problem, stream, frame) <= state.run[0].horizon_ns:
                if most == 0:
                    sums[1] = frame
                    return UNFINISHED
                if exists(problem, state, stream, frame, NONE):
                    index = problem.streams[stream].first_frame + frame
                    sums[2 + model] += _frame_energy_pj(problem, state, model, lightest, index)
                frame += 1
                most -= 1
        sums[0] += 1
        sums[1] = 0
    violation_rates = 0.0
    energies = 0.0
    for model in range(len(problem.models)):
        frames = int(state.models[model].frames)
        if frames > 0:
            energy_pj = int(sums[2 + model])
            if _forks(problem, model) == 0:
                energy_pj = _frame_energy_pj(problem, state, model, lightest, 0) * frames
            violation_rates += 0.5 / frames
            energies += energy_pj / (problem.models[model].worst_energy_pj * frames)
    return violation_rates * energies


@inlined
def _forks(problem: Problem, model: int) -> int:
    """Forks of all networks of a model; without any, all of its frames need the same."""
    forks = 0
    for network in range(len(problem.networks)):
        if problem.networks[network].model == model:
            forks += problem.networks[network].forks
    return forks


@compiled
def _frame_energy_pj(problem: Problem, state: State, model: int, lightest: bool, frame: int) -> int:
    """Least energy of a frame on its path, as the original or as any variant."""
    first = problem.models[model].first_network
    least_pj = path_energy_pj(problem, state, first, frame)
    if lightest:
        for network in range(first + 1, first + problem.models[model].networks):
            least_pj = min(least_pj, path_energy_pj(problem, state, network, frame))
    return least_pj
