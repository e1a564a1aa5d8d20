"""The Gymnasium face of the simulator."""

from dream_gym.envs.dispatch.env import DreamRTMMDispatchEnv
from dream_gym.envs.tuning import DreamRTMMEnv

__all__ = ["DreamRTMMDispatchEnv", "DreamRTMMEnv"]
