"""What runs: layers, networks, scenarios, and the random life of a frame."""

from dream_gym.workload.layer import EarlyExit, Layer, Network, SkippableBlock
from dream_gym.workload.networks import NETWORKS, build_network
from dream_gym.workload.onnx.importing import from_onnx
from dream_gym.workload.recording import RecordedFrames, read_recording, write_recording
from dream_gym.workload.references import OnnxReference
from dream_gym.workload.scenario import (
    Dependency,
    ModelSpec,
    Phase,
    Scenario,
    load_scenario,
)
from dream_gym.workload.seeds import (
    EVALUATION,
    SEEDS_PER_PURPOSE,
    SELECTION,
    TRAINING,
    evaluation_seeds,
    selection_seeds,
    training_seeds,
)
from dream_gym.workload.variation import is_one_world, vary

__all__ = [
    "EVALUATION",
    "NETWORKS",
    "SEEDS_PER_PURPOSE",
    "SELECTION",
    "TRAINING",
    "Dependency",
    "EarlyExit",
    "Layer",
    "ModelSpec",
    "Network",
    "OnnxReference",
    "Phase",
    "RecordedFrames",
    "Scenario",
    "SkippableBlock",
    "build_network",
    "evaluation_seeds",
    "from_onnx",
    "is_one_world",
    "load_scenario",
    "read_recording",
    "selection_seeds",
    "training_seeds",
    "vary",
    "write_recording",
]
