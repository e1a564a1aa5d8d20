"""Selection: how good an agent is on seeds that it is neither trained nor judged on."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from dream_gym.players.actor import Actor, play_episode
from dream_gym.workload import selection_seeds

EPISODES = 20


def typical_uxcost(env: gym.Env, actor: Actor) -> float:
    """Geometric mean of UXCost on the selection seeds, whatever reward an actor learns from."""
    costs = [play_episode(env, actor, seed).uxcost for seed in selection_seeds(EPISODES)]
    return float(np.exp(np.mean(np.log(costs))))
