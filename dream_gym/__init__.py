"""dream_gym: a Gymnasium environment for scheduling real-time multi-model ML on SoCs."""

from dream_gym.api import simulate

__all__ = ["simulate"]
