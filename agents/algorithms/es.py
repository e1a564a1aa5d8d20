"""Evolution strategies on the weights of the scheduler `learned`.

A generation is a number of sets of weights, which all play the same worlds; what counts is the mean
of log UXCost, or of another objective. What is selected and played is the mean of the search.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from agents.hyperparameters import Count
from agents.score import ScoreAlgorithm, ScoreHyperparameters, ScoreLearner
from agents.strategies import CmaEs, OpenAiEs, Strategy
from dream_gym.players.run_folder import RunCard
from dream_gym.schedulers.learned.weights import trained_places
from dream_gym.simulator import Floats


class EsHyperparameters(ScoreHyperparameters):
    """Hyperparameters of evolution strategies; a round is a generation.

    Args:
        strategy: ``cma``, or ``openai`` for more than a few hundred weights.
        population: Sets of weights of a generation.
        step_size: How far from the mean they are, at first.
        learning_rate: Of ``openai``.
    """

    strategy: Literal["cma", "openai"] = "cma"
    population: Annotated[Count, Field(ge=4, le=4096, multiple_of=2)]
    step_size: float = Field(gt=0, le=10)
    learning_rate: float = Field(default=0.05, gt=0, le=10)


class Es(ScoreAlgorithm):
    """Evolution strategies."""

    name = "es"
    hyperparameters = EsHyperparameters
    libraries = ("cma", "numpy")

    def begin(self, card: RunCard, folder: Path) -> EsLearner:
        """Begin a training; see `Algorithm.begin`."""
        given = EsHyperparameters.of(card)
        start = given.first_parameters(card.seed)
        at = start[trained_places(given.hidden)]
        strategy: Strategy
        if given.strategy == "cma":
            strategy = CmaEs(at, given.population, given.step_size, card.seed)
        else:
            strategy = OpenAiEs(
                at, given.population, given.step_size, given.learning_rate, card.seed
            )
        return EsLearner(card, folder, 0, start, strategy)

    def go_on(self, card: RunCard, folder: Path, rounds: int, kept: Any) -> EsLearner:
        """See `ScoreAlgorithm.go_on`."""
        return EsLearner(card, folder, rounds, *kept)


class EsLearner(ScoreLearner):
    """A search in progress.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        rounds: How many generations it has done.
        start: Header and weights that the search began with.
        strategy: The search.
    """

    def __init__(
        self, card: RunCard, folder: Path, rounds: int, start: Floats, strategy: Strategy
    ) -> None:
        super().__init__(card, folder, start, rounds)
        self._given = EsHyperparameters.of(card)
        self._start = start
        self._places = trained_places(self._given.hidden)
        self._strategy = strategy

    @property
    def parameters(self) -> Floats:
        """Those of the mean."""
        return self._whole(self._strategy.mean)

    @property
    def kept(self) -> tuple[Floats, Strategy]:
        """Where it began, and the search."""
        return self._start, self._strategy

    def train_round(self, random: np.random.Generator) -> None:
        """A generation."""
        points = self._strategy.ask()
        runs = self._worlds.draw(random, self._given.worlds)
        costs = self._worlds.train([self._whole(point) for point in points], runs)
        self._strategy.tell(points, costs)
        self.note("train/cost", float(np.exp(costs.mean())))
        self.note("train/step_size", self._strategy.step_size)

    def _whole(self, point: Floats) -> Floats:
        """The parameters of a point, in the precision of files, so that all is as it will play."""
        parameters = self._start.copy()
        parameters[self._places] = point.astype(np.float32)
        return parameters


ALGORITHM = Es()
