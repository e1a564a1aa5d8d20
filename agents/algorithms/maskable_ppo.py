"""PPO with a mask of legal actions (Huang and Ontañón, 2022), as in sb3-contrib."""

from agents.algorithms.sb3 import Sb3Algorithm

ALGORITHM = Sb3Algorithm("maskable_ppo", ("DreamRTMM-Dispatch-v0",))
