"""Soft actor-critic (Haarnoja et al., 2018), as stable-baselines3 has it."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("sac", ("DreamRTMM-v0",))
