"""What runs: layers, networks, scenarios, and the random life of a frame."""

from dream_gym.workload.layer import EarlyExit, Layer, Network, SkippableBlock
from dream_gym.workload.networks import NETWORKS, build_network

__all__ = ["NETWORKS", "EarlyExit", "Layer", "Network", "SkippableBlock", "build_network"]
