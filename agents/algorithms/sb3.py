"""Algorithms of stable-baselines3 and sb3-contrib, on the native vector environments."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from agents.hyperparameters import Sb3Hyperparameters
from agents.selection import typical_uxcost
from dream_gym.envs.base import WorldEnv
from dream_gym.envs.sb3 import make_sb3_vec_env
from dream_gym.errors import ConfigError
from dream_gym.players.actor import Actor, load_actor
from dream_gym.players.checkpoint import Tensors, pack
from dream_gym.players.environments import environment_digest, make_card_env, make_environment
from dream_gym.players.run_folder import RunCard
from dream_gym.players.sb3 import algorithm_class, tensors_of
from dream_gym.workload import SEEDS_PER_PURPOSE

_MODEL, _NORMALIZER, _REPLAY = "model.zip", "normalizer.pkl", "replay.pkl"


@dataclass(frozen=True)
class Sb3Algorithm:
    """An algorithm of stable-baselines3.

    Args:
        name: Its name.
        environments: Ids of the environments that it can learn in, the usual one first.
        cls: Its class, by default that of `algorithm_class`; weights are those of the latter.
        wrap: What it needs around a vector environment.
    """

    name: str
    environments: tuple[str, ...]
    cls: type[BaseAlgorithm] | None = None
    wrap: Callable[[VecEnv], VecEnv] = lambda env: env
    loader: str = "sb3"
    hyperparameters = Sb3Hyperparameters
    libraries = ("gymnasium", "numpy", "sb3-contrib", "stable-baselines3", "torch")

    def layout(self, environment: str, arguments: dict[str, Any]) -> tuple[str, dict[str, int]]:
        """See `Algorithm.layout`."""
        env = make_environment(environment, arguments)
        world = env.unwrapped
        assert isinstance(world, WorldEnv)
        layout = environment_digest(env), world.sizes
        env.close()
        return layout

    def begin(self, card: RunCard, folder: Path) -> Sb3Learner:
        """Begin a training; see `Algorithm.begin`."""
        hyperparameters = Sb3Hyperparameters.of(card)
        env, normalizer = self._make_env(card, hyperparameters)
        arguments = hyperparameters.algorithm_arguments
        try:
            model = self._class()(env=env, seed=card.seed, tensorboard_log=str(folder), **arguments)
        except Exception as error:  # the library does not check what it is given
            env.close()
            raise ConfigError(
                f"hyperparameters: {self.name}: {type(error).__name__}: {error}"
            ) from error
        return Sb3Learner(card, model, normalizer)

    def resume(self, card: RunCard, folder: Path, state: bytes) -> Sb3Learner:
        """Resume a training; see `Algorithm.resume`. This reads pickles."""
        hyperparameters = Sb3Hyperparameters.of(card)
        try:
            with zipfile.ZipFile(io.BytesIO(state)) as archive:
                saved = {name: archive.read(name) for name in archive.namelist()}
            kept = pickle.loads(saved[_NORMALIZER]) if hyperparameters.normalize else None
            env, normalizer = self._make_env(card, hyperparameters, kept)
            model = self._class().load(io.BytesIO(saved[_MODEL]), env=env)
            if _REPLAY in saved:
                model.replay_buffer = pickle.loads(saved[_REPLAY])  # type: ignore[attr-defined]
        except Exception as error:  # a damaged pickle may raise anything
            raise ConfigError(f"{folder}: cannot be resumed: {error}") from error
        # Other worlds than those that the run began with.
        model.set_random_seed((card.seed + model.num_timesteps) % SEEDS_PER_PURPOSE)
        return Sb3Learner(card, model, normalizer)

    def _class(self) -> type[BaseAlgorithm]:
        return self.cls or algorithm_class(self.name)

    def _make_env(
        self, card: RunCard, hyperparameters: Sb3Hyperparameters, kept: VecNormalize | None = None
    ) -> tuple[VecEnv, VecNormalize | None]:
        env: VecEnv = make_sb3_vec_env(
            card.environment, hyperparameters.n_envs, **card.environment_arguments
        )
        normalizer = kept
        if kept is not None:
            kept.set_venv(env)
            env = kept
        elif hyperparameters.normalize:
            gamma = 0.99 if hyperparameters.gamma is None else hyperparameters.gamma
            env = normalizer = VecNormalize(env, gamma=gamma)
        return self.wrap(env), normalizer


class Sb3Learner:
    """A training with stable-baselines3; see `Learner`.

    Args:
        card: What is trained.
        model: The model.
        normalizer: The statistics of its observations, if they are normalised.
    """

    def __init__(
        self, card: RunCard, model: BaseAlgorithm, normalizer: VecNormalize | None
    ) -> None:
        self._card = card
        self._model = model
        self._normalizer = normalizer
        self._env: gym.Env[Any, Any] | None = None

    @property
    def timesteps(self) -> int:
        """Steps that it was trained for."""
        return int(self._model.num_timesteps)

    def learn(self, timesteps: int, on_step: Callable[[], bool]) -> None:
        """Train; see `Learner.learn`."""
        torch.set_num_threads(1)  # faster with networks of this size
        self._model.learn(
            timesteps - self.timesteps,
            callback=_EveryStep(on_step),
            reset_num_timesteps=self.timesteps == 0,
            tb_log_name="tensorboard",
        )

    def actor(self, env: gym.Env[Any, Any]) -> Actor:
        """The actor of its current weights, built as a player builds it."""
        return load_actor(self._card, self.tensors(), env)

    def evaluate(self) -> float:
        """See `Learner.evaluate`."""
        if self._env is None:
            self._env = make_card_env(self._card)
        return typical_uxcost(self._env, self.actor(self._env))

    def checkpoint(self) -> bytes:
        """See `Learner.checkpoint`."""
        return pack(self.tensors())

    def tensors(self) -> Tensors:
        """Weights and statistics."""
        return tensors_of(self._model, self._normalizer)

    def state(self) -> bytes:
        """The model with its optimisers, the normaliser, and the replay buffer if there is one."""
        content, model = io.BytesIO(), io.BytesIO()
        self._model.save(model)
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(_MODEL, model.getvalue())
            if self._normalizer is not None:
                archive.writestr(_NORMALIZER, pickle.dumps(self._normalizer))
            replay = getattr(self._model, "replay_buffer", None)
            if replay is not None:
                archive.writestr(_REPLAY, pickle.dumps(replay), zipfile.ZIP_DEFLATED)
        return content.getvalue()

    def note(self, name: str, value: float) -> None:
        """Log a figure."""
        self._model.logger.record(name, value)

    def close(self) -> None:
        """Close the environments."""
        for env in (self._model.get_env(), self._env):
            if env is not None:
                env.close()


class _EveryStep(BaseCallback):
    def __init__(self, on_step: Callable[[], bool]) -> None:
        super().__init__()
        self._call = on_step

    def _on_step(self) -> bool:
        return self._call()
