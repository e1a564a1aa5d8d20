"""What a run that was played on for a while will come to: the figure that planners compare."""

from __future__ import annotations

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.simulator import Problem, State, judge_all

HALF = 0.5
"""What a model without violations counts, as in UXCost."""


@compiled
def outlook(problem: Problem, state: State) -> float:
    """An estimate of UXCost that compares continuations of one run, all up to one time.

    At the end of a run it is UXCost. Before, it is the same product for the frames so far:

    * A live frame that could not meet its deadline any more, even if all layers left to it ran
      where they are fastest, is violated. Of a frame that could, the chance to miss its deadline
      is taken as the square of that time over its slack: what eats up the slack of a long frame
      should cost something before it is too late.
    * Energy is that of as many frames as the time that has passed lets expect, each at the least,
      and all that was spent beyond the least. So a continuation that has done more work by then
      does not look worse than one that has put it off.

    Args:
        problem: The problem.
        state: The state; deadlines up to its time are judged.
    """
    judge_all(problem, state)
    passed = state.run[0].now_ns / state.run[0].horizon_ns
    violation_rates, energies = 0.0, 0.0
    for model in range(len(state.models)):
        frames = state.models[model].frames
        if frames == 0:
            continue
        violations, beyond_pj = _so_far(problem, state, model)
        first = problem.models[model].first_network
        least_pj = float(problem.networks[first].best_energy_pj) * frames * passed
        # Between none and one it rises evenly from what none counts to what one counts.
        violation_rates += max(violations, HALF + HALF * violations) / frames
        energies += (least_pj + beyond_pj) / (float(problem.models[model].worst_energy_pj) * frames)
    return violation_rates * energies


@inlined
def _so_far(problem: Problem, state: State, model: int) -> tuple[float, float]:
    """Violations of a model, with those that live frames let expect, and energy in pJ.

    The energy is what was spent or charged beyond the least for what was done.
    """
    counts, literal = state.models[model], problem.setting[0].literal_energy != 0
    violations = float(counts.violations)
    first = problem.models[model].first_network
    ended = counts.completed + counts.lost
    beyond_pj = -float(problem.networks[first].best_energy_pj) * ended
    if literal:
        beyond_pj += counts.spent_energy_pj
    else:
        worst_pj = float(problem.models[model].worst_energy_pj)
        beyond_pj += counts.completed_energy_pj + counts.lost * worst_pj
    for at in range(state.run[0].live_count):
        frame = state.slots[state.live[at]]
        if frame.model != model:
            continue
        layer, from_ns = frame.layer, state.run[0].now_ns
        if frame.executing:
            run = state.accelerators[frame.last_accelerator]
            layer, from_ns = run.layer + 1, run.busy_until_ns
        if frame.deadline_ns > state.run[0].now_ns:  # else it has been judged
            slack_ns = frame.deadline_ns - from_ns
            violations += _chance_to_miss(problem, frame.network, layer, slack_ns)
        if not literal:
            beyond_pj += frame.energy_pj
        for done in range(problem.networks[frame.network].first_layer, layer):
            beyond_pj -= problem.layers[done].least_energy_pj
    return violations, beyond_pj


@inlined
def _chance_to_miss(problem: Problem, network: int, layer: int, slack_ns: int) -> float:
    """How likely a frame with layers left from one on, and so much slack, misses its deadline."""
    left_ns = 0
    if layer <= problem.networks[network].last_layer:
        left_ns = problem.layers[layer].least_remaining_ns
    if left_ns > slack_ns:
        return 1.0
    if left_ns == 0:
        return 0.0
    share = left_ns / slack_ns
    return share * share
