"""The tables of an observation: what an agent sees, as one flat vector or as a dict of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dream_gym.arguments import checked_choice
from dream_gym.compiling.jit import inlined
from dream_gym.simulator.arena import Layout

Flat: TypeAlias = NDArray[np.float32]
"""An observation as one vector."""

FORMS = ("box", "dict")
ViewsT = TypeVar("ViewsT", bound=tuple[Any, ...])


class Feature(NamedTuple):
    """One kind of feature of an observation: a column of a table."""

    name: str
    unit: str
    low: float
    high: float
    meaning: str


class Table(NamedTuple):
    """Entries that every row of something has.

    Args:
        rows: Numbers of rows along each axis; none for a table of one row.
        features: The columns.
    """

    rows: tuple[int, ...]
    features: tuple[Feature, ...]


FLOAT32 = np.dtype(np.float32)
"""The word of an observation."""


def feature_record(features: Sequence[Feature]) -> np.dtype[Any]:
    """A row of a table as a record of float32 fields."""
    return np.dtype((np.record, np.dtype([(feature.name, FLOAT32) for feature in features])))


def make_view(
    views: type[ViewsT], **tables: tuple[np.dtype[Any], tuple[str | int, ...]]
) -> Callable[..., ViewsT]:
    """Generate the compiled function that cuts a flat vector into its tables.

    Args:
        views: A NamedTuple of the tables.
        **tables: Element type and shape of each, as for a `Layout`. The names among the axes are
            the further arguments of the function, in the order in which they come up.
    """
    axes = [axis for _, shape in tables.values() for axis in shape if isinstance(axis, str)]
    layout = Layout(views, tuple(dict.fromkeys(axes)), tables, word=FLOAT32)
    return inlined(layout.viewer_of_sizes())


def clipper(features: Sequence[Feature]) -> Callable[[Any], None]:
    """Generate the compiled function that clips a row, a record, to the ranges of its features."""
    scope: dict[str, Any] = {}
    lines = [
        f"    row.{name} = min(max(row.{name}, {float(low)}), {float(high)})"
        for name, _, low, high, _ in features
    ]
    exec("\n".join(["def clip(row):", *lines]), scope)
    clip: Callable[[Any], None] = inlined(scope["clip"])
    return clip


def feature_table(features: Sequence[Feature]) -> str:
    """The features as a Markdown table, as the documentation shows them."""
    rows = [f"| {e.name} | {e.unit} | {e.low:g} | {e.high:g} | {e.meaning} |" for e in features]
    return "\n".join(("| Feature | Unit | Min | Max | Meaning |", "|---|---|---|---|---|", *rows))


def document_tables(page: str, tables: Mapping[str, tuple[str, Sequence[Feature]]]) -> str:
    """A page with its word TABLES replaced by a title and a table for each of the tables.

    Args:
        page: The page; empty under ``python -OO``.
        tables: How many rows there are, and the features, by name.
    """
    sections = (
        f"``{name}``, {rows}:\n\n{feature_table(features)}"
        for name, (rows, features) in tables.items()
    )
    return page.replace("TABLES", "\n\n".join(sections))


class Observation:
    """Tables as what agents get: one flat vector, or a dict of the tables, which share its memory.

    Args:
        tables: The tables by name, in the order of the flat vector.
        form: ``box`` or ``dict``.

    Raises:
        ConfigError: There is no such form.
    """

    def __init__(self, tables: Mapping[str, Table], form: str) -> None:
        checked_choice("observation", form, FORMS)
        self.tables = dict(tables)
        self._as_dict = form == "dict"
        boxes: dict[str, Any] = {name: _box(table) for name, table in self.tables.items()}
        low = np.concatenate([box.low.ravel() for box in boxes.values()])
        high = np.concatenate([box.high.ravel() for box in boxes.values()])
        self.flat_space = gym.spaces.Box(low, high, dtype=np.float32)
        self.space: gym.Space[Any] = gym.spaces.Dict(boxes) if self._as_dict else self.flat_space

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features of the flat vector, such as ``pairs[0,2].latency``."""
        names = []
        for name, table in self.tables.items():
            for index in np.ndindex(*table.rows):
                place = f"[{','.join(map(str, index))}]" if index else ""
                names += [f"{name}{place}.{feature.name}" for feature in table.features]
        return tuple(names)

    def present(self, flat: Flat) -> Any:
        """What agents get of a flat vector, or of a batch of them, whose memory it may share."""
        if not self._as_dict:
            return flat
        parts, start = {}, 0
        for name, table in self.tables.items():
            shape = (*table.rows, len(table.features))
            stop = start + int(np.prod(shape))
            parts[name] = flat[..., start:stop].reshape(*flat.shape[:-1], *shape)
            start = stop
        return parts


def _box(table: Table) -> gym.spaces.Box:
    shape = (*table.rows, len(table.features))
    low = np.array([feature.low for feature in table.features], dtype=np.float32)
    high = np.array([feature.high for feature in table.features], dtype=np.float32)
    return gym.spaces.Box(
        np.broadcast_to(low, shape), np.broadcast_to(high, shape), dtype=np.float32
    )
