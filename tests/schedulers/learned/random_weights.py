"""Weights under which all kinds of choice come up."""

from __future__ import annotations

import numpy as np

from dream_gym.schedulers.learned.weights import new_parameters, tables_of
from dream_gym.simulator import Floats


def random_parameters(seed: int, hidden: int, *, block_ms: float, variants: bool) -> Floats:
    parameters = new_parameters(hidden, block_ms=block_ms, variants=variants)
    random = np.random.default_rng(seed)
    tables = tables_of(parameters)
    for table in tables.values():
        table[...] = random.normal(size=table.shape) / (1 + table.size**0.5 / 8)
    tables["drop.bias"][:] = 3.0
    tables["wait.bias"][:] = 0.0
    parameters[:] = parameters.astype(np.float32)
    return parameters
