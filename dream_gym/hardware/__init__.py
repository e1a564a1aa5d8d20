"""Where it runs: accelerators, platforms, and what a layer costs on them."""
