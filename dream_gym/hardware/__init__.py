"""Where it runs: accelerators, platforms, and what a layer costs on them."""

from dream_gym.hardware.analytical import MaestroCosts
from dream_gym.hardware.capacity import BUSIEST_STEPS, busiest_share
from dream_gym.hardware.chip import Accelerator, Chip, dram_bytes
from dream_gym.hardware.cost import CostTable
from dream_gym.hardware.maestro import LayerCost, layer_cost
from dream_gym.hardware.platform import AnyCosts, Platform, cost_table, load_platform
from dream_gym.hardware.table import TableCosts, read_costs

__all__ = [
    "BUSIEST_STEPS",
    "Accelerator",
    "AnyCosts",
    "Chip",
    "CostTable",
    "LayerCost",
    "MaestroCosts",
    "Platform",
    "TableCosts",
    "busiest_share",
    "cost_table",
    "dram_bytes",
    "layer_cost",
    "load_platform",
    "read_costs",
]
