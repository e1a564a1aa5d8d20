"""The one place where Numba is set up: how functions are compiled, and how they are cached.

Semantics are those of NumPy without fast-math, so that a compiled run and one with
``NUMBA_DISABLE_JIT=1`` give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

from dream_gym.compiling.code_cache import CodeCache
from dream_gym.compiling.codegen import PartCompiler, take_constants_as_numbers

P = ParamSpec("P")
R = TypeVar("R")

ENTRY_POINTS: list[Any] = []
"""The cached entry points of all modules imported so far."""

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,
    "no_cfunc_wrapper": True,
    # Without reference counts, compiled code cannot allocate, which the engine's never does, and
    # there is much less of it to compile.
    "_nrt": False,
}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that compiled functions call, never Python; it is cached with them."""
    return _part(function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Like `compiled`, for what every event or step calls: LLVM always inlines it.

    A call hands the views of problem and state over word by word, which takes some 60 ns: with
    calls at each event, the engine was 2.8 times slower.
    """
    return _part(function, forceinline=True)


def _part(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    options |= {"no_cpython_wrapper": True, "pipeline_class": PartCompiler}
    dispatcher = numba.njit(**_OPTIONS, **options)(function)
    if not numba.config.DISABLE_JIT:
        take_constants_as_numbers(dispatcher)
    return cast("Callable[P, R]", dispatcher)


def entry_point(
    name: str, what: str = "", *, cache: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function that Python calls, and cache it on disk.

    Numba's own cache notices a change in the file of the function only. This one notices a
    change in all that an entry point contains, see `dream_gym.compiling.code_cache`, and may be
    used on closures over compiled functions.

    Args:
        name: Tells apart entry points that are made by one factory.
        what: What it is to those who wait for it, with how long, such as "the scheduler edf,
            10 to 20 s"; by default its name, and a few seconds.
        cache: Whether to cache; not for what calls functions from outside the package.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        described = what or f"{function.__name__} of {name}, a few seconds"
        function.__qualname__ = f"{function.__name__}_{name}"
        dispatcher = numba.njit(**_OPTIONS)(function)
        if not numba.config.DISABLE_JIT:
            take_constants_as_numbers(dispatcher)
            if cache:
                dispatcher._cache = CodeCache(function, described)
                ENTRY_POINTS.append(dispatcher)
        return cast("Callable[P, R]", dispatcher)

    return decorate
