"""How agents are trained: one module an algorithm."""

import importlib

from agents.algorithms.protocol import Algorithm, Learner
from dream_gym.errors import ConfigError, hint

ALGORITHMS = ("ppo", "sac", "maskable_ppo", "dqn", "es", "evolve", "imitate", "pair_ppo")
"""The algorithms, which are modules of this folder; add yours."""


def get_algorithm(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        ConfigError: There is none, or it needs a package that is missing.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"algorithm: {name!r} is unknown; {hint(name, ALGORITHMS)}")
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f'training needs {error.name}: pip install torch==2.13.0, then "dream_gym[train]"'
        ) from error
    algorithm: Algorithm = module.ALGORITHM
    return algorithm


__all__ = ["ALGORITHMS", "Algorithm", "Learner", "get_algorithm"]
