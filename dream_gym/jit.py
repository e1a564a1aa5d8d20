"""The one place where Numba is set up: how functions are compiled, and how they are cached.

Semantics are those of NumPy without fast-math, so that a compiled run and one with
``NUMBA_DISABLE_JIT=1`` give the same bits.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import caching

from dream_gym.sources import code_digest

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": False}
_INNER = {"no_cpython_wrapper": True, **_OPTIONS}  # halves the time to compile


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that compiled functions call, never Python; it is cached with them."""
    return cast("Callable[P, R]", numba.njit(**_INNER)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Like `compiled`, for what every event or step calls: LLVM always inlines it.

    A call hands the views of problem and state over word by word, which takes some 60 ns: with
    calls at each event, the engine was 2.8 times slower.
    """
    return cast(
        "Callable[P, R]",
        numba.njit(forceinline=True, **_INNER)(function),
    )


def entry_point(
    name: str, *, cache: bool = True, parallel: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function that Python calls, and cache it on disk.

    Numba's own cache notices a change in the file of the function only. This one notices a
    change in all that an entry point contains, see `dream_gym.sources`, and may be used on
    closures over compiled functions.

    Args:
        name: Tells apart entry points that are made by one factory.
        cache: Whether to cache; not for what calls functions from outside the package.
        parallel: Whether ``numba.prange`` runs on several threads.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        function.__qualname__ = f"{function.__name__}_{name}"
        dispatcher = numba.njit(parallel=parallel, **_OPTIONS)(function)
        if cache and not numba.config.DISABLE_JIT:
            dispatcher._cache = _PackageCache(function)
        return cast("Callable[P, R]", dispatcher)

    return decorate


@functools.cache
def _announce_compilation() -> None:
    logging.getLogger("dream_gym").warning(
        "compiling the simulator, which takes up to half a minute, once per version ..."
    )


class _PackageCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's file cache, valid for one state of the sources that a function contains."""

    def load_overload(self, signature: object, target: object) -> Any:
        self._bind_to_sources()
        try:
            found = super().load_overload(signature, target)
        except Exception:  # a damaged file fails in any way that unpickling may
            self._cache_file.flush()
            found = None
        if found is None:
            _announce_compilation()
        return found

    def _bind_to_sources(self) -> None:
        """Give the file its stamp; not before it is read, since digests take their time."""
        self._cache_file = caching.IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=code_digest(self._py_func),
        )

    def _index_key(self, signature: object, codegen: Any) -> tuple[object, object]:
        # The stamp and the qualified name already determine code and closure.
        return signature, codegen.magic_tuple()
