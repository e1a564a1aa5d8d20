"""Proximal policy optimisation (Schulman et al., 2017), as in stable-baselines3."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("ppo", ("DreamRTMM-v0",))
