"""Trained agents on disk: a run folder that describes itself, and checkpoints in single files.

A run folder holds ``run.yaml`` (a `RunCard`) and the checkpoints ``best.zip`` and ``last.zip``. A
checkpoint is a zip archive of the stable-baselines3 model and of the statistics that normalise
its observations; being one file, it is replaced whole or not at all. Checkpoints contain pickles:
load only those that you trust.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import RescaleAction
from numpy.typing import NDArray
from pydantic import Field

from dream_gym.envs.sampling import PLACE_ARGUMENTS
from dream_gym.errors import ConfigError
from dream_gym.files import replacing
from dream_gym.reading.fields import SchemaVersion
from dream_gym.reading.resources import Config, read
from dream_gym.schedulers import Family
from dream_gym.simulator import Cell, Result

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecNormalize

CARD = "run.yaml"
BEST, LAST = "best.zip", "last.zip"
_MODEL, _NORMALIZER = "model.zip", "normalizer.pkl"
_CORRUPT = (OSError, KeyError, ValueError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)

Algorithm = Literal["ppo", "sac"]


class RunCard(Config):
    """What a training run was, in its ``run.yaml``.

    Args:
        schema_version: Version of this file format, 1.
        algorithm: Name of the stable-baselines3 algorithm.
        environment: Id of the environment.
        environment_arguments: Its arguments.
        hyperparameters: Of the algorithm, as in the file they came from.
        timesteps: Steps to train for.
        seed: Seed of the training.
        command: The command line.
        versions: Versions of Python and of the libraries.
    """

    schema_version: SchemaVersion = Field(alias="schema", serialization_alias="schema")
    algorithm: Algorithm
    environment: str
    environment_arguments: dict[str, Any]
    hyperparameters: dict[str, Any]
    timesteps: int = Field(ge=1)
    seed: int = Field(ge=0)
    command: str
    versions: dict[str, str]


def read_card(folder: Path) -> RunCard:
    """Read the card of a run folder; raises `ConfigError` if there is none or it is malformed."""
    path = folder / CARD
    try:
        return read(path, RunCard)
    except ConfigError as error:
        raise ConfigError(f"{folder}: not a run folder: {error}") from error


def algorithm_class(name: Algorithm) -> type[BaseAlgorithm]:
    """The stable-baselines3 class of an algorithm; raises `ConfigError` if it is not installed."""
    try:
        import stable_baselines3
    except ImportError as error:
        raise ConfigError(
            'agents need stable-baselines3: pip install torch==2.13.0, then "dream_gym[train]"'
        ) from error
    found: type[BaseAlgorithm] = getattr(stable_baselines3, name.upper())
    return found


def write_checkpoint(path: Path, model: BaseAlgorithm, normalizer: VecNormalize) -> None:
    """Write a checkpoint; a crash leaves the old one in place."""
    model_bytes = io.BytesIO()
    model.save(model_bytes)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(_MODEL, model_bytes.getvalue())
        archive.writestr(_NORMALIZER, pickle.dumps(normalizer))


def read_checkpoint(path: Path, algorithm: Algorithm) -> tuple[BaseAlgorithm, VecNormalize]:
    """Read a checkpoint; raises `ConfigError` if it is missing or damaged."""
    cls = algorithm_class(algorithm)
    try:
        with zipfile.ZipFile(path) as archive:
            normalizer: VecNormalize = pickle.loads(archive.read(_NORMALIZER))
            model = cls.load(io.BytesIO(archive.read(_MODEL)), device="cpu")
    except _CORRUPT as error:
        raise ConfigError(f"{path}: not a readable checkpoint: {error}") from error
    return model, normalizer


@dataclass(frozen=True)
class Agent:
    """A trained agent that acts deterministically.

    Args:
        name: What it is called in tables.
        card: The run that it comes from.
        model: The stable-baselines3 model; it acts in [-1, 1].
        normalizer: Statistics of its observations.
    """

    name: str
    card: RunCard
    model: BaseAlgorithm
    normalizer: VecNormalize

    def act(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """Action in [-1, 1] for an observation of the environment."""
        normalized = self.normalizer.normalize_obs(observation)
        action, _ = self.model.predict(normalized, deterministic=True)
        return np.asarray(action, dtype=np.float32)


def checkpoint_of(folder: Path) -> Path:
    """The checkpoint of a run folder that plays: the best, or the last if none was selected."""
    best = folder / BEST
    return best if best.exists() else folder / LAST


def load_agent(folder: str | Path) -> Agent:
    """Load the agent of a run folder: its best checkpoint, or the last if none was selected.

    Raises:
        ConfigError: The folder is not a run folder, or a file in it is damaged.
    """
    folder = Path(folder)
    card = read_card(folder)
    model, normalizer = read_checkpoint(checkpoint_of(folder), card.algorithm)
    return Agent(f"{card.algorithm} ({folder.name})", card, model, normalizer)


def make_agent_env(card: RunCard, **changes: Any) -> gym.Env[Any, Any]:
    """The environment of a run, with its actions rescaled to [-1, 1].

    Args:
        card: The run.
        **changes: Arguments of the environment that replace those of the run.
    """
    arguments = card.environment_arguments | changes
    env = gym.make(f"dream_gym:{card.environment}", **arguments)
    return RescaleAction(env, np.float32(-1), np.float32(1))


def make_cell_env(card: RunCard, cell: Cell, seconds: float) -> gym.Env[Any, Any]:
    """The environment of a run in a cell, whatever worlds it was trained in."""
    places = dict.fromkeys(PLACE_ARGUMENTS)
    return make_agent_env(card, **places, cells=[cell], episode_seconds=seconds)


def play(env: gym.Env[Any, Any], agent: Agent, seed: int, *, record: bool = False) -> Result:
    """Let an agent play one episode.

    Args:
        env: An environment of `make_agent_env`.
        agent: The agent.
        seed: Seed of the world.
        record: Whether the result holds the tables ``frames`` and ``timeline``.
    """
    observation, _ = env.reset(seed=seed, options={"record": record})
    while True:
        observation, _, terminated, _, info = env.step(agent.act(observation))
        if terminated:
            result: Result = info["result"]
            return result


class AgentPlayer:
    """A trained agent.

    Args:
        folder: Its run folder.
        name: What tables call it, by default after its algorithm and folder.

    Raises:
        ConfigError: The folder is not a run folder, or a file in it is damaged.
    """

    family: Family = "learned"

    def __init__(self, folder: Path, *, name: str = "") -> None:
        agent = load_agent(folder)
        self.name = name or agent.name
        self._agent = agent
        self._folder = folder
        self._latest: tuple[Cell, float, gym.Env[Any, Any]] | None = None

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Let it play; see `Player.run`. Raises `ConfigError` if it does not fit the cell."""
        return play(self._env(cell, seconds), self._agent, seed, record=record)

    @property
    def settings(self) -> dict[str, Any]:
        """The card of the run that it comes from, and the SHA-256 of its checkpoint."""
        digest = hashlib.sha256(checkpoint_of(self._folder).read_bytes()).hexdigest()
        return {
            "family": self.family,
            "agent": self._agent.card.model_dump(mode="json", by_alias=True),
            "checkpoint_sha256": digest,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _agent_player, (self._folder, self.name)

    def _env(self, cell: Cell, seconds: float) -> gym.Env[Any, Any]:
        """The environment of a cell; the latest is kept, since seeds follow one another."""
        if self._latest is None or self._latest[0] is not cell or self._latest[1] != seconds:
            env = make_cell_env(self._agent.card, cell, seconds)
            expected = self._agent.normalizer.observation_space.shape
            if env.observation_space.shape != expected:
                raise ConfigError(
                    f"{self.name}: was trained on observations of shape {expected}, but "
                    f"{cell.title} has {env.observation_space.shape}"
                )
            self._latest = cell, seconds, env
        return self._latest[2]


def _agent_player(folder: Path, name: str) -> AgentPlayer:
    """Make a pickled player again."""
    return AgentPlayer(folder, name=name)
