"""``dream_online``: all of DREAM, with its own online tuner of alpha and beta.

The tuner searches in windows of 1 s, each run at one point. The first runs at the centre (1, 1).
Four more follow at the centre with alpha raised, alpha lowered, beta raised and beta lowered by the
radius, which is 0.5 at first, clipped to [0, 2]. The best of the four, the first among equals,
becomes the centre if its UXCost is below the accepted one, which is that of the centre's own
window. Then the radius is halved, and four more windows follow. Once the radius is below 0.05, the
search ends, and all further windows run at the centre.

The search restarts from (1, 1) when a phase begins, which cuts the window short, and when a window
after the end of the search has more than 1.5 times the accepted UXCost. Windows of the search
cannot restart it: it is their purpose to find bad points, too.

There is no timer: a window ends, and the next begins, at the first decision point at least 1 s
after it began. Frames of a window are those due after its start and up to its end. A window
without any is extended by another 1 s.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.dream.dropping import DROP_CAP
from dream_gym.schedulers.dream.full import decide_fully
from dream_gym.schedulers.dream.scoring import NO_LIMIT
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN
from dream_gym.simulator import Decision, Problem, State
from dream_gym.simulator.windows import begin_window, window_uxcost
from dream_gym.units import NS_PER_S

WINDOW_NS = NS_PER_S
START = 1.0
RADIUS_AT_START = 0.5
LEAST_RADIUS = 0.05
MOST = 2.0
"""Largest alpha and beta; the least is 0."""
RESTART_FACTOR = 1.5

(
    STAGE,  # of the search, see below
    ALPHA_NOW,  # the point of the present window
    BETA_NOW,
    CENTRE_ALPHA,
    CENTRE_BETA,
    RADIUS,
    ACCEPTED,  # UXCost of the centre's window
    BEST_ALPHA,  # of the windows around the centre so far
    BEST_BETA,
    BEST_UXCOST,
    WINDOW_START_NS,
    CHECK_NS,  # when the window ends or a phase begins; 0 before the first decision
    NEXT_PHASE_NS,
    RESTARTS,  # how often the search has begun
    MEASURES,  # from here on two for each model: violations and energy at the window's begin
) = range(15)
"""The layout of ``state.memory``."""

NOT_BEGUN, CENTRE, ALPHA_UP, ALPHA_DOWN, BETA_UP, BETA_DOWN, SETTLED = range(7)
"""Stages: which point the present window is run at."""


class OnlineOptions(Options):
    """Options of `dream_online`.

    Args:
        late_urgency: As in `MapScoreOptions`.
    """

    late_urgency: Literal["floor", "one", "last"] = "floor"


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Run the tuner if it is due, then decide as `dream_full`."""
    if state.run[0].now_ns >= state.memory[CHECK_NS]:
        _check(problem, state)
    return decide_fully(
        problem,
        state,
        state.memory[ALPHA_NOW],
        state.memory[BETA_NOW],
        int(state.parameter[0]),
        DROP_CAP,
        SUPERNET_MARGIN,
        NO_LIMIT,
    )


@compiled
def _check(problem: Problem, state: State) -> None:
    """Advance the search: the run or a phase has begun, or the window has ended."""
    memory, now_ns = state.memory, state.run[0].now_ns
    if memory[STAGE] == NOT_BEGUN or now_ns >= memory[NEXT_PHASE_NS]:
        _restart(problem, state)
        return
    uxcost, due = window_uxcost(problem, state, memory[WINDOW_START_NS], memory[MEASURES:], False)
    if due == 0:
        memory[CHECK_NS] = min(now_ns + WINDOW_NS, memory[NEXT_PHASE_NS])
        return
    if memory[STAGE] == SETTLED:
        if uxcost > RESTART_FACTOR * memory[ACCEPTED]:
            _restart(problem, state)
            return
    elif memory[STAGE] == CENTRE:
        memory[ACCEPTED] = uxcost
        memory[STAGE] = ALPHA_UP
    else:
        _compare(state, uxcost)
    _begin_window(problem, state)


@compiled
def _restart(problem: Problem, state: State) -> None:
    memory = state.memory
    memory[NEXT_PHASE_NS] = np.inf
    for phase in range(len(problem.phase_starts_ns) - 1, -1, -1):
        if problem.phase_starts_ns[phase] > state.run[0].now_ns:
            memory[NEXT_PHASE_NS] = problem.phase_starts_ns[phase]
    memory[STAGE] = CENTRE
    memory[CENTRE_ALPHA] = memory[CENTRE_BETA] = START
    memory[RADIUS] = RADIUS_AT_START
    memory[RESTARTS] += 1
    _begin_window(problem, state)


@compiled
def _compare(state: State, uxcost: float) -> None:
    """Record a window around the centre; after the last, move and halve the radius."""
    memory = state.memory
    if memory[STAGE] == ALPHA_UP or uxcost < memory[BEST_UXCOST]:
        memory[BEST_ALPHA], memory[BEST_BETA] = memory[ALPHA_NOW], memory[BETA_NOW]
        memory[BEST_UXCOST] = uxcost
    if memory[STAGE] < BETA_DOWN:
        memory[STAGE] += 1
        return
    if memory[BEST_UXCOST] < memory[ACCEPTED]:
        memory[CENTRE_ALPHA], memory[CENTRE_BETA] = memory[BEST_ALPHA], memory[BEST_BETA]
        memory[ACCEPTED] = memory[BEST_UXCOST]
    memory[RADIUS] /= 2
    memory[STAGE] = SETTLED if memory[RADIUS] < LEAST_RADIUS else ALPHA_UP


@compiled
def _begin_window(problem: Problem, state: State) -> None:
    """Set the point for the stage, and record what happened before the window."""
    memory, now_ns = state.memory, state.run[0].now_ns
    stage, radius = memory[STAGE], memory[RADIUS]
    alpha, beta = memory[CENTRE_ALPHA], memory[CENTRE_BETA]
    if stage == ALPHA_UP:
        alpha = min(alpha + radius, MOST)
    elif stage == ALPHA_DOWN:
        alpha = max(alpha - radius, 0.0)
    elif stage == BETA_UP:
        beta = min(beta + radius, MOST)
    elif stage == BETA_DOWN:
        beta = max(beta - radius, 0.0)
    memory[ALPHA_NOW], memory[BETA_NOW] = alpha, beta
    memory[WINDOW_START_NS] = now_ns
    memory[CHECK_NS] = min(now_ns + WINDOW_NS, memory[NEXT_PHASE_NS])
    begin_window(problem, state, memory[MEASURES:], False)


DREAM_ONLINE = BuiltinScheduler(
    "dream_online", decide, OnlineOptions, family="DREAM", label="DREAM with its online tuner"
)
