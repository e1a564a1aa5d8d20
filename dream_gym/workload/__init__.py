"""What runs: layers, networks, scenarios, and the random life of a frame."""

from dream_gym.workload.layer import EarlyExit, Layer, Network, SkippableBlock

__all__ = ["EarlyExit", "Layer", "Network", "SkippableBlock"]
