"""How agents are trained: one module an algorithm."""

from agents.algorithms import dqn, maskable_ppo, ppo, sac
from agents.algorithms.protocol import Algorithm, Learner
from dream_gym.errors import ConfigError, hint

ALGORITHMS: dict[str, Algorithm] = {
    module.ALGORITHM.name: module.ALGORITHM for module in (ppo, sac, maskable_ppo, dqn)
}
"""The algorithms by name; add yours."""


def get_algorithm(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        ConfigError: There is none.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"algorithm: {name!r} is unknown; {hint(name, ALGORITHMS)}")
    return ALGORITHMS[name]


__all__ = ["ALGORITHMS", "Algorithm", "Learner", "get_algorithm"]
