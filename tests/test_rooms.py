"""The house: data flows one way, and a reader finds things because no room is crowded."""

from __future__ import annotations

import ast
import functools
import graphlib
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
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
    "generator",
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


INTERFACES = {room: PACKAGE.joinpath(*room.split("."), "__init__.py") for room in CHAIN}
ROOMS = [
    room for room, path in INTERFACES.items() if path.is_file() and "__all__" in path.read_text()
]


@functools.cache
def taken(*roots: str) -> list[tuple[Path, str, str]]:
    """Who takes which name from which module: in Python files, and in pages."""
    return list(_taken(roots))


def _taken(roots: tuple[str, ...]) -> Iterator[tuple[Path, str, str]]:
    line = re.compile(r"from (dream_gym[\w.]*) import (?:\(([^)]*)\)|([\w, ]+))")
    for root in roots:
        path = ROOT / root
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.suffix == ".md":
                for module, *names in line.findall(file.read_text(encoding="utf-8")):
                    yield from ((file, module, name) for name in re.findall(r"\w+", str(names)))
            elif file.suffix == ".py":
                for node in ast.walk(ast.parse(file.read_bytes())):
                    if isinstance(node, ast.ImportFrom) and node.module:
                        yield from ((file, node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_exports_others_take_from_it(room: str) -> None:
    """And nothing is exported for its own sake."""
    inner, module = PACKAGE / room, f"dream_gym.{room}"
    exported = set(importlib.import_module(module).__all__)
    others = [
        each for each in taken("dream_gym", "agents", "train.py") if inner not in each[0].parents
    ]
    past_it = [
        (str(file.relative_to(ROOT)), name)
        for file, source, name in others
        if source.startswith(f"{module}.") and name in exported
    ]
    assert not past_it
    users = [*others, *taken("tests", "docs", "README.md")]
    used = {name for _, source, name in users if source == module}
    for spec in gym.registry.values():  # entry points are named by strings
        used |= {
            str(entry).removeprefix(f"{module}:")
            for entry in (spec.entry_point, spec.vector_entry_point)
        }
    assert exported <= used, exported - used
