"""What happens during a training run: selection of the best checkpoint, and progress."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from types import FrameType

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from dream_gym.analysis.agents import (
    BEST,
    LAST,
    Agent,
    RunCard,
    make_agent_env,
    play,
    write_checkpoint,
)
from dream_gym.workload import selection_seeds

EVALUATIONS = "evaluations.csv"
_SELECTION_EPISODES = 20
_EVALUATIONS_PER_RUN = 20


class SelectionCallback(BaseCallback):
    """Plays the selection seeds now and then, and keeps the best and the last checkpoint.

    The figure is mean UXCost under deterministic actions, whatever reward the agent learns from.
    It goes to ``evaluations.csv`` and to TensorBoard as ``selection/uxcost``.

    Args:
        card: The run.
        folder: Its folder.
        normalizer: The normaliser of its observations.
    """

    def __init__(self, card: RunCard, folder: Path, normalizer: VecNormalize) -> None:
        super().__init__()
        self._card = card
        self._folder = folder
        self._normalizer = normalizer
        self._env = make_agent_env(card)
        self._every = max(card.timesteps // _EVALUATIONS_PER_RUN, 1)
        self._evaluated = -1
        self._best = min((row[1] for row in _read_evaluations(folder)), default=np.inf)

    def _on_training_start(self) -> None:
        self._next = self.num_timesteps + self._every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += self._every
            self._evaluate()
        return True

    def _on_training_end(self) -> None:
        self._evaluate()

    def _evaluate(self) -> None:
        if self.num_timesteps == self._evaluated:
            return
        self._evaluated = self.num_timesteps
        agent = Agent("candidate", self._card, self.model, self._normalizer)
        seeds = selection_seeds(_SELECTION_EPISODES)
        uxcost = float(np.mean([play(self._env, agent, seed).uxcost for seed in seeds]))
        self.logger.record("selection/uxcost", uxcost)
        with (self._folder / EVALUATIONS).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([self.num_timesteps, uxcost])
        if uxcost < self._best:
            self._best = uxcost
            write_checkpoint(self._folder / BEST, self.model, self._normalizer)
        write_checkpoint(self._folder / LAST, self.model, self._normalizer)


def _read_evaluations(folder: Path) -> list[tuple[int, float]]:
    path = folder / EVALUATIONS
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row[0]), float(row[1])) for row in csv.reader(file)]


class InterruptCallback(BaseCallback):
    """Ends a run at the next step after Ctrl-C, so that no file is left half-written.

    A second Ctrl-C interrupts at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False

    def _on_training_start(self) -> None:
        self._previous = signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, self._previous)

    def _on_step(self) -> bool:
        return not self.interrupted

    def _on_training_end(self) -> None:
        signal.signal(signal.SIGINT, self._previous)


class ProgressCallback(BaseCallback):
    """A progress bar over the steps of a run.

    Args:
        timesteps: Steps of the whole run.
    """

    def __init__(self, timesteps: int) -> None:
        super().__init__()
        self._timesteps = timesteps
        self._progress = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        )

    def _on_training_start(self) -> None:
        self._task = self._progress.add_task("", total=self._timesteps)
        self._progress.start()

    def _on_step(self) -> bool:
        self._progress.update(self._task, completed=min(self.num_timesteps, self._timesteps))
        return True

    def _on_training_end(self) -> None:
        self._progress.stop()
