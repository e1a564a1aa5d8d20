"""Soft actor-critic (Haarnoja et al., 2018), as in stable-baselines3."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("sac", ("DreamRTMM-v0",))
