"""Costs from ZigZag, in processes of its own."""
