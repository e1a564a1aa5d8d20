"""``dream_plus``: DREAM with tunables of our own; their defaults make it `dream_full`."""

from __future__ import annotations

from pydantic import Field

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.dream.dropping import DROP_CAP
from dream_gym.schedulers.dream.full import decide_fully
from dream_gym.schedulers.dream.scoring import (
    ALPHA,
    BETA,
    LATE_URGENCY,
    NO_LIMIT,
    MapScoreOptions,
)
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN
from dream_gym.simulator import Decision, Problem, State

PATIENCE, PLUS_DROP_CAP, PLUS_SUPERNET_MARGIN = range(3, 6)


class PlusOptions(MapScoreOptions):
    """Options of `dream_plus`: those of MapScore, then ours.

    Args:
        patience: A layer takes an idle accelerator only if its latency there is at most this many
            times the least time to its end over all accelerators, including the wait for busy
            ones; in [1, 8]. 1 waits for the accelerator on which it would end first; 8 means no
            limit, as in DREAM. Times are without context switches.
        drop_cap: A frame may be dropped while its model has lost fewer of its last 10 resolved
            frames; 0 to 10. 0 drops none.
        supernet_margin: A variant counts as in time if this many times its expected time to
            finish fits into the slack; in [0, 4]. Values above 1 choose lighter variants than
            DREAM does; 0 keeps the original of every frame that is not late.
    """

    patience: float = Field(default=NO_LIMIT, ge=1, le=NO_LIMIT)
    drop_cap: int = Field(default=DROP_CAP, ge=0, le=10)
    supernet_margin: float = Field(default=SUPERNET_MARGIN, ge=0, le=4)


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """DREAM with all parameters as given."""
    return decide_fully(
        problem,
        state,
        state.parameter[ALPHA],
        state.parameter[BETA],
        int(state.parameter[LATE_URGENCY]),
        int(state.parameter[PLUS_DROP_CAP]),
        state.parameter[PLUS_SUPERNET_MARGIN],
        state.parameter[PATIENCE],
    )


DREAM_PLUS = BuiltinScheduler(
    "dream_plus", decide, PlusOptions, family="ours", label="DREAM with tunables of our own"
)
