"""Where it runs: accelerators, platforms, and what a layer costs on them."""

from dream_gym.hardware.maestro import LayerCost, layer_cost

__all__ = ["LayerCost", "layer_cost"]
