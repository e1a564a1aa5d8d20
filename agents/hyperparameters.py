"""Hyperparameters of agents, read from YAML with the keys of RL Baselines3 Zoo."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.players.run_folder import RunCard
from dream_gym.reading.resources import Config, find, read_yaml_text, validate
from dream_gym.reading.yaml_core import load_yaml


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, BeforeValidator(_whole)]
"""A whole number, which RL Baselines3 Zoo may write 1e6."""


class Hyperparameters(Config):
    """Hyperparameters of one algorithm on one environment.

    Args:
        n_timesteps: Steps to train for.
        n_envs: Environments that are stepped together.
        gamma: Discount per step; by default the algorithm's.
        batch_size: Samples of a gradient step; by default the algorithm's.
        normalize: Whether observations and rewards are normalised as they come in.
        environment: Arguments of the environment, which those of the command line replace.

    All other keys are arguments of the algorithm's class.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    n_timesteps: Count = Field(ge=1)
    n_envs: Count = Field(ge=1, le=1024)
    policy: str
    gamma: Annotated[float, Field(ge=0, le=1)] | None = None
    batch_size: Annotated[Count, Field(ge=1)] | None = None
    normalize: bool = False
    environment: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, card: RunCard) -> Hyperparameters:
        """Those of a run."""
        return validate(card.hyperparameters, cls, origin="hyperparameters")

    @property
    def algorithm_arguments(self) -> dict[str, Any]:
        """The arguments of the algorithm's class."""
        own = {"n_timesteps", "n_envs", "normalize", "environment"}
        unsaid = {name for name in ("gamma", "batch_size") if getattr(self, name) is None}
        return self.model_dump(exclude=own | unsaid)


def load_hyperparameters(reference: str, environment: str) -> Hyperparameters:
    """Load the hyperparameters for an environment.

    Args:
        reference: Name of a file (``ppo``) or path of a YAML file.
        environment: Id of the environment, a key of the file.

    Raises:
        ConfigError: Names the file and the field at fault.
    """
    path = find("agents", reference)
    content = load_yaml(read_yaml_text(path), origin=str(path))
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, got {shown(content)}")
    if not isinstance(content.get(environment), dict):
        raise ConfigError(
            f"{path}: expected a mapping under the key {environment}; {hint(environment, content)}"
        )
    return validate(content[environment], Hyperparameters, origin=f"{path}: {environment}")
