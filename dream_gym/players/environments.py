"""The environments that agents are trained in and play in."""

from __future__ import annotations

import hashlib
import inspect
import json
from typing import Any

import gymnasium as gym

from dream_gym.envs import DreamRTMMDispatchEnv, DreamRTMMEnv
from dream_gym.envs.base import WorldEnv
from dream_gym.envs.sampling import PLACE_ARGUMENTS
from dream_gym.errors import ConfigError, hint
from dream_gym.players.run_folder import RunCard
from dream_gym.simulator import Cell

_CLASSES: dict[str, type[WorldEnv]] = {
    "DreamRTMM-v0": DreamRTMMEnv,
    "DreamRTMM-Dispatch-v0": DreamRTMMDispatchEnv,
}
_ELSEWHERE = (*PLACE_ARGUMENTS, "cells", "preset")
"""Arguments that say where an agent was trained; they do not apply where it plays."""


def environment_digest(env: gym.Env[Any, Any]) -> str:
    """SHA-256 over what an agent sees and does: names of observations, and layout of actions."""
    world = env.unwrapped
    assert isinstance(world, WorldEnv)
    told = [type(world).__name__, world.observation.names, world.action_layout]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def make_environment(environment: str, arguments: dict[str, Any]) -> gym.Env[Any, Any]:
    """An environment by its id.

    Raises:
        ConfigError: There is none with that id, or an argument is unknown or malformed.
    """
    if environment not in _CLASSES:
        raise ConfigError(f"environment: {environment!r} is unknown; {hint(environment, _CLASSES)}")
    known = list(inspect.signature(_CLASSES[environment].__init__).parameters)[1:]
    for name in arguments:
        if name not in known:
            raise ConfigError(f"{environment}: {name!r} is not an argument; {hint(name, known)}")
    try:
        return gym.make(f"dream_gym:{environment}", **arguments)
    except gym.error.Error as error:
        raise ConfigError(f"{environment}: {error}") from error


def make_card_env(card: RunCard) -> gym.Env[Any, Any]:
    """The environment that a run is trained in; raises `ConfigError` as `make_environment`."""
    return make_environment(card.environment, card.environment_arguments)


def make_cell_env(card: RunCard, cell: Cell, seconds: float, *, name: str) -> gym.Env[Any, Any]:
    """The environment of a run in a cell, wherever it was trained.

    Args:
        card: The card of the run.
        cell: Where the agent is to play.
        seconds: Simulated time.
        name: What to call the agent in errors.

    Raises:
        ConfigError: The agent does not fit the cell, or this version of the environment.
    """
    arguments = {
        key: value for key, value in card.environment_arguments.items() if key not in _ELSEWHERE
    }
    arguments |= {"cells": [cell], "episode_seconds": seconds, "sizes": card.sizes}
    env = make_environment(card.environment, arguments)
    world = env.unwrapped
    assert isinstance(world, WorldEnv)
    if world.sizes != card.sizes:
        needs = ", ".join(
            f"{size} {what} (trained with at most {card.sizes.get(what, 0)})"
            for what, size in world.sizes.items()
            if size != card.sizes.get(what)
        )
        raise ConfigError(f"{name}: does not fit {cell.title}, which has {needs}")
    if environment_digest(env) != card.environment_digest:
        raise ConfigError(
            f"{name}: was trained on other observations or actions than {card.environment} has in "
            f"this version (it was dream_gym {card.versions.get('dream_gym')}); train it again"
        )
    return env
