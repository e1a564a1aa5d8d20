"""The generator of workloads: a scenario, a platform and a load for every seed."""

from dream_gym.generator.generate import (
    PREFIX,
    STRATA,
    VERSION,
    Generated,
    generate_workload,
    stratum,
)

__all__ = ["PREFIX", "STRATA", "VERSION", "Generated", "generate_workload", "stratum"]
