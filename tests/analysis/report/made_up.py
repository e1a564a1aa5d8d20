"""Outcomes of benchmarks that never ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.report.folder import SCHEMA
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.schedulers import BUILTIN

ZEROS = (
    *("violation_rate", "lost_rate", "useless_share", "energy_mj", "energy_charged_mj"),
    *("power_mw", "accuracy", "accuracy_loss", "lateness_p50_ms", "lateness_p99_ms"),
    *("response_p50", "response_p99", "response_max"),
    *(f"missed.{cause}" for cause in CAUSES),
)


def family_of(policy: str) -> str:
    scheduler = BUILTIN.get(policy.split()[0])
    return scheduler.family if scheduler else "yours"


def made_up(
    costs: dict[str, Any],
    loads: tuple[float, ...] = (1.0,),
    places: Sequence[tuple[str, str]] = (("s", "p"),),
    **columns: Any,
) -> Outcome:
    """An outcome with these UXCosts, by policy: arrays (cells, seeds).

    Loads, and pairs of a scenario and a platform, are those of the first cells, and come again.
    Other columns are 0, multiples 1, unless they are given, by policy, too.
    """
    cells, seeds = np.shape(next(iter(costs.values())))
    about = {
        "schema": SCHEMA,
        "command": "x",
        "seeds": {"first": 0, "count": seeds},
        "suite": {
            "name": "asplos23",
            "description": "What it is about",
            "notes": "What to know.",
            "seconds": 1.0,
            "xrbench_score": False,
            "cells": [
                {
                    "scenario": places[index % len(places)][0],
                    "platform": places[index % len(places)][1],
                    "load": loads[index % len(loads)],
                    "expiry": None,
                    "cascade": None,
                    "jitter": None,
                }
                for index in range(cells)
            ],
        },
        "policies": [
            {"cell": 0, "policy": name, "scheduler": name.split()[0], "family": family_of(name)}
            for name in costs
        ],
    }
    rows = [
        {
            "cell": cell,
            "policy": policy,
            "seed": seed,
            "uxcost": float(cost[cell][seed]),
            "multiple": float(cost[cell][seed]),
            "lower_bound": 1.0,
            "lower_bound_lightest": 1.0,
            "multiple_lightest": float(cost[cell][seed]),
            "energy_multiple": 1.0,
            "energy_multiple_lightest": 1.0,
            **dict.fromkeys(ZEROS, 0.0),
            **{
                name: float(np.asarray(given[policy])[cell][seed])
                for name, given in columns.items()
            },
        }
        for policy, cost in costs.items()
        for cell in range(cells)
        for seed in range(seeds)
    ]
    return Outcome(about, pl.DataFrame(rows))
