"""What runs: layers, networks, scenarios, and the random life of a frame."""

from dream_gym.workload.layer import EarlyExit, Layer, Network, SkippableBlock
from dream_gym.workload.networks import NETWORKS, build_network
from dream_gym.workload.scenario import (
    Dependency,
    ModelSpec,
    NetworkReference,
    Scenario,
    load_scenario,
)

__all__ = [
    "NETWORKS",
    "Dependency",
    "EarlyExit",
    "Layer",
    "ModelSpec",
    "Network",
    "NetworkReference",
    "Scenario",
    "SkippableBlock",
    "build_network",
    "load_scenario",
]
