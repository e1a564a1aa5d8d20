"""Digests of the package's sources: of all of them, and of those that a compiled function contains.

Machine code on disk is good for as long as its sources are the same. A change in a table or a
command should not compile the simulator again, so only the modules count that a function can reach:
those in which it and the functions it closes over are written, and what these import.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_PACKAGE = _ROOT.name


@functools.cache
def package_digest() -> str:
    """SHA-256 over all sources of the package."""
    return _digest(_ROOT.rglob("*.py"))


def code_digest(function: Callable[..., Any]) -> str:
    """SHA-256 over the sources of the package that a compiled function may depend on."""
    modules = {name for name in _written_in(function, set()) if _file_of(name) is not None}
    found: set[str] = set()
    while modules:
        module = modules.pop()
        found.add(module)
        modules |= imports_of(module) - found
    return _digest(path for module in found if (path := _file_of(module)) is not None)


def _written_in(function: Any, seen: set[int]) -> Iterator[str]:
    """The modules of a function, compiled or not, and of the functions that it closes over."""
    function = getattr(function, "py_func", function)
    if id(function) in seen or not hasattr(function, "__module__"):
        return
    seen.add(id(function))
    yield function.__module__
    for cell in getattr(function, "__closure__", None) or ():
        if callable(cell.cell_contents):
            yield from _written_in(cell.cell_contents, seen)


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """The package's modules that a module takes names from, wherever it imports them."""
    found = set()
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_origin(node.module, alias.name) for alias in node.names}
    return frozenset(name for name in found if _file_of(name) is not None)


def _origin(module: str, name: str) -> str:
    """The module that a name comes from: itself a module, passed on by a package, or written."""
    if _file_of(module) is None:
        return module
    if _file_of(f"{module}.{name}") is not None:
        return f"{module}.{name}"
    for node in _parsed(module).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _origin(node.module, alias.name)
    return module


@functools.cache
def _parsed(module: str) -> ast.Module:
    path = _file_of(module)
    assert path is not None
    return ast.parse(path.read_bytes())


@functools.cache
def _file_of(module: str) -> Path | None:
    """The file of a module of the package; None for any other."""
    first, *rest = module.split(".")
    if first != _PACKAGE:
        return None
    path = _ROOT.joinpath(*rest)
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if rest and candidate.is_file():
            return candidate
    return _ROOT / "__init__.py" if not rest else None


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
