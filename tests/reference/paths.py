"""The way of a frame through its network: what it skips, where it leaves, what runs as one."""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.workload import Network
from tests.reference.chance import EXIT, SKIP, draw, happens


class Luck(NamedTuple):
    """Whose draws decide at the forks."""

    seed: int
    model: int
    frame: int

    def skips(self, block: int, probability: float) -> bool:
        return happens(draw(self.seed, SKIP, self.model, self.frame, block), probability)

    def leaves(self, exit_: int, probability: float) -> bool:
        return happens(draw(self.seed, EXIT, self.model, self.frame, exit_), probability)


def layer_after(network: Network, layer: int, luck: Luck) -> int | None:
    """The layer that a frame runs after another, or None where it is complete."""
    for index, early_exit in enumerate(network.exits):
        if early_exit.layer == layer and luck.leaves(index, early_exit.probability):
            return None
    following = layer + 1
    for index, block in enumerate(network.blocks):  # in order, so one skip may lead to the next
        if block.first == following and luck.skips(index, block.probability):
            following = block.stop
    return following if following < len(network.layers) else None


def path(network: Network, luck: Luck) -> list[int]:
    """All layers that a frame runs, from the first to where it is complete."""
    found = [0]
    while (following := layer_after(network, found[-1], luck)) is not None:
        found.append(following)
    return found


def block_of(network: Network, first: int, layers: int) -> range:
    """The layers that run as one if so many are asked for: not past a fork, drawn or not."""
    stop = first + 1
    while (
        stop < min(first + layers, len(network.layers))
        and all(early_exit.layer != stop - 1 for early_exit in network.exits)
        and all(block.first != stop for block in network.blocks)
    ):
        stop += 1
    return range(first, stop)
