"""dream_gym: a Gymnasium environment for scheduling real-time multi-model ML on SoCs."""

import gymnasium as _gymnasium

from dream_gym.api import generate, simulate
from dream_gym.players import ManyResults, simulate_many
from dream_gym.schedulers import Dispatch, Drop, Scheduler, View
from dream_gym.simulator import Cell, Result

__all__ = [
    "Cell",
    "Dispatch",
    "Drop",
    "ManyResults",
    "Result",
    "Scheduler",
    "View",
    "generate",
    "simulate",
    "simulate_many",
]

for _id, _name in (("DreamRTMM-v0", "DreamRTMM"), ("DreamRTMM-Dispatch-v0", "DreamRTMMDispatch")):
    _gymnasium.register(
        _id,
        entry_point=f"dream_gym.envs:{_name}Env",
        vector_entry_point=f"dream_gym.envs:{_name}VectorEnv",
    )
