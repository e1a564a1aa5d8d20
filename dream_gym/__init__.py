"""dream_gym: a Gymnasium environment for scheduling real-time multi-model ML on SoCs."""
