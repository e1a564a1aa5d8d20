"""Benchmark suites, statistics and plots."""

from dream_gym.analysis.runs.benchmark import Benchmark, run_benchmark
from dream_gym.analysis.runs.parts import Parts, keep_parts
from dream_gym.analysis.runs.policies import Policy, TunedPolicy, make_policy
from dream_gym.analysis.suites.suite import PolicySpec, Suite, load_suite

__all__ = [
    "Benchmark",
    "Parts",
    "Policy",
    "PolicySpec",
    "Suite",
    "TunedPolicy",
    "keep_parts",
    "load_suite",
    "make_policy",
    "run_benchmark",
]
