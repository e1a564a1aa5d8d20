"""Training the weights of `learned` by gradients of the chances that its softmax gives choices."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import torch
from pydantic import Field
from torch import Tensor

from agents.hyperparameters import Count
from agents.mirror import Batch, Mirror
from agents.score import ScoreHyperparameters, ScoreLearner
from dream_gym.players.run_folder import RunCard
from dream_gym.simulator import Floats

Kept: TypeAlias = tuple[Floats, dict[str, Any], dict[str, Any]]
"""Parameters, and the states of network and optimiser."""


class GradientHyperparameters(ScoreHyperparameters):
    """Hyperparameters of training by gradients.

    Args:
        choices: How many choices are kept of each run.
        learning_rate: Of Adam.
        epochs: How often a round's choices are gone through, at most.
        batches: In how many parts.
        sharpness: Factor on the weights to begin with: the larger, the less random are choices.
    """

    choices: Annotated[Count, Field(ge=1, le=100_000)] = 128
    learning_rate: float = Field(gt=0, le=10)
    epochs: Annotated[Count, Field(ge=1, le=1000)]
    batches: Annotated[Count, Field(ge=1, le=1000)] = 4
    sharpness: float = Field(default=4.0, gt=0, le=1000)


class GradientLearner(ScoreLearner):
    """A training in progress.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        given: The hyperparameters.
        rounds: How many it has done.
        kept: What it goes on from; None at the beginning.
    """

    def __init__(
        self,
        card: RunCard,
        folder: Path,
        given: GradientHyperparameters,
        rounds: int,
        kept: Kept | None,
    ) -> None:
        torch.set_num_threads(1)  # faster for networks as small as these
        parameters = given.first_parameters(card.seed) if kept is None else kept[0]
        super().__init__(card, folder, parameters, rounds)
        self._network = Mirror(parameters)
        if kept is None:
            self._network.sharpen(given.sharpness)
        else:
            self._network.load_state_dict(kept[1])
        self._optimiser = torch.optim.Adam(self._network.parameters(), lr=given.learning_rate)
        if kept is not None:
            self._optimiser.load_state_dict(kept[2])

    @property
    def parameters(self) -> Floats:
        """Those of the network."""
        return self._network.parameters_now()

    @property
    def kept(self) -> Kept:
        """See `Kept`."""
        network, optimiser = self._network.state_dict(), self._optimiser.state_dict()
        return self.parameters, copy.deepcopy(network), copy.deepcopy(optimiser)

    def log_chances(self, batch: Batch) -> Tensor:
        """The logarithm of the chance of each option of a batch."""
        return batch.log_chances(self._network(batch.inputs, batch.kinds))

    def descend(self, loss: Tensor) -> None:
        """Take a step that makes a loss smaller."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()
