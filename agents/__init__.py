"""Training of agents on the environments of dream_gym."""
