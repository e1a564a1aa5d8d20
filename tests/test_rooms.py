"""The house: data flows one way, and a reader finds things because no room is crowded."""

from __future__ import annotations

import graphlib
from pathlib import Path

import pytest

from dream_gym.compiling.sources import imports_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dream_gym"
CHAIN = (
    "errors",
    "units",
    "arguments",
    "files",
    "reading",
    "compiling",
    "workload",
    "hardware",
    "simulator",
    "schedulers",
    "envs",
    "players",
    "api",
    "analysis.extra",
    "analysis.suites",
    "analysis.measures",
    "analysis.runs",
    "analysis.report",
    "analysis.calibration",
    "analysis.studies",
    "analysis",
    "warming",
    "cli",
    "__main__",
)
"""Rooms and modules in the order of docs and DESIGN: each imports from those before it only."""
MOST_FILES = 15
CATALOGUES = ("schedulers", "workload/networks", "simulator")


def modules() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def place(module: str) -> int:
    """Position of a module in the chain; of the package itself, the end."""
    inner = module.removeprefix("dream_gym").removeprefix(".")
    found = [room for room in CHAIN if inner == room or inner.startswith(f"{room}.")]
    if not inner:
        return len(CHAIN)
    assert found, f"{module} has no place in the chain: tests/test_rooms.py"
    return CHAIN.index(max(found, key=len))


def test_the_chain_names_what_there_is() -> None:
    inner = {module.removeprefix("dream_gym.") for module in modules()}
    assert set(CHAIN) <= inner


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_what_stands_before_it(module: str) -> None:
    later = [other for other in imports_of(module) if place(other) > place(module)]
    assert not later


def test_no_module_needs_itself() -> None:
    graph = {module: imports_of(module) - {module} for module in modules()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, and names the circle


def test_no_room_is_crowded() -> None:
    rooms = {path.parent for path in PACKAGE.rglob("*.py")}
    crowded = {
        str(room.relative_to(PACKAGE)): count
        for room in rooms
        if (count := len(list(room.glob("*.py")))) > MOST_FILES
        and str(room.relative_to(PACKAGE)) not in CATALOGUES
    }
    assert not crowded
