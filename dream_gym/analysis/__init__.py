"""Benchmark suites, statistics and plots."""
