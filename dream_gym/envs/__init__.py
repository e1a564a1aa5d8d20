"""The Gymnasium face of the simulator."""

from dream_gym.envs.discount import TimeDiscount
from dream_gym.envs.dispatch.env import DreamRTMMDispatchEnv
from dream_gym.envs.dispatch.vector import DreamRTMMDispatchVectorEnv
from dream_gym.envs.tuning.env import DreamRTMMEnv
from dream_gym.envs.tuning.vector import DreamRTMMVectorEnv

__all__ = [
    "DreamRTMMDispatchEnv",
    "DreamRTMMDispatchVectorEnv",
    "DreamRTMMEnv",
    "DreamRTMMVectorEnv",
    "TimeDiscount",
]
