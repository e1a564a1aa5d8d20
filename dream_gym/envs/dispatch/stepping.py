"""The compiled step of the dispatch environment, for one run and for a batch of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dream_gym.compiling.jit import entry_point
from dream_gym.compiling.threads import Pieces, take
from dream_gym.envs.costs import record_costs
from dream_gym.envs.dispatch.menu import Mask, act, list_rows, to_choice, view_menu_compiled
from dream_gym.envs.dispatch.observation import observe
from dream_gym.envs.features import Flat
from dream_gym.envs.rewards import note_begin, record_step
from dream_gym.simulator import (
    Floats,
    Ints,
    arenas_at,
    finish_run,
    records_at,
    view_problem_compiled,
    view_state_compiled,
)


@entry_point("dispatch_env", "DreamRTMM-Dispatch-v0, 10 to 20 s")
def step(
    run: Ints,
    action: int,
    begins: bool,
    padding: Ints,
    reward: int,
    menu_arena: Ints,
    mask: Mask,
    out: Flat,
    episode_account: Floats,
    costs: Floats,
) -> bool:
    """Carry an action out and go on to the next choice.

    Args:
        run: Where the run lies, see `Simulation.addresses`.
        action: The action; not read at the begin.
        begins: Whether to go to the first choice of a run, and nothing else.
        padding: Models and accelerators of the observation, padding included.
        reward: Number of the reward.
        menu_arena: The menu.
        mask: int8, one entry for each action; that of the last choice, then of the next.
        out: float32, the observation.
        episode_account: See `dream_gym.envs.rewards`.
        costs: See `dream_gym.envs.costs`.

    Returns:
        Whether the run has ended.
    """
    problem_arena, state_arena = arenas_at(run)
    timeline, frames = records_at(run)
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    menu = view_menu_compiled(menu_arena)
    if not begins:
        act(problem, state, menu, timeline, frames, mask, action)
    ended = not to_choice(problem, state, menu, timeline, frames, mask)
    if ended:
        finish_run(problem, state, frames)
        list_rows(state, menu)  # there are no frames any more
        mask[:] = 0
        mask[len(mask) - 1] = 1
    if begins:
        note_begin(problem, state, episode_account)
    else:
        record_step(problem, state, episode_account, reward)
        record_costs(problem, state, costs)
    observe(problem, state, menu, padding[0], padding[1], out)
    return ended


@entry_point("dispatch_env", "batches of DreamRTMM-Dispatch-v0, 10 to 20 s")
def step_batch(
    pieces: Pieces,
    runs: Ints,
    actions: Ints,
    active: NDArray[np.bool_],
    padding: Ints,
    reward: int,
    menu_arenas: Ints,
    masks: Mask,
    outs: Flat,
    episode_accounts: Floats,
    costs: Floats,
    ended: NDArray[np.bool_],
) -> None:
    """`step` for those rows of a batch that are active; ``ended`` is written for these.

    It takes pieces as long as there are any, see `dream_gym.compiling.threads.run_in_threads`.
    """
    first, stop = take(pieces)
    while first < stop:
        for row in range(first, stop):
            if not active[row]:
                continue
            ended[row] = step(
                runs[row],
                actions[row],
                False,
                padding,
                reward,
                menu_arenas[row],
                masks[row],
                outs[row],
                episode_accounts[row],
                costs[row],
            )
        first, stop = take(pieces)
