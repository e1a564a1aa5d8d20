"""Proximal policy optimisation (Schulman et al., 2017), as stable-baselines3 has it."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("ppo", ("DreamRTMM-v0",))
