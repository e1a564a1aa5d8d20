"""The Gymnasium face of the simulator."""

from dream_gym.envs.tuning import DreamRTMMEnv

__all__ = ["DreamRTMMEnv"]
