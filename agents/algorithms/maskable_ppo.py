"""PPO among the legal actions (Huang and Ontañón, 2022), as sb3-contrib has it."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("maskable_ppo", ("DreamRTMM-Dispatch-v0",))
