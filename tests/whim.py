"""A scheduler that decides by hashes, so that random runs see every kind of decision.

Its rule is that of the reference's scheduler of this name; here it is compiled.
"""

from __future__ import annotations

import numpy as np

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.simulator import (
    NEVER,
    NONE,
    Decision,
    Problem,
    State,
    dispatch_block,
    drop,
    wait,
)
from dream_gym.workload import chance

SEED, STREAM = 999, 7
DROP_ACTION, PASS_ACTION, ACTIONS = 0, 1, 8
MOST_LAYERS = 4


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Draw a waiting frame, an idle accelerator, and what to do with them."""
    waiting, idle = 0, 0
    for at in range(state.run[0].live_count):
        waiting += state.slots[state.live[at]].executing == 0
    for accelerator in range(len(state.accelerators)):
        idle += state.accelerators[accelerator].busy_until_ns == NEVER
    if waiting == 0 or idle == 0:
        return wait()
    word = chance.draw(SEED, STREAM, int(state.memory[0]), 0, 0)
    state.memory[0] += 1
    which = np.int64(word % np.uint64(waiting))
    word //= np.uint64(waiting)
    where = np.int64(word % np.uint64(idle))
    word //= np.uint64(idle)
    action = np.int64(word % np.uint64(ACTIONS))
    word //= np.uint64(ACTIONS)
    layers = 1 + np.int64(word % np.uint64(MOST_LAYERS))
    word //= np.uint64(MOST_LAYERS)
    slot, accelerator = NONE, NONE
    for at in range(state.run[0].live_count):
        if state.slots[state.live[at]].executing == 0:
            if which == 0:
                slot = state.live[at]
            which -= 1
    for index in range(len(state.accelerators)):
        if state.accelerators[index].busy_until_ns == NEVER:
            if where == 0:
                accelerator = index
            where -= 1
    if action == PASS_ACTION:
        return wait()
    if action == DROP_ACTION:
        return drop(slot)
    networks = problem.models[state.slots[slot].model].networks
    return dispatch_block(slot, accelerator, np.int64(word % np.uint64(networks)), layers)


WHIM = BuiltinScheduler("whim", decide, family="yours", label="whim")
