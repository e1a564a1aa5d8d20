"""One kind of entry of an observation, and the tables that document them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """One kind of entry of an observation."""

    name: str
    unit: str
    low: float
    high: float
    meaning: str


def entry_table(entries: Sequence[Entry]) -> str:
    """The entries as a Markdown table, as the documentation shows them."""
    rows = [f"| {e.name} | {e.unit} | {e.low:g} | {e.high:g} | {e.meaning} |" for e in entries]
    return "\n".join(("| Entry | Unit | Min | Max | Meaning |", "|---|---|---|---|---|", *rows))
