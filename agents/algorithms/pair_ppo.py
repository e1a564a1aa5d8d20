"""PPO on the score of `learned`: on pairs of a frame and an accelerator, drops and waits.

Several runs of each world are drawn from the softmax of the score. A choice is as good as the costs
are low that follow it, in comparison with the other runs of its world at the same simulated time;
there is no value network. The gradient is that of PPO (Schulman et al., 2017).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from agents.gradients import GradientHyperparameters, GradientLearner, Kept
from agents.hyperparameters import Count
from agents.mirror import Batch
from agents.recordings import Choices, joined
from agents.rollouts import advantages, play, points_of
from agents.score import ScoreAlgorithm
from agents.worlds import Worlds
from dream_gym.players.run_folder import RunCard
from dream_gym.schedulers.learned.sampling import sampler
from dream_gym.simulator import Floats

CLIP = 0.2
"""How far the chance of a choice may move in a round, as a part of it, before it counts no more."""


class PairPpoHyperparameters(GradientHyperparameters):
    """Hyperparameters of `pair_ppo`.

    Args:
        runs: Runs of each world.
        horizon_ms: Time by which the costs that follow a choice fade.
        shortest_seconds: Simulated time of a run in the first round, which grows to the
            environment's ``episode_seconds`` in the last; by default it is that from the first.
        most_divergence: A round's epochs end where the policy is this far from the round's first.
        entropy: What a nat of entropy is worth.
    """

    runs: Annotated[Count, Field(ge=2, le=1024)] = 8
    horizon_ms: float = Field(default=200.0, gt=0)
    shortest_seconds: float | None = Field(default=None, gt=0, le=60)
    most_divergence: float = Field(default=0.02, gt=0)
    entropy: float = Field(default=0.0, ge=0)


class PairPpo(ScoreAlgorithm):
    """PPO on the score of `learned`."""

    name = "pair_ppo"
    hyperparameters = PairPpoHyperparameters
    libraries = ("numpy", "torch")

    def begin(self, card: RunCard, folder: Path) -> PairPpoLearner:
        """Begin a training; see `Algorithm.begin`."""
        return PairPpoLearner(card, folder, 0, None)

    def go_on(self, card: RunCard, folder: Path, rounds: int, kept: Any) -> PairPpoLearner:
        """See `ScoreAlgorithm.go_on`."""
        return PairPpoLearner(card, folder, rounds, kept)


class PairPpoLearner(GradientLearner):
    """A training in progress.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        rounds: How many it has done.
        kept: What it goes on from; None at the beginning.
    """

    def __init__(self, card: RunCard, folder: Path, rounds: int, kept: Kept | None) -> None:
        self._given = PairPpoHyperparameters.of(card)
        super().__init__(card, folder, self._given, rounds, kept)
        scheduler = sampler(self._given.hidden, self._given.choices)
        self._sampled = Worlds(card.environment_arguments, scheduler)

    def train_round(self, random: np.random.Generator) -> None:
        """Play some worlds several times each, and make what went better more likely."""
        given = self._given
        worlds = self._sampled.draw(random, given.worlds)
        runs = [run for run in worlds for _ in range(given.runs)]
        points = points_of(self.parameters, len(runs), given.choices, random)
        seconds = self._seconds()
        recordings, played = play(runs, points, seconds, given.hidden, given.choices)
        found = []
        for first in range(0, len(runs), given.runs):
            group = recordings[first : first + given.runs]
            found += advantages(group, self._sampled.objective, seconds, given.horizon_ms / 1000)
        advantage = np.concatenate(found)
        self.note("train/cost", float(np.exp(np.log(played.uxcost).mean())))
        self.note("train/seconds", seconds)
        choices = joined([recording.choices for recording in recordings])
        self._improve(choices, advantage / (advantage.std() + 1e-9), random)

    def _improve(self, choices: Choices, advantage: Floats, random: np.random.Generator) -> None:
        """Make choices more likely that were better than others, and the rest less."""
        whole, better = Batch.of(choices), torch.from_numpy(advantage).float()
        with torch.no_grad():
            before = self.log_chances(whole)[whole.taken]
        for _ in range(self._given.epochs):
            order = random.permutation(len(better))
            for picked in np.array_split(order, self._given.batches):
                batch = Batch.of(choices.some(picked))
                logs = self.log_chances(batch)
                ratio, worth = (logs[batch.taken] - before[picked]).exp(), better[picked]
                clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
                entropy = -(logs.exp() * logs).sum() / len(picked)
                gain = torch.min(ratio * worth, clipped * worth).mean()
                self.descend(-gain - self._given.entropy * entropy)
            with torch.no_grad():
                logs = self.log_chances(whole)
                divergence = float((before - logs[whole.taken]).mean())
            if divergence > self._given.most_divergence:
                break
        self.note("train/divergence", divergence)
        self.note("train/entropy", float(-(logs.exp() * logs).sum() / len(better)))

    def _seconds(self) -> float:
        """Simulated time of this round's runs."""
        last, first = self._sampled.seconds, self._given.shortest_seconds
        if first is None:
            return last
        return round(first + (last - first) * self._rounds / self._card.timesteps, 6)


ALGORITHM = PairPpo()
