"""Arenas: all arrays of a problem or a state in one int64 buffer, seen through a NamedTuple.

One buffer makes a call into compiled code cheap (two arguments instead of sixty), a copy of a
state one ``copy()``, and a batch of states a matrix. The views are made by one generated function
that Python and compiled code share, so the layout is written down once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from dream_gym.jit import inlined

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
ViewsT = TypeVar("ViewsT", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Layout(Generic[ViewsT]):
    """How the fields of a NamedTuple lie in an arena: its dimensions first, then field by field.

    Args:
        views: The NamedTuple.
        dimensions: Names of the dimensions, in the order of the arena's first words.
        shapes: Shape of every field, each axis a dimension's name or a constant.
        floats: The fields that hold float64 values.
    """

    views: type[ViewsT]
    dimensions: tuple[str, ...]
    shapes: Mapping[str, tuple[str | int, ...]]
    floats: frozenset[str] = frozenset()

    def allocate(self, **sizes: int) -> Ints:
        """A zeroed arena for the given sizes of the dimensions."""
        words = len(self.dimensions)
        for shape in self.shapes.values():
            words += int(np.prod([sizes[n] if isinstance(n, str) else n for n in shape]))
        arena = np.zeros(words, dtype=np.int64)
        arena[: len(self.dimensions)] = [sizes[name] for name in self.dimensions]
        return arena

    def viewer(self) -> Callable[[Ints], ViewsT]:
        """Generate the function that cuts an arena into its fields."""
        lines = ["def view(arena):"]
        lines += [f"    {name} = arena[{at}]" for at, name in enumerate(self.dimensions)]
        lines.append(f"    end = {len(self.dimensions)}")
        for field, shape in self.shapes.items():
            axes = ", ".join(str(axis) for axis in shape)
            cast_to = ".view(float64)" if field in self.floats else ""
            fold = f".reshape(({axes}))" if len(shape) > 1 else ""
            lines.append(f"    start, end = end, end + {' * '.join(str(axis) for axis in shape)}")
            lines.append(f"    {field} = arena[start:end]{cast_to}{fold}")
        lines.append(f"    return Views({', '.join(self.views._fields)})")  # type: ignore[attr-defined]
        scope: dict[str, Any] = {"Views": self.views, "float64": np.float64}
        exec("\n".join(lines), scope)
        return cast("Callable[[Ints], ViewsT]", inlined(scope["view"]))
