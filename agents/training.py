"""Training runs: a folder with everything that a run is, made, interrupted and resumed."""

from __future__ import annotations

import platform
import shlex
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from agents.callbacks import InterruptCallback, ProgressCallback, SelectionCallback
from agents.hyperparameters import Hyperparameters
from dream_gym.errors import ConfigError
from dream_gym.files import locked, write_text
from dream_gym.players.agent import (
    CARD,
    LAST,
    RunCard,
    algorithm_class,
    make_agent_env,
    read_card,
    read_checkpoint,
)
from dream_gym.reading.resources import validate
from dream_gym.reading.yaml_core import dump_yaml
from dream_gym.workload import SEEDS_PER_PURPOSE

ENVIRONMENT = "DreamRTMM-v0"
_LIBRARIES = ("dream_gym", "gymnasium", "numba", "numpy", "stable-baselines3", "torch")


def start_run(
    folder: Path,
    *,
    algorithm: str,
    environment_arguments: dict[str, Any],
    hyperparameters: Hyperparameters,
    timesteps: int | None,
    seed: int,
) -> RunCard:
    """Make the folder of a new run and write its card.

    Raises:
        ConfigError: The folder holds a run already, or an argument is out of range.
    """
    if (folder / CARD).exists():
        raise ConfigError(f"{folder}: holds a run already; resume it, or choose another folder")
    if not 0 <= seed < SEEDS_PER_PURPOSE:
        raise ConfigError(f"seed: training seeds are in [0, {SEEDS_PER_PURPOSE}), got {seed}")
    content = {
        "schema": 1,
        "algorithm": algorithm,
        "environment": ENVIRONMENT,
        "environment_arguments": environment_arguments,
        "hyperparameters": hyperparameters.model_dump(),
        "timesteps": hyperparameters.n_timesteps if timesteps is None else timesteps,
        "seed": seed,
        "command": shlex.join(["python", *sys.argv]),
        "versions": {"python": platform.python_version()}
        | {library: version(library) for library in _LIBRARIES},
    }
    card = validate(content, RunCard, origin="arguments")
    gym.make(f"dream_gym:{ENVIRONMENT}", **environment_arguments).close()  # before anything stays
    write_text(folder / CARD, dump_yaml(content))
    return card


def default_folder(root: Path, algorithm: str, scenario: str, platform_name: str) -> Path:
    """A new folder for a run, named after what it is and when it began."""
    began = datetime.now().strftime("%Y%m%d-%H%M%S")
    return root / f"{algorithm}_{Path(scenario).stem}_{Path(platform_name).stem}_{began}"


def train(folder: Path) -> bool:
    """Train the run of a folder to its end, from its last checkpoint if it has one.

    Returns:
        Whether the end was reached; False after an interruption, which is saved.

    Raises:
        ConfigError: The folder or a checkpoint in it is damaged.
        DreamGymError: Another process is training the run.
    """
    torch.set_num_threads(1)  # faster with networks of this size
    card = read_card(folder)
    with locked(folder):
        resumed = (folder / LAST).exists()
        model, normalizer = (_resume if resumed else _begin)(card, folder)
        try:
            return _learn(card, folder, model, normalizer, resumed=resumed)
        finally:
            normalizer.close()


def _learn(
    card: RunCard, folder: Path, model: BaseAlgorithm, normalizer: VecNormalize, *, resumed: bool
) -> bool:
    interrupt = InterruptCallback()
    selection = SelectionCallback(card, folder, normalizer)
    callbacks = CallbackList([interrupt, selection, ProgressCallback(card.timesteps)])
    if resumed:
        selection.init_callback(model)
        selection.record()  # what a kill left out
    if model.num_timesteps < card.timesteps:
        model.learn(
            card.timesteps - model.num_timesteps,
            callback=callbacks,
            reset_num_timesteps=model.num_timesteps == 0,
            tb_log_name="tensorboard",
        )
    return not interrupt.interrupted


def _begin(card: RunCard, folder: Path) -> tuple[BaseAlgorithm, VecNormalize]:
    hyperparameters = _hyperparameters(card)
    normalizer = VecNormalize(_make_vec_env(card), gamma=card.hyperparameters.get("gamma", 0.99))
    model = algorithm_class(card.algorithm)(
        env=normalizer,
        seed=card.seed,
        device="cpu",
        tensorboard_log=str(folder),
        **hyperparameters.algorithm_arguments,
    )
    return model, normalizer


def _resume(card: RunCard, folder: Path) -> tuple[BaseAlgorithm, VecNormalize]:
    model, normalizer = read_checkpoint(folder / LAST, card.algorithm)
    normalizer.set_venv(_make_vec_env(card))
    model.set_env(normalizer)
    # Other worlds than those that the run began with.
    model.set_random_seed((card.seed + model.num_timesteps) % SEEDS_PER_PURPOSE)
    return model, normalizer


def _make_vec_env(card: RunCard) -> DummyVecEnv:
    count = _hyperparameters(card).n_envs
    return DummyVecEnv([lambda: Monitor(make_agent_env(card))] * count)


def _hyperparameters(card: RunCard) -> Hyperparameters:
    return validate(card.hyperparameters, Hyperparameters, origin="hyperparameters")
