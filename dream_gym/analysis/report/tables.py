"""Tables of text, before they are shown: each kind of output writes them in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

from dream_gym.analysis.report import markdown


class Name(str):
    """A name in a table; code in Markdown."""

    __slots__ = ()


def counted(number: int, what: str) -> str:
    """A number of things: ``1 seed``, ``2 seeds``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class TextTable:
    """A table of texts, in no markup.

    Args:
        title: What it shows; may be empty.
        headings: The headings of its columns.
        rows: Its rows.
        prose: Whether all columns are text, and not only the first with figures beside it.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: bool = False

    def with_texts(self, change: Callable[[str], str]) -> TextTable:
        """The same table with every text changed."""

        def changed(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(type(text)(change(text)) for text in texts)

        rows = tuple(changed(row) for row in self.rows)
        return TextTable(change(self.title), changed(self.headings), rows, self.prose)

    def markdown(self, *, aligned: bool = False) -> str:
        """The table in Markdown, without its title; aligned, it is good to read as it is."""
        lines = [tuple(map(_markdown, line)) for line in (self.headings, *self.rows)]
        lines.insert(1, ("---",) * len(self.headings))
        if aligned:
            widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
            lines = [
                tuple(
                    cell + space if self.prose or not index else space + cell
                    for index, (cell, width) in enumerate(zip(line, widths, strict=True))
                    for space in (" " * (width - cell_len(cell)),)
                )
                for line in lines
            ]
            lines[1] = tuple("-" * width for width in widths)
        return "\n".join(map(markdown.row, lines))


def _markdown(cell: str) -> str:
    return markdown.code(cell) if isinstance(cell, Name) else markdown.escape(cell)
