"""Functions of the user's own, named in a file, imported only when they are called.

Where a file of the user's names a function, its module is looked for in the folder of that file,
in the working directory, and then where Python looks. Importing it runs its code.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from dream_gym.errors import ConfigError, shown

_REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_MAX_CHARACTERS = 200
_LOCK = threading.RLock()


@dataclass(frozen=True)
class PythonReference:
    """A function by the name of its module and its own, such as ``my_chip.costs``.

    Args:
        name: Module and function, with dots between.
        folders: Absolute paths of the folders in which the module is looked for first.
    """

    name: str
    folders: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.name) > _MAX_CHARACTERS or not _REFERENCE.fullmatch(self.name):
            raise ValueError(
                "expected a function such as my_chip.costs, or a class with its module, got "
                f"{shown(self.name)}"
            )

    def source_digest(self) -> str | None:
        """SHA-256 of the file of its module; None if the folders have no such file."""
        *packages, module, _ = self.name.split(".")
        for folder in self.folders:
            path = Path(folder, *packages)
            for file in (path / f"{module}.py", path / module / "__init__.py"):
                if file.is_file():
                    return hashlib.sha256(file.read_bytes()).hexdigest()
        return None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function, which may import what lies beside it.

        Raises:
            ConfigError: It cannot be imported, or raises itself.
        """
        function = _import(self)
        with _importable(self.folders):
            try:
                return function(*arguments, **keywords)
            except Exception as error:
                raise ConfigError(f"{self.name}: {type(error).__name__}: {error}") from error


@functools.cache
def _import(reference: PythonReference) -> Callable[..., Any]:
    module_name, _, name = reference.name.rpartition(".")
    with _importable(reference.folders, _top(module_name)):
        try:
            found = getattr(importlib.import_module(module_name), name)
        except (Exception, SystemExit) as error:
            raise ConfigError(
                f"{reference.name}: cannot be imported: {type(error).__name__}: {error}; looked in "
                f"{' and '.join(reference.folders)}, and where Python looks"
            ) from error
    if not callable(found):
        raise ConfigError(f"{reference.name}: is no function")
    function: Callable[..., Any] = found
    return function


@contextmanager
def _importable(folders: tuple[str, ...], package: str = "") -> Iterator[None]:
    """Import from these folders first, and leave no trace: others may have modules of that name.

    Args:
        folders: The folders.
        package: A module or package that is taken from the first of these folders that has it,
            even where another one of its name is imported already.
    """
    with _LOCK:
        home = _home(package, folders)
        path, modules = sys.path.copy(), sys.modules.copy()
        hidden = {
            name: module
            for name, module in modules.items()
            if home and _top(name) == package and not _lies_in(module, home)
        }
        for name in hidden:
            del sys.modules[name]
        sys.path[:0] = folders
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path[:] = path
            for name in sys.modules.keys() - (modules.keys() - hidden.keys()):
                if _home(_top(name), folders) and (name in hidden or _top(name) not in modules):
                    del sys.modules[name]
            sys.modules.update(hidden)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _home(package: str, folders: tuple[str, ...]) -> str | None:
    """The first folder that has a package or module; None for this package, which is here."""
    if package in ("", _top(__name__)):
        return None
    for folder in folders:
        if Path(folder, package).is_dir() or Path(folder, f"{package}.py").is_file():
            return folder
    return None


def _lies_in(module: ModuleType | None, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and os.path.abspath(file).startswith(os.path.join(folder, ""))
