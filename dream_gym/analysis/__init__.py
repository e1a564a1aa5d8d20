"""Benchmark suites, statistics and plots."""

from dream_gym.analysis.measures.statistics import (
    Interval,
    mean_interval,
    paired_difference,
    paired_ratio,
)
from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.runs.parts import Parts, keep_parts
from dream_gym.analysis.runs.policies import Policy, TunedPolicy, make_policy
from dream_gym.analysis.suites.cells import Grid
from dream_gym.analysis.suites.suite import PolicySpec, Suite, Tuning, load_suite
from dream_gym.simulator import Cell

__all__ = [
    "Benchmark",
    "Cell",
    "Grid",
    "Interval",
    "Parts",
    "Policy",
    "PolicySpec",
    "Suite",
    "TunedPolicy",
    "Tuning",
    "keep_parts",
    "load_suite",
    "make_policy",
    "mean_interval",
    "paired_difference",
    "paired_ratio",
    "run_benchmark",
]
