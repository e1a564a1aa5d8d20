"""What happens during a training run: selection of the best checkpoint, and progress."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from dream_gym.errors import ConfigError
from dream_gym.files import write_text
from dream_gym.players.agent import (
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
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        self._uxcosts = _read_evaluations(folder / EVALUATIONS)

    def record(self) -> None:
        """Keep the last checkpoint, and evaluate it unless that was done; the best is kept, too.

        The row comes last: a run that is killed before it, and resumed from its last checkpoint,
        evaluates the same weights again, to the same end.
        """
        steps = self.model.num_timesteps
        write_checkpoint(self._folder / LAST, self.model, self._normalizer)
        if steps in self._uxcosts:
            return
        agent = Agent("candidate", self._card, self.model, self._normalizer)
        seeds = selection_seeds(_SELECTION_EPISODES)
        uxcost = float(np.mean([play(self._env, agent, seed).uxcost for seed in seeds]))
        if uxcost < min(self._uxcosts.values(), default=np.inf):
            write_checkpoint(self._folder / BEST, self.model, self._normalizer)
        self._uxcosts[steps] = uxcost
        rows = [f"{steps},{uxcost!r}\n" for steps, uxcost in self._uxcosts.items()]
        write_text(self._folder / EVALUATIONS, "".join(rows))

    def _on_training_start(self) -> None:
        self._next = self.num_timesteps + self._every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += self._every
            self.record()
            self.logger.record("selection/uxcost", self._uxcosts[self.num_timesteps])
        return True

    def _on_training_end(self) -> None:
        self.record()


def _read_evaluations(path: Path) -> dict[int, float]:
    """Mean UXCost by steps; a last line that was cut off is done without.

    Raises:
        ConfigError: Another line is malformed.
    """
    if not path.exists():
        return {}
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    found: dict[int, float] = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            steps, uxcost = line.split(",")
            found[int(steps)] = float(uxcost)
        except ValueError as error:
            raise ConfigError(f"{path}: line {number}: expected steps,uxcost: {error}") from error
    return found


class InterruptCallback(BaseCallback):
    """Ends a run at the next step after Ctrl-C or SIGTERM, so that nothing is lost.

    A second one ends it at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False

    def _on_training_start(self) -> None:
        self._previous = {number: signal.signal(number, self._interrupt) for number in _SIGNALS}

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_step(self) -> bool:
        return not self.interrupted

    def _on_training_end(self) -> None:
        self._restore()


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
