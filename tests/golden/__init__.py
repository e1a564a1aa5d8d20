"""Digests of runs that must not change unnoticed."""
