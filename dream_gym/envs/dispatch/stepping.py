"""The compiled step of the dispatch environment, for one run and for a batch of them."""

from __future__ import annotations

from dream_gym.envs.dispatch.menu import Mask, Menu, act, to_choice, view_menu_compiled
from dream_gym.envs.dispatch.observation import Flat, observe
from dream_gym.envs.potentials import potential
from dream_gym.jit import compiled, entry_point, inlined
from dream_gym.simulator import (
    Floats,
    Ints,
    Problem,
    State,
    finish_run,
    view_problem_compiled,
    view_state_compiled,
)

RESET = -1
"""In place of an action: begin."""


@inlined
def _present(
    problem: Problem,
    state: State,
    menu: Menu,
    timeline: Ints,
    frames: Ints,
    mask: Mask,
    padding: Ints,
    out: Flat,
) -> bool:
    """Go on to the next choice, or end the run; observe it; return whether it has ended."""
    ended = not to_choice(problem, state, menu, timeline, frames, mask)
    if ended:
        finish_run(problem, state, frames)
        for action in range(len(mask) - 1):
            mask[action] = 0
        mask[len(mask) - 1] = 1
    observe(problem, state, menu, padding[0], padding[1], out)
    return ended


@compiled
def play(
    problem_arena: Ints,
    state_arena: Ints,
    menu_arena: Ints,
    timeline: Ints,
    frames: Ints,
    mask: Mask,
    padding: Ints,
    out: Flat,
    value: Floats,
    action: int,
    reward: int,
) -> bool:
    """One step: see `step`."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    menu = view_menu_compiled(menu_arena)
    if action != RESET:
        act(problem, state, menu, timeline, frames, mask, action)
    ended = _present(problem, state, menu, timeline, frames, mask, padding, out)
    value[0] = potential(problem, state, reward, value[1])
    return ended


@entry_point("dispatch_env")
def step(
    problem_arena: Ints,
    state_arena: Ints,
    menu_arena: Ints,
    timeline: Ints,
    frames: Ints,
    mask: Mask,
    padding: Ints,
    out: Flat,
    value: Floats,
    action: int,
    reward: int,
) -> bool:
    """Carry an action out and go on to the next choice.

    Args:
        problem_arena: The problem.
        state_arena: The state.
        menu_arena: The menu.
        timeline: Record of dispatches, or no rows.
        frames: Record of frames, or no rows.
        mask: int8, one entry for each action; that of the last choice, then of the next.
        padding: Models and accelerators of the observation, padding included.
        out: float32, the observation.
        value: float64, the reward's potential, set; and the run's lower bound.
        action: The action, or `RESET` at the start of a run.
        reward: Number of the reward.

    Returns:
        Whether the run has ended.
    """
    return play(
        problem_arena,
        state_arena,
        menu_arena,
        timeline,
        frames,
        mask,
        padding,
        out,
        value,
        action,
        reward,
    )
