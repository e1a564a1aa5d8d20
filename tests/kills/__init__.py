"""Kills of running commands at random moments; see `tests.kills.killing`."""
