"""Evolution strategies on the weights of the scheduler `learned`.

A generation is a number of sets of weights, which all play the same worlds; what counts is the mean
of log UXCost, or of another objective. What is selected and played is the mean of the search.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from agents.hyperparameters import Count, Hyperparameters
from agents.log import Log
from agents.strategies import CmaEs, OpenAiEs, Strategy
from agents.worlds import Worlds
from dream_gym.errors import ConfigError
from dream_gym.players.run_folder import RunCard
from dream_gym.schedulers.learned import find_weights
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.schedulers.learned.weights import (
    first_parameters,
    pack_weights,
    trained_places,
    widened,
)
from dream_gym.simulator import Floats


class EsHyperparameters(Hyperparameters):
    """Hyperparameters of evolution strategies; a step is a generation.

    Args:
        strategy: ``cma``, or ``openai`` for more than a few hundred weights.
        hidden: Hidden units of the network; 0 for a linear score.
        block_ms: The most time of a block of layers.
        variants: Whether Supernets run the variants that DREAM's rule chooses.
        population: Sets of weights of a generation.
        worlds: How many worlds all of them play.
        step_size: How far from the mean they are, at first.
        learning_rate: Of ``openai``.
        start: Weights to begin with, of at most as many hidden units: a path, or
            ``shipped:generalist``; by default the earliest finish of the most urgent frame.
    """

    strategy: Literal["cma", "openai"] = "cma"
    hidden: Annotated[Count, Field(ge=0, le=256)] = 0
    block_ms: float = Field(default=0.25, ge=0, le=1000)
    variants: bool = False
    population: Annotated[Count, Field(ge=4, le=4096, multiple_of=2)]
    worlds: Annotated[Count, Field(ge=1, le=4096)]
    step_size: float = Field(gt=0, le=10)
    learning_rate: float = Field(default=0.05, gt=0, le=10)
    start: str | None = None


class Es:
    """Evolution strategies; see `agents.algorithms.protocol.Algorithm`."""

    name = "es"
    environments = ("learned",)
    loader = "learned"
    hyperparameters = EsHyperparameters
    libraries = ("cma", "numpy")

    def layout(self, environment: str, arguments: dict[str, Any]) -> tuple[str, dict[str, int]]:
        """See `Algorithm.layout`; files of weights carry the names of their inputs."""
        return ",".join(INPUT_NAMES), {}

    def begin(self, card: RunCard, folder: Path) -> EsLearner:
        """Begin a training; see `Algorithm.begin`."""
        given = EsHyperparameters.of(card)
        start = first_parameters(given.hidden, given.block_ms, given.variants, card.seed)
        if given.start is not None:
            start = widened(find_weights(given.start).parameters, start)
        places = trained_places(given.hidden)
        at = start[places]
        strategy: Strategy
        if given.strategy == "cma":
            strategy = CmaEs(at, given.population, given.step_size, card.seed)
        else:
            strategy = OpenAiEs(
                at, given.population, given.step_size, given.learning_rate, card.seed
            )
        return EsLearner(card, folder, start, strategy, 0)

    def resume(self, card: RunCard, folder: Path, state: bytes) -> EsLearner:
        """Resume a training; see `Algorithm.resume`. This reads a pickle."""
        try:
            start, strategy, generations = pickle.loads(state)
        except Exception as error:  # a damaged pickle may raise anything
            raise ConfigError(f"{folder}: cannot be resumed: {error}") from error
        return EsLearner(card, folder, start, strategy, generations)


class EsLearner:
    """A search in progress; see `agents.algorithms.protocol.Learner`.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        start: Header and weights that the search began with.
        strategy: The search.
        generations: How many it has done.
    """

    def __init__(
        self, card: RunCard, folder: Path, start: Floats, strategy: Strategy, generations: int
    ) -> None:
        self._card = card
        self._given = EsHyperparameters.of(card)
        self._worlds = Worlds(card.environment_arguments, start)
        self._start = start
        self._places = trained_places(self._given.hidden)
        self._strategy = strategy
        self._generations = generations
        self._log = Log(folder)

    @property
    def timesteps(self) -> int:
        """Generations that it has done."""
        return self._generations

    def learn(self, timesteps: int, on_step: Callable[[], bool]) -> None:
        """Search; see `Learner.learn`."""
        going = True
        while going and self._generations < timesteps:
            random = np.random.default_rng([self._card.seed, self._generations])
            points = self._strategy.ask()
            runs = self._worlds.draw(random, self._given.worlds)
            costs = self._worlds.train([self._whole(point) for point in points], runs)
            self._strategy.tell(points, costs)
            self._generations += 1
            self.note("train/cost", float(np.exp(costs.mean())))
            self.note("train/step_size", self._strategy.step_size)
            going = on_step()

    def evaluate(self) -> float:
        """See `Learner.evaluate`."""
        return self._worlds.select(self._whole(self._strategy.mean))

    def checkpoint(self) -> bytes:
        """A file of weights."""
        about = {"command": self._card.command, "seed": self._card.seed}
        about["generations"] = self._generations
        return pack_weights(self._whole(self._strategy.mean), about)

    def state(self) -> bytes:
        """The search."""
        return pickle.dumps((self._start, self._strategy, self._generations))

    def note(self, name: str, value: float) -> None:
        """Log a figure."""
        self._log.note(name, value, self._generations)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _whole(self, point: Floats) -> Floats:
        """The parameters of a point, in the precision of files, so that all is as it will play."""
        parameters = self._start.copy()
        parameters[self._places] = point.astype(np.float32)
        return parameters


ALGORITHM = Es()
