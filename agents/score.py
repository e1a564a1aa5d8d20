"""What the algorithms that train the weights of `learned` have in common."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from agents.algorithms.protocol import Learner
from agents.hyperparameters import Count, Hyperparameters
from agents.log import Log
from agents.worlds import Worlds
from dream_gym.errors import ConfigError
from dream_gym.players.run_folder import RunCard
from dream_gym.schedulers.learned import find_weights, learned_with
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.schedulers.learned.weights import first_parameters, pack_weights, widened
from dream_gym.simulator import Floats


class ScoreHyperparameters(Hyperparameters):
    """Hyperparameters of all of them; a step is a round.

    Args:
        hidden: Hidden units of the network; 0 for a linear score.
        block_ms: The most time of a block of layers.
        variants: Whether Supernets run the variants that DREAM's rule chooses.
        worlds: How many worlds are played in a round.
        start: Weights to begin with, of at most as many hidden units: a path, or
            ``shipped:generalist``; by default the earliest finish of the most urgent frame.
    """

    hidden: Annotated[Count, Field(ge=0, le=256)] = 0
    block_ms: float = Field(default=0.25, ge=0, le=1000)
    variants: bool = False
    worlds: Annotated[Count, Field(ge=1, le=4096)]
    start: str | None = None

    def first_parameters(self, seed: int) -> Floats:
        """Header and weights to begin with."""
        first = first_parameters(self.hidden, self.block_ms, self.variants, seed)
        if self.start is None:
            return first
        return widened(find_weights(self.start).parameters, first)


class ScoreAlgorithm(ABC):
    """An algorithm that trains weights; see `agents.algorithms.protocol.Algorithm`."""

    name: ClassVar[str]
    hyperparameters: ClassVar[type[ScoreHyperparameters]]
    libraries: ClassVar[tuple[str, ...]]
    environments = ("learned",)
    loader = "learned"

    def layout(self, environment: str, arguments: dict[str, Any]) -> tuple[str, dict[str, int]]:
        """See `Algorithm.layout`; files of weights carry the names of their inputs."""
        return ",".join(INPUT_NAMES), {}

    @abstractmethod
    def begin(self, card: RunCard, folder: Path) -> Learner:
        """Begin a training; see `Algorithm.begin`."""

    def resume(self, card: RunCard, folder: Path, state: bytes) -> Learner:
        """Resume a training; see `Algorithm.resume`. This reads a pickle."""
        try:
            rounds, kept = pickle.loads(state)
        except Exception as error:  # a damaged pickle may raise anything
            raise ConfigError(f"{folder}: cannot be resumed: {error}") from error
        return self.go_on(card, folder, rounds, kept)

    @abstractmethod
    def go_on(self, card: RunCard, folder: Path, rounds: int, kept: Any) -> Learner:
        """Resume a training after so many rounds from what `ScoreLearner.kept` was."""


class ScoreLearner(ABC):
    """A training in progress; see `agents.algorithms.protocol.Learner`.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        parameters: Header and any weights.
        rounds: How many it has done.
    """

    def __init__(self, card: RunCard, folder: Path, parameters: Floats, rounds: int) -> None:
        self._card = card
        self._worlds = Worlds(card.environment_arguments, learned_with(parameters))
        self._rounds = rounds
        self._log = Log(folder)

    @property
    @abstractmethod
    def parameters(self) -> Floats:
        """Header and weights of today."""

    @property
    @abstractmethod
    def kept(self) -> Any:
        """What it goes on from, to be pickled."""

    @abstractmethod
    def train_round(self, random: np.random.Generator) -> None:
        """Do a round; all that is random in it comes from the generator."""

    @property
    def timesteps(self) -> int:
        """Rounds that it has done."""
        return self._rounds

    def learn(self, timesteps: int, on_step: Callable[[], bool]) -> None:
        """Train; see `Learner.learn`."""
        going = True
        while going and self._rounds < timesteps:
            random = np.random.default_rng([self._card.seed, self._rounds])
            self._rounds += 1
            self.train_round(random)
            going = on_step()

    def evaluate(self) -> float:
        """See `Learner.evaluate`."""
        return self._worlds.select(self.parameters)

    def checkpoint(self) -> bytes:
        """A file of weights."""
        about = {"command": self._card.command, "seed": self._card.seed, "rounds": self._rounds}
        return pack_weights(self.parameters, about)

    def state(self) -> bytes:
        """Rounds, and what the algorithm keeps."""
        return pickle.dumps((self._rounds, self.kept))

    def note(self, name: str, value: float) -> None:
        """Log a figure."""
        self._log.note(name, value, self._rounds)

    def close(self) -> None:
        """Close the log."""
        self._log.close()
