"""Actors: what acts on an environment, whoever trained it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import gymnasium as gym
from numpy.typing import NDArray

from dream_gym.errors import ConfigError, hint
from dream_gym.players.checkpoint import Tensors
from dream_gym.players.run_folder import RunCard
from dream_gym.simulator import Result

LOADERS: Mapping[str, str] = {"sb3": "dream_gym.players.sb3:load_actor"}
"""The functions that make an actor from a checkpoint, by the name in the card."""


class Actor(Protocol):
    """Acts, deterministically; it scales actions and observations itself."""

    def act(self, observation: Any, mask: NDArray[Any] | None) -> Any:
        """Choose an action.

        Args:
            observation: The observation of the environment, unchanged.
            mask: Which actions are legal, if the environment says so.
        """


def load_actor(card: RunCard, tensors: Tensors, env: gym.Env[Any, Any]) -> Actor:
    """Make the actor from a checkpoint.

    Args:
        card: The card of the run.
        tensors: The checkpoint.
        env: An environment as it was trained in.

    Raises:
        ConfigError: The loader is unknown, or the checkpoint does not fit the card.
    """
    if card.loader not in LOADERS:
        raise ConfigError(f"loader: {card.loader!r} is unknown; {hint(card.loader, LOADERS)}")
    module, _, name = LOADERS[card.loader].partition(":")
    load = cast(
        "Callable[[RunCard, Tensors, gym.Env[Any, Any]], Actor]",
        getattr(importlib.import_module(module), name),
    )
    return load(card, tensors, env)


def play_episode(
    env: gym.Env[Any, Any], actor: Actor, seed: int, *, record: bool = False
) -> Result:
    """Let an actor play one episode.

    Args:
        env: An environment.
        actor: The actor.
        seed: Seed of the world.
        record: Whether the result holds the tables ``frames`` and ``timeline``.
    """
    observation, info = env.reset(seed=seed, options={"record": record})
    while True:
        action = actor.act(observation, info.get("action_mask"))
        observation, _, terminated, _, info = env.step(action)
        if terminated:
            result: Result = info["result"]
            return result
