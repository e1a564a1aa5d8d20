"""DREAM (ASPLOS 2023) as reconstructed."""
