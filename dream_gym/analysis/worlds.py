"""The problem of a cell, without anybody who plays it."""

from __future__ import annotations

import hashlib

from dream_gym.analysis.cells import Cell
from dream_gym.simulator import Simulation


def make_world(cell: Cell) -> Simulation:
    """A simulation that nobody decides in."""
    return Simulation(cell.workload, cell.hardware, None, load=cell.load, expiry=cell.expiry)


def cell_digest(cell: Cell) -> str:
    """SHA-256 over a cell: what it is called, and the whole problem that the engine reads."""
    networks = [member.name for net in cell.workload.networks for member in net.family]
    accuracies = [member.top1 for net in cell.workload.networks for member in net.family]
    told = [cell.model_dump_json(), cell.workload.model_names, networks, accuracies]
    digest = hashlib.sha256(repr(told).encode())
    digest.update(make_world(cell).problem_arena.tobytes())
    return digest.hexdigest()
