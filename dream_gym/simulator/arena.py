"""Arenas: all tables of a problem or a state in one int64 buffer, seen through a NamedTuple.

One buffer makes a call into compiled code cheap (two arguments instead of fourteen), a copy of a
state one ``copy()``, and a batch of states a matrix. Tables are arrays of records, so that the
engine writes ``state.slots[slot].deadline_ns``; the type of a record does not depend on the size
of the problem, so the engine is compiled once. The views are made by one generated function that
Python and compiled code share, so that the layout is written down once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Records: TypeAlias = "np.recarray[Any, Any]"
ViewsT = TypeVar("ViewsT", bound=tuple[Any, ...])

INT = np.dtype(np.int64)
FLOAT = np.dtype(np.float64)


def record_type(**fields: str) -> np.dtype[Any]:
    """A record of int64 fields; the values document the fields."""
    return np.dtype((np.record, np.dtype([(name, np.int64) for name in fields], align=True)))


@dataclass(frozen=True)
class Layout(Generic[ViewsT]):
    """How the tables of a NamedTuple lie in an arena: its dimensions first, then table by table.

    Args:
        views: The NamedTuple.
        dimensions: Names of the dimensions, in the order of the arena's first words.
        tables: Element type and shape of every table in the order of the NamedTuple; an axis is
            a dimension's name or a constant.
    """

    views: type[ViewsT]
    dimensions: tuple[str, ...]
    tables: Mapping[str, tuple[np.dtype[Any], tuple[str | int, ...]]]

    def allocate(self, **sizes: int) -> Ints:
        """A zeroed arena for the given sizes of the dimensions."""
        words = len(self.dimensions)
        for dtype, shape in self.tables.values():
            items = np.prod([sizes[axis] if isinstance(axis, str) else axis for axis in shape])
            words += int(items) * (dtype.itemsize // INT.itemsize)
        arena = np.zeros(words, dtype=np.int64)
        arena[: len(self.dimensions)] = [sizes[name] for name in self.dimensions]
        return arena

    def viewer(self) -> Callable[[Ints], ViewsT]:
        """Generate the function that cuts an arena into its tables, for Python or to compile."""
        scope: dict[str, Any] = {"Views": self.views, "cut": _cut}
        lines = ["def view(arena):"]
        lines += [f"    {name} = arena[{at}]" for at, name in enumerate(self.dimensions)]
        lines.append(f"    end = {len(self.dimensions)}")
        for table, (dtype, shape) in self.tables.items():
            scope[f"{table}_type"] = dtype
            words = dtype.itemsize // INT.itemsize
            axes = [str(axis) for axis in shape]
            lines.append(f"    {table} = cut(arena, end, ({', '.join(axes)},), {table}_type)")
            lines.append(f"    end += {words} * {' * '.join(axes)}")
        lines.append(f"    return Views({', '.join(f'{name}={name}' for name in self.tables)})")
        exec("\n".join(lines), scope)
        return cast("Callable[[Ints], ViewsT]", scope["view"])


def _cut(arena: Ints, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The table that starts at a word of the arena."""
    words = int(np.prod(shape)) * (dtype.itemsize // INT.itemsize)
    return arena[start : start + words].view(dtype).reshape(shape)


@overload(_cut)  # type: ignore[untyped-decorator]
def _compiled_cut(arena: Any, start: Any, shape: Any, dtype: Any) -> Any:
    # A view made from a pointer has no reference count to keep, which doubles the engine's
    # speed; the arena outlives it, being an argument of the entry point.
    word = INT.itemsize

    def cut(arena: Any, start: Any, shape: Any, dtype: Any) -> Any:
        return carray(_pointer(arena.ctypes.data + word * start), shape, dtype)

    return cut


def ints_at(address: int, shape: tuple[int, ...]) -> Ints:
    """The int64 array at an address: one of a batch's, which its owner keeps alive."""
    words = int(np.prod(shape))
    if words == 0:
        return np.empty(shape, dtype=np.int64)
    return np.ctypeslib.as_array((ctypes.c_int64 * words).from_address(int(address))).reshape(shape)


@overload(ints_at)  # type: ignore[untyped-decorator]
def _compiled_ints_at(address: Any, shape: Any) -> Any:
    def at(address: Any, shape: Any) -> Any:
        return carray(_pointer(address), shape, np.int64)

    return at


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate
