"""The compiled step of the tuning environment, for one run and for a batch of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dream_gym.compiling.jit import entry_point
from dream_gym.compiling.threads import Pieces, take
from dream_gym.envs.costs import record_costs
from dream_gym.envs.features import Flat
from dream_gym.envs.rewards import note_begin, record_step
from dream_gym.envs.tuning.observation import observe
from dream_gym.schedulers.dream.plus import DREAM_PLUS
from dream_gym.simulator import (
    NEVER,
    Floats,
    Ints,
    arenas_at,
    finish_run,
    records_at,
    view_problem_compiled,
    view_state_compiled,
)

_run = DREAM_PLUS.engine.run


@entry_point("tuning_env", "DreamRTMM-v0, 10 to 20 s")
def step(
    run: Ints,
    action: Floats,
    begins: bool,
    tuned: Ints,
    interval_ns: int,
    padding: Ints,
    reward: int,
    memory: Floats,
    out: Flat,
    episode_account: Floats,
    costs: Floats,
) -> bool:
    """Simulate one control interval.

    Args:
        run: Where the run lies, see `Simulation.addresses`.
        action: float64, the parameters' values; not read at the begin.
        begins: Whether to observe the begin of a run, and nothing else.
        tuned: Indices of the parameters.
        interval_ns: Length of the interval.
        padding: Models and accelerators of the observation, padding included.
        reward: Number of the reward.
        memory: What the last observation has left, see `observe`.
        out: float32, the observation.
        episode_account: See `dream_gym.envs.rewards`.
        costs: See `dream_gym.envs.costs`.

    Returns:
        Whether the run has ended.
    """
    problem_arena, state_arena = arenas_at(run)
    timeline, frames = records_at(run)
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    ended = False
    if begins:
        memory[:] = 0.0
        note_begin(problem, state, episode_account)
    else:
        for index in range(len(tuned)):
            state.parameter[tuned[index]] = action[index]
        horizon_ns = state.run[0].horizon_ns
        until_ns = min(state.run[0].now_ns + interval_ns, horizon_ns)
        _run(problem_arena, state_arena, timeline, frames, until_ns, NEVER)
        ended = until_ns == horizon_ns
        if ended:
            finish_run(problem, state, frames)
        record_step(problem, state, episode_account, reward)
        record_costs(problem, state, costs)
    observe(problem, state, tuned, padding, interval_ns, memory, out)
    return ended


@entry_point("tuning_env", "batches of DreamRTMM-v0, 10 to 20 s")
def step_batch(
    pieces: Pieces,
    runs: Ints,
    actions: Floats,
    active: NDArray[np.bool_],
    tuned: Ints,
    interval_ns: int,
    padding: Ints,
    reward: int,
    memories: Floats,
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
                tuned,
                interval_ns,
                padding,
                reward,
                memories[row],
                outs[row],
                episode_accounts[row],
                costs[row],
            )
        first, stop = take(pieces)
