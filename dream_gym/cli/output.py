"""What the commands share: the console, tables, progress, and reading ``name=value``."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from dream_gym.analysis import markdown
from dream_gym.analysis.tables import TextTable
from dream_gym.errors import ConfigError

LEGIBLE = "dream_gym.legible"
"""How encoders write signs that an encoding lacks: in words of ASCII, or as Python would."""

_IN_ASCII = {
    "×": "x",
    "÷": "/",
    "·": ";",
    "≥": ">=",
    "→": "->",
    "…": "...",
    "−": "-",
    **dict.fromkeys("─━╌╶╴═╺╸", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+"),
}
_PADDING, _EDGES = 3, 1
"""Columns of a terminal around each column of a table, and around all of them."""
_LEAST_NAMES = 3
"""The names of rows may take this part of a terminal where not all fits."""


def _legible(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    signs = [_IN_ASCII.get(sign) or markdown.as_python(sign) for sign in lacking]
    return "".join(signs), error.end


codecs.register_error(LEGIBLE, _legible)


def prepare_streams() -> None:
    """Let standard output and error take any text, whatever their encoding is."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=LEGIBLE)


def make_console() -> Console:
    """A console for results: nothing in a text is markup to it."""
    return Console(highlight=False, markup=False, emoji=False)


def plain(console: Console, text: str) -> str:
    """The edge to the terminal: a text on one line, in signs that can be seen and written."""
    return _writable(console, markdown.visible(text))


def _writable(console: Console, text: str) -> str:
    return text.encode(console.encoding, LEGIBLE).decode(console.encoding)


def say(console: Console, text: str, *, style: str | None = None, keep: bool = False) -> None:
    """Print a line.

    Args:
        console: Where.
        text: The line.
        style: Its style on a terminal.
        keep: Whether to leave it whole, to be copied, where a terminal is narrow.
    """
    whole = keep or not console.is_terminal
    console.print(plain(console, text), style=style, soft_wrap=whole)


def show_table(console: Console, table: TextTable) -> None:
    """Print a table: to a terminal in as many pieces as its width asks for, else in Markdown."""
    shown = table.with_texts(lambda text: plain(console, text))
    if not console.is_terminal:
        title = f"{markdown.escape(shown.title)}\n\n" if shown.title else ""
        console.print(f"\n{title}{shown.markdown(aligned=True)}", soft_wrap=True)
        return
    if shown.title:
        console.print(shown.title, style="italic")
    for columns in _pieces(shown, console.width):
        piece = Table(
            *(
                Column(
                    shown.headings[index],
                    justify="right" if index and not shown.prose else "left",
                    width=width,
                    overflow="fold",
                )
                for index, width in columns
            ),
            box=box.SIMPLE_HEAD,
        )
        for row in shown.rows:
            piece.add_row(*(row[index] for index, _ in columns))
        console.print(piece)


def _pieces(table: TextTable, width: int) -> Iterator[list[tuple[int, int]]]:
    """The columns and their widths, piece by piece; each piece begins with the first column.

    A piece takes no more than the width. Cells are wrapped, between words, only where one column
    beside the first is too wide already.
    """
    columns = list(zip(table.headings, *table.rows, strict=True))
    cells = [max((cell_len(cell) for cell in column[1:]), default=0) for column in columns]
    full = [max(cell_len(column[0]), wide) for column, wide in zip(columns, cells, strict=True)]
    if _EDGES + sum(full) + _PADDING * len(full) <= width:
        yield list(enumerate(full))
        return
    words = [max(map(cell_len, heading.split()), default=0) for heading in table.headings]
    first, *others = map(max, words, cells)
    room = width - _EDGES - _PADDING * len(columns) - sum(others)
    first = min(first, max(room, width // _LEAST_NAMES))
    others = [min(wide, width - _EDGES - 2 * _PADDING - first) for wide in others]
    piece, used = [(0, first)], _EDGES + first + _PADDING
    for index, wide in enumerate(others, 1):
        if used + wide + _PADDING > width and len(piece) > 1:
            yield piece
            piece, used = [(0, first)], _EDGES + first + _PADDING
        piece.append((index, wide))
        used += wide + _PADDING
    yield piece


def make_progress() -> Progress:
    """A progress bar on standard error, gone when the work is done."""
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    )


def parse_options(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read scheduler options such as ``alpha=0.5``; the scheduler checks names and values.

    Raises:
        ConfigError: One is not of this form.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigError(f"option: expected NAME=VALUE, such as alpha=0.5, got {pair!r}")
        try:
            options[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"option: {pair!r} has a value that cannot be read") from None
    return options
