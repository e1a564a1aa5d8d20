"""The protocol of an algorithm: it makes a learner, which trains and gives its actor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from agents.hyperparameters import Hyperparameters
from dream_gym.players.run_folder import RunCard


class Learner(Protocol):
    """A training in progress."""

    @property
    def timesteps(self) -> int:
        """Steps that it was trained for."""

    def learn(self, timesteps: int, on_step: Callable[[], bool]) -> None:
        """Train.

        Args:
            timesteps: Steps of the whole run, at which it ends.
            on_step: Called after every step of the environments; False ends the training.
        """

    def evaluate(self) -> float:
        """The geometric mean of UXCost in the worlds to select on, as it would play now."""

    def checkpoint(self) -> bytes:
        """The content of the file that a player is made from."""

    def state(self) -> bytes:
        """All that training is resumed from."""

    def note(self, name: str, value: float) -> None:
        """Log a figure to TensorBoard."""

    def close(self) -> None:
        """Free what it holds, such as environments."""


class Algorithm(Protocol):
    """One way to train an agent; a module of this folder."""

    @property
    def name(self) -> str:
        """What ``--algo`` and the files in configs/agents call it."""

    @property
    def environments(self) -> tuple[str, ...]:
        """Ids of the environments that it can learn in, the usual one first, see `RunCard`."""

    @property
    def loader(self) -> str:
        """What makes a player from its checkpoints, see `RunCard`."""

    @property
    def hyperparameters(self) -> type[Hyperparameters]:
        """The class of its hyperparameters."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """Packages whose objects training is resumed from."""

    def layout(self, environment: str, arguments: dict[str, Any]) -> tuple[str, dict[str, int]]:
        """What an agent sees and does, as a digest, and its sizes, see `RunCard`.

        Raises:
            ConfigError: An argument of the environment is unknown or malformed.
        """

    def begin(self, card: RunCard, folder: Path) -> Learner:
        """Begin a training.

        Args:
            card: What is to be trained.
            folder: Where TensorBoard's files go.

        Raises:
            ConfigError: A hyperparameter is malformed.
        """

    def resume(self, card: RunCard, folder: Path, state: bytes) -> Learner:
        """Resume a training from what `Learner.state` returned.

        Raises:
            ConfigError: The state cannot be read.
        """
