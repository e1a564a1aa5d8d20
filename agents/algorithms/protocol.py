"""The protocol of an algorithm: it makes a learner, which trains and gives its actor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym

from dream_gym.players.actor import Actor
from dream_gym.players.checkpoint import Tensors
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

    def actor(self, env: gym.Env[Any, Any]) -> Actor:
        """An actor that acts as the learner would now, without exploring.

        Args:
            env: An environment as it is trained in.
        """

    def tensors(self) -> Tensors:
        """The checkpoint that a player is made from."""

    def state(self) -> bytes:
        """All that training is resumed from."""

    def note(self, name: str, value: float) -> None:
        """Log a figure to TensorBoard."""

    def close(self) -> None:
        """Close the environments."""


class Algorithm(Protocol):
    """One way to train an agent; a module of this folder."""

    @property
    def name(self) -> str:
        """What ``--algo`` and the files in configs/agents call it."""

    @property
    def environments(self) -> tuple[str, ...]:
        """Ids of the environments that it can learn in, the usual one first."""

    @property
    def loader(self) -> str:
        """What makes an actor from its checkpoints, see `dream_gym.players.actor.LOADERS`."""

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
