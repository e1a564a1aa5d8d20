"""The generator of workloads: a scenario, a platform and a load for every seed."""

from dream_gym.generator.generate import PREFIX, Generated, generate_workload

__all__ = ["PREFIX", "Generated", "generate_workload"]
