"""Hyperparameters of agents, read from YAML with the keys of RL Baselines3 Zoo where it has any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.players.run_folder import RunCard
from dream_gym.reading.resources import Config, find, read_yaml_text, validate
from dream_gym.reading.yaml_core import load_yaml

if TYPE_CHECKING:
    from typing_extensions import Self


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, BeforeValidator(_whole)]
"""A whole number, which RL Baselines3 Zoo may write 1e6."""


class Hyperparameters(Config):
    """Hyperparameters of one algorithm on one environment.

    Args:
        n_timesteps: Steps to train for.
        environment: Arguments of the environment, which those of the command line replace.
    """

    n_timesteps: Count = Field(ge=1)
    environment: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, card: RunCard) -> Self:
        """Those of a run."""
        return validate(card.hyperparameters, cls, origin="hyperparameters")


class Sb3Hyperparameters(Hyperparameters):
    """Hyperparameters of an algorithm of stable-baselines3.

    Args:
        n_envs: Environments that are stepped together.
        policy: Name of the policy.
        gamma: Discount per step; by default the algorithm's.
        batch_size: Samples of a gradient step; by default the algorithm's.
        normalize: Whether observations and rewards are normalised as they come in.

    All other keys are arguments of the algorithm's class.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    n_envs: Count = Field(ge=1, le=1024)
    policy: str
    gamma: Annotated[float, Field(ge=0, le=1)] | None = None
    batch_size: Annotated[Count, Field(ge=1)] | None = None
    normalize: bool = False

    @property
    def algorithm_arguments(self) -> dict[str, Any]:
        """The arguments of the algorithm's class."""
        own = {"n_timesteps", "n_envs", "normalize", "environment"}
        unsaid = {name for name in ("gamma", "batch_size") if getattr(self, name) is None}
        return self.model_dump(exclude=own | unsaid)


Given = TypeVar("Given", bound=Hyperparameters)


def load_hyperparameters(
    reference: str,
    environment: str,
    kind: type[Given],
    changes: Mapping[str, Any] | None = None,
) -> Given:
    """Load the hyperparameters for an environment.

    Args:
        reference: Name of a file (``ppo``) or path of a YAML file.
        environment: Id of the environment, a key of the file.
        kind: The class of the algorithm's hyperparameters.
        changes: What replaces those of the file.

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
    return validate(
        {**content[environment], **(changes or {})}, kind, origin=f"{path}: {environment}"
    )
