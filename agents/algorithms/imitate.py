"""Imitation on the score of `learned`: of other schedulers, or of its own best runs.

With teachers, each world is played by all of them, and the one with the least cost there is
imitated in it: behaviour cloning. Without, each world is played several times by draws from the
softmax of the score, and the best run is imitated: self-labelling (Corsini et al., "Self-labeling
the job shop scheduling problem", NeurIPS 2024).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from agents.gradients import GradientHyperparameters, GradientLearner, Kept
from agents.hyperparameters import Count
from agents.mirror import Batch
from agents.recordings import Choices, decided, joined
from agents.rollouts import costs_to_go, play, points_of
from agents.score import ScoreAlgorithm
from agents.worlds import Worlds, costs_of
from dream_gym.errors import ConfigError
from dream_gym.players import CompiledPlayer, OptionValue, make_player
from dream_gym.players.run_folder import RunCard
from dream_gym.reading.resources import Config
from dream_gym.schedulers import BuiltinScheduler
from dream_gym.schedulers.learned.features import BUSY
from dream_gym.schedulers.learned.network import WAITS
from dream_gym.schedulers.learned.recording import FROM_NS, GRID
from dream_gym.schedulers.learned.sampling import recorded, sampler
from dream_gym.simulator import Ints
from dream_gym.units import NS_PER_S


class Teacher(Config):
    """A scheduler with options.

    Args:
        scheduler: A reference, see `dream_gym.players.make_player`.
        options: Its options.
    """

    scheduler: str
    options: dict[str, OptionValue] = Field(default_factory=dict)


class ImitateHyperparameters(GradientHyperparameters):
    """Hyperparameters of `imitate`.

    Args:
        teachers: Compiled schedulers, by their references or as `Teacher`; without any, its own
            best runs are imitated.
        runs: Runs of each world without teachers. They share their first part, of random length up
            to half the run, and are drawn apart from there.
    """

    teachers: tuple[str | Teacher, ...] = ()
    runs: Annotated[Count, Field(ge=2, le=1024)] = 16


def _teacher(given: str | Teacher, capacity: int) -> BuiltinScheduler:
    """A teacher that records.

    Raises:
        ConfigError: It is unknown, or not compiled.
    """
    teacher = Teacher(scheduler=given) if isinstance(given, str) else given
    player = make_player(teacher.scheduler, teacher.options)
    if not isinstance(player, CompiledPlayer):
        raise ConfigError(f"teachers: {player.name} is not compiled, and cannot be imitated")
    return recorded(player.scheduler, capacity, **player.options)


class Imitate(ScoreAlgorithm):
    """Imitation on the score of `learned`."""

    name = "imitate"
    hyperparameters = ImitateHyperparameters
    libraries = ("numpy", "torch")

    def begin(self, card: RunCard, folder: Path) -> ImitateLearner:
        """Begin a training; see `Algorithm.begin`."""
        return ImitateLearner(card, folder, 0, None)

    def go_on(self, card: RunCard, folder: Path, rounds: int, kept: Any) -> ImitateLearner:
        """See `ScoreAlgorithm.go_on`."""
        return ImitateLearner(card, folder, rounds, kept)


class ImitateLearner(GradientLearner):
    """A training in progress.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        rounds: How many it has done.
        kept: What it goes on from; None at the beginning.

    Raises:
        ConfigError: A teacher is unknown, or not compiled.
    """

    def __init__(self, card: RunCard, folder: Path, rounds: int, kept: Kept | None) -> None:
        self._given = ImitateHyperparameters.of(card)
        super().__init__(card, folder, self._given, rounds, kept)
        capacity = self._given.choices
        schedulers = [_teacher(reference, capacity) for reference in self._given.teachers]
        schedulers = schedulers or [sampler(self._given.hidden, capacity)]
        self._played = [Worlds(card.environment_arguments, each) for each in schedulers]

    def train_round(self, random: np.random.Generator) -> None:
        """Play some worlds, and imitate the best run of each."""
        choices = self._taught(random) if self._given.teachers else self._own_best(random)
        self.agreement = float(np.mean(self._decided(choices) == choices.taken))
        self.note("train/agreement", self.agreement)
        for _ in range(self._given.epochs):
            order = random.permutation(len(choices.taken))
            for picked in np.array_split(order, self._given.batches):
                self.descend(self._loss(choices.some(picked)))

    def _taught(self, random: np.random.Generator) -> Choices:
        """Choices of the best teacher of each world."""
        capacity, state = self._given.choices, random.bit_generator.state
        found, costs = [], []
        for worlds in self._played:
            random.bit_generator.state = state  # the same worlds for all
            runs = worlds.draw(random, self._given.worlds)
            points = worlds.player.parameters[np.newaxis]
            recordings, played = play(runs, points, worlds.seconds, 0, capacity)
            found.append(recordings)
            costs.append(costs_of(played, worlds.objective))
        best = np.argmin(costs, axis=0)
        picked = [found[teacher][world] for world, teacher in enumerate(best.tolist())]
        unknown = sum(recording.unknown for recording in picked)
        choices = joined([recording.choices for recording in picked])
        self.note("train/teacher", float(np.exp(np.log(np.min(costs, axis=0)).mean())))
        self.note("train/unknown", unknown / (unknown + len(choices.taken)))
        return choices

    def _own_best(self, random: np.random.Generator) -> Choices:
        """Choices of the best of several runs of each world, from where they part."""
        given, worlds = self._given, self._played[0]
        drawn = worlds.draw(random, given.worlds)
        runs = [run for run in drawn for _ in range(given.runs)]
        points = points_of(self.parameters, len(runs), given.choices, random)
        shared = random.integers(GRID // 2, size=given.worlds)
        points[:, FROM_NS] = np.repeat(shared, given.runs) / GRID * worlds.seconds * NS_PER_S
        recordings, played = play(runs, points, worlds.seconds, given.hidden, given.choices)
        picked = []
        for world, at in enumerate(shared.tolist()):
            group = recordings[world * given.runs : (world + 1) * given.runs]
            costs = costs_to_go(group, worlds.objective, worlds.seconds, np.inf)[:, at]
            picked.append(group[int(np.argmin(costs))].choices)
        self.note("train/cost", float(np.exp(np.log(costs_of(played, worlds.objective)).mean())))
        return joined(picked)

    def _decided(self, choices: Choices) -> Ints:
        """What it would decide in place of choices, as options within each."""
        with torch.no_grad():
            batch = Batch.of(choices)
            scores = self._network(batch.inputs, batch.kinds).numpy()
        return decided(choices, scores)

    def _loss(self, choices: Choices) -> Tensor:
        """How unlikely the choices are.

        A teacher never says that a frame waits for a busy accelerator. So what it dispatches or
        drops is compared with other frames on idle accelerators only; and where it waits, any of
        the choices to wait will do.
        """
        batch = Batch.of(choices)
        scores = self._network(batch.inputs, batch.kinds)
        if not self._given.teachers:
            return -batch.log_chances(scores)[batch.taken].mean()
        busy = choices.inputs[:, BUSY] != 0.0
        taken = choices.taken_options
        waits = (choices.kinds[taken] == WAITS)[choices.choice]
        own = choices.frames == choices.frames[taken][choices.choice]
        among = torch.from_numpy(~busy | own | waits)
        right = np.zeros(len(busy), dtype=bool)
        right[taken] = True
        right |= busy & waits
        wrong = torch.tensor(-torch.inf)
        all_of_them = batch.log_sums(scores.where(among, wrong))
        return (all_of_them - batch.log_sums(scores.where(torch.from_numpy(right), wrong))).mean()


ALGORITHM = Imitate()
