"""How far schedulers are from the best possible, in short windows with the future known."""
