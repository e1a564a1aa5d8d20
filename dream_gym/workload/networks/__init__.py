"""Builders of the published networks, one module a family."""
