"""dream_gym: a Gymnasium environment for scheduling real-time multi-model ML on SoCs."""

import gymnasium as _gymnasium

from dream_gym.api import simulate
from dream_gym.schedulers import Dispatch, Drop, Scheduler, View
from dream_gym.simulator import Result

__all__ = ["Dispatch", "Drop", "Result", "Scheduler", "View", "simulate"]

_gymnasium.register("DreamRTMM-v0", entry_point="dream_gym.envs:DreamRTMMEnv")
_gymnasium.register("DreamRTMM-Dispatch-v0", entry_point="dream_gym.envs:DreamRTMMDispatchEnv")
