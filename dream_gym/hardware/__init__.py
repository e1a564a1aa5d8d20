"""Where it runs: accelerators, platforms, and what a layer costs on them."""

from dream_gym.hardware.cost import CostTable, cost_table
from dream_gym.hardware.maestro import LayerCost, layer_cost
from dream_gym.hardware.platform import Accelerator, Platform, load_platform

__all__ = [
    "Accelerator",
    "CostTable",
    "LayerCost",
    "Platform",
    "cost_table",
    "layer_cost",
    "load_platform",
]
