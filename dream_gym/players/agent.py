"""Trained agents as players."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym

from dream_gym.errors import ConfigError
from dream_gym.players.actor import Actor, load_actor, play_episode
from dream_gym.players.environments import make_cell_env
from dream_gym.players.run_folder import RunFolder
from dream_gym.schedulers import Family
from dream_gym.simulator import Cell, Result


class AgentPlayer:
    """The agent of a run folder: its best checkpoint, or the last if none was selected.

    Args:
        folder: The run folder.
        name: What tables call it, by default after its algorithm and folder.

    Raises:
        ConfigError: The folder is not a run folder, or has no checkpoint.
    """

    family: Family = "learned"

    def __init__(self, folder: Path, *, name: str = "") -> None:
        self._run = RunFolder.open(folder)
        self._record = self._run.playable
        self._tensors = self._run.tensors(self._record)
        self.name = name or f"{self._run.card.algorithm} ({folder.resolve().name})"
        self._actor: Actor | None = None
        self._latest: tuple[Cell, float, gym.Env[Any, Any]] | None = None

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Let it play; see `Player.run`."""
        env = self._env(cell, seconds)
        if self._actor is None:
            try:
                self._actor = load_actor(self._run.card, self._tensors, env)
            except ConfigError as error:
                raise ConfigError(f"{self._run.path / self._record.file}: {error}") from error
        return play_episode(env, self._actor, seed, record=record)

    @property
    def settings(self) -> dict[str, Any]:
        """The card of the run that it comes from, and the checkpoint that plays."""
        history = {"best", "last", "resume", "evaluations"}
        return {
            "family": self.family,
            "agent": self._run.card.model_dump(mode="json", by_alias=True, exclude=history),
            "checkpoint": self._record.model_dump(),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _agent_player, (self._run.path, self.name)

    def _env(self, cell: Cell, seconds: float) -> gym.Env[Any, Any]:
        """The environment of a cell; the latest is kept, since seeds follow one another."""
        if self._latest is None or self._latest[0] is not cell or self._latest[1] != seconds:
            env = make_cell_env(self._run.card, cell, seconds, name=self.name)
            self._latest = cell, seconds, env
        return self._latest[2]


def _agent_player(folder: Path, name: str) -> AgentPlayer:
    """Rebuild a pickled player."""
    return AgentPlayer(folder, name=name)
