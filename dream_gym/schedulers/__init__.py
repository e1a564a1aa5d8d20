"""Who decides: one module a scheduler."""
