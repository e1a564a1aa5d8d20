"""Selection: how good an agent is on seeds that it is neither trained nor judged on."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from dream_gym.players.actor import Actor, play_episode
from dream_gym.workload import selection_seeds

EPISODES = 20


def mean_uxcost(env: gym.Env, actor: Actor) -> float:
    """Mean UXCost of an actor on the selection seeds, whatever reward it learns from."""
    return float(np.mean([play_episode(env, actor, s).uxcost for s in selection_seeds(EPISODES)]))
