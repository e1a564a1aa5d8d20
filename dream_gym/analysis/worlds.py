"""The problem of a cell, without anybody who plays it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from dream_gym.analysis.cells import Cell
from dream_gym.simulator import Simulation


def make_world(cell: Cell) -> Simulation:
    """A simulation that nobody decides in."""
    return Simulation(cell.workload, cell.hardware, None, load=cell.load, expiry=cell.expiry)


def check_worlds(cells: Iterable[Cell], seconds: float, field: str = "seconds") -> None:
    """Raise `ConfigError` where runs of this length have nothing to schedule in a cell."""
    for cell in cells:
        make_world(cell).check_frames(seconds, f"{cell.title}: {field}")


def cell_digest(cell: Cell) -> str:
    """SHA-256 over a cell: what it is called, and the whole problem that the engine reads."""
    networks = [member.name for net in cell.workload.networks for member in net.family]
    accuracies = [member.top1 for net in cell.workload.networks for member in net.family]
    told = [cell.model_dump_json(), cell.workload.model_names, networks, accuracies]
    digest = hashlib.sha256(repr(told).encode())
    digest.update(make_world(cell).problem_arena.tobytes())
    return digest.hexdigest()
