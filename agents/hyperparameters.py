"""Hyperparameters of agents, read from YAML with the keys of RL Baselines3 Zoo."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ConfigDict, Field

from dream_gym.errors import ConfigError
from dream_gym.resources import Config, find, validate


class Hyperparameters(Config):
    """Hyperparameters of one algorithm on one environment.

    Args:
        n_timesteps: Steps to train for.
        n_envs: Environments that are stepped together.

    All other keys are arguments of the stable-baselines3 class.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    n_timesteps: int = Field(ge=1)
    n_envs: int = Field(ge=1, le=1024)
    policy: str

    @property
    def algorithm_arguments(self) -> dict[str, Any]:
        """The arguments of the stable-baselines3 class."""
        return self.model_dump(exclude={"n_timesteps", "n_envs"})


def load_hyperparameters(reference: str, environment: str) -> Hyperparameters:
    """Load the hyperparameters for an environment.

    Args:
        reference: Name of a file (``ppo``) or path of a YAML file.
        environment: Id of the environment, a key of the file.

    Raises:
        ConfigError: Names the file and the field at fault.
    """
    path = find("agents", reference)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get(environment), dict):
        raise ConfigError(f"{path}: expected a mapping under the key {environment}")
    return validate(content[environment], Hyperparameters, origin=f"{path}: {environment}")
