"""RAPID-RL: indoor navigation that stops computing once it is sure of the action."""

from __future__ import annotations

from dream_gym.errors import ConfigError
from dream_gym.workload.layer import EarlyExit, Network
from dream_gym.workload.networks.builder import ChainBuilder


def rapid_rl(first_exit: float = 0.8, second_exit: float = 0.5) -> Network:
    """The deep Q-network C3F2 on a 103×103 image, with exits after its first two convolutions.

    The exits' own small branches are not counted. In the publication, a frame runs a quarter of
    the operations on average. Here the first convolution alone is 0.43 of them, so no choice of
    probabilities gives less. The defaults are our choice; with them the average is 0.54.

    Args:
        first_exit: Probability that a frame leaves after the first convolution.
        second_exit: Probability that a frame that gets to the second leaves after it.
    """
    for parameter, probability in (("first_exit", first_exit), ("second_exit", second_exit)):
        if not 0 <= probability <= 1:
            raise ConfigError(f"rapid_rl: {parameter} must be in [0, 1], got {probability}")
    net = ChainBuilder(3, 103, 103)
    net.conv("conv1", 96, 7, 4, padding="valid")
    net.pool(3, 2)
    net.conv("conv2", 64, 5, padding="valid")
    net.pool(2)
    net.conv("conv3", 64, 3)
    net.fc("fc1", 1024)
    net.fc("fc2", 25)
    return Network(
        "rapid_rl",
        tuple(net.layers),
        source="Kosta et al., RAPID-RL: A Reconfigurable Architecture with Preemptive-Exits for "
        "Efficient Deep-Reinforcement Learning, ICRA 2022",
        exits=(EarlyExit(0, first_exit), EarlyExit(1, second_exit)),
    )
