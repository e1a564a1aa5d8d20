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
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import np_cfarray
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
    """How the tables of a NamedTuple lie one after the other in a buffer.

    Args:
        views: The NamedTuple.
        dimensions: Names of the dimensions; in an arena, its first words.
        tables: Element type and shape of every table in the order of the NamedTuple; an axis is
            a dimension's name or a constant.
        word: Element type of the buffer; int64 in an arena.
    """

    views: type[ViewsT]
    dimensions: tuple[str, ...]
    tables: Mapping[str, tuple[np.dtype[Any], tuple[str | int, ...]]]
    word: np.dtype[Any] = INT

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
        lines = [f"    {name} = arena[{at}]" for at, name in enumerate(self.dimensions)]
        return self._generate("arena", lines, len(self.dimensions))

    def viewer_of_sizes(self) -> Callable[..., ViewsT]:
        """The same for a buffer without dimensions, which are further arguments in their order."""
        return self._generate(f"arena, {', '.join(self.dimensions)}", [], 0)

    def _generate(self, arguments: str, dimensions: list[str], first: int) -> Callable[..., ViewsT]:
        scope: dict[str, Any] = {"Views": self.views, "cut": _cut}
        lines = [f"def view({arguments}):", *dimensions, f"    end = {first}"]
        for table, (dtype, shape) in self.tables.items():
            scope[f"{table}_type"] = dtype
            words = dtype.itemsize // self.word.itemsize
            axes = [str(axis) for axis in shape]
            lines.append(f"    {table} = cut(arena, end, ({', '.join(axes)},), {table}_type)")
            lines.append(f"    end += {words} * {' * '.join(axes)}")
        lines.append(f"    return Views({', '.join(f'{name}={name}' for name in self.tables)})")
        exec("\n".join(lines), scope)
        return cast("Callable[..., ViewsT]", scope["view"])


def _cut(arena: NDArray[Any], start: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The table that starts at a word of the arena."""
    words = int(np.prod(shape)) * (dtype.itemsize // arena.itemsize)
    table: NDArray[Any] = arena[start : start + words].view(dtype).reshape(shape)
    return table


def ints_at(address: int, shape: tuple[int, ...]) -> Ints:
    """The int64 array at an address: one of a batch's, which its owner keeps alive."""
    words = int(np.prod(shape))
    if words == 0:
        return np.empty(shape, dtype=np.int64)
    return np.ctypeslib.as_array((ctypes.c_int64 * words).from_address(int(address))).reshape(shape)


# How compiled code makes these arrays: in place, with no call to compile for each of the tables,
# and with no reference count to keep, which doubles the engine's speed. The memory outlives the
# arrays, since it belongs to arguments of the entry point.


@type_callable(_cut)  # type: ignore[untyped-decorator]
def _type_of_cut(context: Any) -> Callable[..., types.Array]:
    return lambda arena, start, shape, dtype: types.Array(dtype.dtype, len(shape), "C")


@lower_builtin(_cut, types.Array, types.Integer, types.BaseTuple, types.DType)  # type: ignore[untyped-decorator]
def _lower_cut(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    arena_type, start_type, shape_type, _ = signature.args
    arena, start, shape, _ = arguments
    words = context.make_array(arena_type)(context, builder, value=arena).data
    first = builder.gep(words, [context.cast(builder, start, start_type, types.intp)])
    return _array(context, builder, signature.return_type, first, shape_type, shape)


@type_callable(ints_at)  # type: ignore[untyped-decorator]
def _type_of_ints_at(context: Any) -> Callable[..., types.Array]:
    return lambda address, shape: types.Array(types.int64, len(shape), "C")


@lower_builtin(ints_at, types.Integer, types.BaseTuple)  # type: ignore[untyped-decorator]
def _lower_ints_at(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    address, shape = arguments
    first = builder.inttoptr(address, cgutils.voidptr_t)
    return _array(context, builder, signature.return_type, first, signature.args[1], shape)


def _array(
    context: Any, builder: Any, array_type: Any, pointer: Any, shape_type: Any, shape: Any
) -> Any:
    """An array over memory that somebody else keeps."""
    given = array_type(types.voidptr, shape_type)
    return np_cfarray(context, builder, given, (pointer, shape))
