"""Machine code on disk: where it is kept, for how long it is good, and what is said of compiling.

It lies beside the package, or where the package cannot be written in a folder of the user's; or
only where the environment variable ``NUMBA_CACHE_DIR`` says. It is good for as long as the sources
that it was made of are the same, see `dream_gym.compiling.sources`. What cannot be kept is
compiled by each process, and that is said once: a full disk or a missing home never ends a run.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.compiler import CompileResult
from numba.misc.appdirs import AppDirs

from dream_gym.compiling.sources import code_digest

_log = logging.getLogger("dream_gym")


class CodeCache:
    """The machine code of an entry point, one file for each signature; what Numba asks for it.

    Args:
        function: The function.
        what: What it is to those who wait until it is compiled.
    """

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        self._function = function
        self._what = what
        self._source = Path(function.__code__.co_filename)
        self._base = f"{self._source.stem}.{function.__qualname__}.{sys.implementation.cache_tag}"

    @property
    def cache_path(self) -> str:
        """The folder where it is looked for first."""
        return str(next(_folders(self._source)))

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The machine code for a signature; None, and a word about it, if it is not there."""
        target.refresh()
        key = _key(signature, target.codegen())
        for file in self._files:
            try:
                payload = file.load(key)
                if payload is not None:
                    return CompileResult._rebuild(target, *payload)
            except Exception:  # a damaged file fails in any way that unpickling may
                _discard(file)
        _log.warning(
            "compiling %s, once per version; `dream-gym warm` compiles all at once", self._what
        )
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep machine code, where that can be done."""
        if result.library.has_dynamic_globals:
            return  # it holds addresses of this process
        key, payload = _key(signature, result.codegen), result._reduce()
        for folder, file in zip(_folders(self._source), self._files, strict=True):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file.save(key, payload)
            except OSError as error:
                reason = error.strerror or str(error)
            else:
                return
        _complain(reason)

    def flush(self) -> None:
        """Forget what is kept."""
        for file in self._files:
            _discard(file)

    @functools.cached_property
    def _files(self) -> list[Any]:
        """Not made before they are read: the digest takes its time."""
        stamp = code_digest(self._function)
        return [
            IndexDataCacheFile(cache_path=str(folder), filename_base=self._base, source_stamp=stamp)
            for folder in _folders(self._source)
        ]


def _folders(source: Path) -> Iterator[Path]:
    """Where the machine code of a source file may be, best first."""
    room = source.resolve().parent
    apart = f"{room.name}_{hashlib.sha256(str(room).encode()).hexdigest()[:16]}"
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR) / apart
        return
    yield room / "__pycache__"
    yield Path(AppDirs(appname="dream_gym", appauthor=False).user_cache_dir) / apart


def _key(signature: Any, codegen: Any) -> tuple[Any, Any]:
    """What machine code depends on beside its sources: types and the processor."""
    return signature, codegen.magic_tuple()


def _discard(file: Any) -> None:
    with contextlib.suppress(OSError):  # where it cannot be written, it stays
        file.flush()


@functools.cache
def _complain(reason: str) -> None:
    _log.warning(
        "compiled code cannot be kept (%s), so each process compiles it: set NUMBA_CACHE_DIR to a "
        "folder that can be written",
        reason,
    )
