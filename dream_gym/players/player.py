"""What a player is: whatever can play a world."""

from __future__ import annotations

from typing import Any, Protocol

from dream_gym.schedulers import Family
from dream_gym.simulator import Cell, Result


class Player(Protocol):
    """Whatever can play a world; the result of `run` depends on its arguments only.

    It can be pickled, so that worker processes play it, too.
    """

    @property
    def name(self) -> str:
        """What tables and plots call it; unique in a benchmark."""

    @property
    def family(self) -> Family:
        """The kind of player that it is."""

    @property
    def settings(self) -> dict[str, Any]:
        """All that its runs depend on, except for the arguments of `run`; ready for JSON."""

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Play one world.

        Args:
            cell: Where it plays.
            seed: Seed of the world.
            seconds: Simulated time.
            record: Whether the result holds the frames and the timeline.

        Raises:
            ConfigError: The player does not fit the cell; names both.
        """
