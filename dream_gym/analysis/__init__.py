"""Benchmark suites, statistics and plots."""

from dream_gym.analysis.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.cells import Cell, Grid
from dream_gym.analysis.parts import Parts, keep_parts
from dream_gym.analysis.policies import Policy, SchedulerPolicy, TunedPolicy, make_policy
from dream_gym.analysis.statistics import (
    Interval,
    mean_interval,
    paired_difference,
    paired_ratio,
)
from dream_gym.analysis.suite import PolicySpec, Suite, Tuning, load_suite

__all__ = [
    "Benchmark",
    "Cell",
    "Grid",
    "Interval",
    "Parts",
    "Policy",
    "PolicySpec",
    "SchedulerPolicy",
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
