"""``dream_smartdrop``: MapScore and smart frame drop."""

from __future__ import annotations

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.dream import mapscore
from dream_gym.schedulers.dream.dropping import DROP_CAP, frame_to_drop
from dream_gym.schedulers.dream.scoring import MapScoreOptions
from dream_gym.simulator import NONE, Decision, Problem, State, drop

_score = mapscore.decide


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Drop a frame that qualifies, or else dispatch by MapScore."""
    hopeless = frame_to_drop(problem, state, DROP_CAP)
    return _score(problem, state) if hopeless == NONE else drop(hopeless)


DREAM_SMARTDROP = BuiltinScheduler(
    "dream_smartdrop",
    decide,
    MapScoreOptions,
    family="DREAM",
    label="DREAM: MapScore and smart frame drop",
)
