"""Run folders: what a trained agent is, and how its training went.

The card, ``card.json``, is the whole truth. It names the files that belong to the run, with their
digests: the best and the last checkpoint, which hold no code (numbers in safetensors, or a rule in
JSON), and what training is resumed from, which may hold pickles and is read by ``train.py
--resume`` alone. Files are written before the card that names them, and removed when none does: a
kill at any moment leaves the run as it was before or after. ``evaluations.csv`` is written for
people, from the card.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field

from dream_gym.errors import ConfigError
from dream_gym.files import write_text
from dream_gym.players.checkpoint import FileOnRecord, read_file, unpack, write_file
from dream_gym.reading.resources import Config, read

CARD, EVALUATIONS = "card.json", "evaluations.csv"
_OLD_CARD = "run.yaml"
EnvironmentId: TypeAlias = Literal["DreamRTMM-v0", "DreamRTMM-Dispatch-v0", "learned", "evolved"]
_SUFFIXES = {"evolved": ".json"}
"""What the names of checkpoints end with, by loader, where it is not ``.safetensors``."""


class Evaluation(Config):
    """How an agent played the selection seeds.

    Args:
        timesteps: Steps that it had been trained for.
        uxcost: Its geometric mean, or what else is minimised.
    """

    timesteps: int = Field(ge=0)
    uxcost: float


class RunCard(Config):
    """What a training run is.

    Args:
        schema_version: Version of this file, 2.
        loader: What makes a player from a checkpoint: a key of `dream_gym.players.actor.LOADERS`,
            or ``learned`` or ``evolved``, whose checkpoints are files of that scheduler.
        algorithm: Name of the algorithm.
        environment: Id of the environment; or ``learned`` or ``evolved``, the scheduler whose
            weights or rule are trained in simulations.
        environment_arguments: Its arguments.
        environment_digest: Of the names of its observations and the layout of its actions, see
            `dream_gym.players.environments.environment_digest`.
        sizes: Its sizes, see ``sizes`` of the environments.
        hyperparameters: Of the algorithm, as in the file that they came from.
        timesteps: Steps to train for.
        seed: Seed of the training.
        command: The command line.
        versions: Versions of Python and of the libraries.
        best: The checkpoint of the best evaluation.
        last: The last checkpoint.
        resume: What training is resumed from.
        evaluations: The evaluations so far, by steps.
    """

    schema_version: Literal[2] = Field(2, alias="schema", serialization_alias="schema")
    loader: str
    algorithm: str
    environment: EnvironmentId
    environment_arguments: dict[str, Any]
    environment_digest: str
    sizes: dict[str, int]
    hyperparameters: dict[str, Any]
    timesteps: int = Field(ge=1)
    seed: int = Field(ge=0)
    command: str
    versions: dict[str, str]
    best: FileOnRecord | None = None
    last: FileOnRecord | None = None
    resume: FileOnRecord | None = None
    evaluations: tuple[Evaluation, ...] = ()


class RunFolder:
    """The folder of a training run.

    Args:
        path: The folder.
        card: Its card.
    """

    def __init__(self, path: Path, card: RunCard) -> None:
        self.path = path
        self.card = card

    @classmethod
    def create(cls, path: Path, card: RunCard) -> RunFolder:
        """Make the folder of a new run.

        Raises:
            ConfigError: The folder holds a run already.
        """
        for name in (CARD, _OLD_CARD):
            if (path / name).exists():
                raise ConfigError(
                    f"{path}: holds a run already; resume it, or choose another folder"
                )
        run = cls(path, card)
        run._write_card()
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Read the card of a run.

        Raises:
            ConfigError: The folder is not a run folder, or its card is malformed.
        """
        if not (path / CARD).exists() and (path / _OLD_CARD).exists():
            raise ConfigError(
                f"{path}: {_OLD_CARD}: is of an earlier version, whose checkpoints are pickles; "
                "train the agent again"
            )
        try:
            return cls(path, read(path / CARD, RunCard))  # JSON is YAML, and limits are the same
        except ConfigError as error:
            raise ConfigError(f"{path}: not a run folder: {error}") from error

    @property
    def playable(self) -> FileOnRecord:
        """The checkpoint that plays: the best, or the last if none was selected.

        Raises:
            ConfigError: There is none yet.
        """
        record = self.card.best or self.card.last
        if record is None:
            raise ConfigError(f"{self.path}: has no checkpoint yet; train it: --resume")
        return record

    @property
    def _suffix(self) -> str:
        return _SUFFIXES.get(self.card.loader, ".safetensors")

    def path_of(self, record: FileOnRecord) -> Path:
        """The path of a checkpoint; raises `ConfigError` if it is missing or damaged."""
        read_file(self.path, record)
        return self.path / record.file

    def tensors(self, record: FileOnRecord) -> dict[str, Any]:
        """The arrays of a checkpoint; raises `ConfigError` if it is missing or damaged."""
        return unpack(read_file(self.path, record), self.path / record.file)

    def save(
        self, content: bytes, resume: bytes, timesteps: int, uxcost: float | None = None
    ) -> None:
        """Save the current state of the training.

        Args:
            content: The checkpoint.
            resume: What training is resumed from.
            timesteps: Steps so far.
            uxcost: Mean UXCost on the selection seeds, if it was evaluated just now.
        """
        changes = dict[str, Any]()
        if uxcost is not None:
            known = self.card.evaluations
            if all(uxcost < other.uxcost for other in known):
                name = f"best-{timesteps}{self._suffix}"
                changes["best"] = write_file(self.path, name, content, timesteps)
            changes["evaluations"] = (*known, Evaluation(timesteps=timesteps, uxcost=uxcost))
        name = f"last-{timesteps}{self._suffix}"
        changes["last"] = write_file(self.path, name, content, timesteps)
        changes["resume"] = write_file(self.path, f"resume-{timesteps}.zip", resume, timesteps)
        self.card = self.card.model_copy(update=changes)
        self._write_card()
        self._remove_unnamed()

    def _write_card(self) -> None:
        content = self.card.model_dump(mode="json", by_alias=True)
        write_text(self.path / CARD, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        rows = [f"{each.timesteps},{each.uxcost!r}\n" for each in self.card.evaluations]
        write_text(self.path / EVALUATIONS, "".join(["timesteps,uxcost\n", *rows]))

    def _remove_unnamed(self) -> None:
        """Remove checkpoints that the card does not name any more."""
        named = {
            record.file
            for record in (self.card.best, self.card.last, self.card.resume)
            if record is not None
        }
        for pattern in (f"best-*{self._suffix}", f"last-*{self._suffix}", "resume-*.zip"):
            for path in self.path.glob(pattern):
                steps = path.stem.partition("-")[2]
                if path.name not in named and steps.isdigit():
                    with suppress(OSError):
                        path.unlink()
