"""What the commands share: console, tables, progress, command lines, reading ``name=value``."""

from __future__ import annotations

import codecs
import inspect
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from dream_gym.analysis.report import markdown
from dream_gym.analysis.report.tables import TextTable
from dream_gym.errors import ConfigError, shown
from dream_gym.files import is_standard_output
from dream_gym.reading.yaml_core import load_yaml

LEGIBLE = "dream_gym.legible"
"""How encoders write characters that an encoding lacks: in ASCII, or escaped as in Python."""

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
"""The width of a terminal over this is what the names of rows may take if not all fits."""


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


def make_console(*outputs: Path | None) -> Console:
    """A console for results: nothing in a text is markup to it.

    Args:
        *outputs: What else the command writes: if one of them goes to standard output, nothing
            else does, and the console is on standard error.
    """
    stderr = any(path is not None and is_standard_output(path) for path in outputs)
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def plain(console: Console, text: str) -> str:
    """Output on a terminal: a text on one line, in characters that can be seen and encoded."""
    return _writable(console, markdown.visible(text))


def _writable(console: Console, text: str) -> str:
    return text.encode(console.encoding, LEGIBLE).decode(console.encoding)


def say(console: Console, text: str, *, style: str | None = None, keep: bool = False) -> None:
    """Print a line.

    Args:
        console: Where.
        text: The line.
        style: Its style on a terminal.
        keep: Whether to keep it whole on a narrow terminal, so that it can be copied.
    """
    whole = keep or not console.is_terminal
    console.print(plain(console, text), style=style, soft_wrap=whole)


def show_table(console: Console, table: TextTable) -> None:
    """Print a table: on a terminal in as many pieces as its width requires, else in Markdown."""
    visible = table.with_texts(lambda text: plain(console, text))
    if not console.is_terminal:
        title = f"{markdown.escape(visible.title)}\n\n" if visible.title else ""
        console.print(f"\n{title}{visible.markdown(aligned=True)}", soft_wrap=True)
        return
    if visible.title:
        console.print(visible.title, style="italic")
    for columns in _pieces(visible, console.width):
        piece = Table(
            *(
                Column(
                    visible.headings[index],
                    justify="right" if index and not visible.prose else "left",
                    width=width,
                    overflow="fold",
                )
                for index, width in columns
            ),
            box=box.SIMPLE_HEAD,
        )
        for row in visible.rows:
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
    """A progress bar on standard error, gone when the work is done; none if that is a pipe."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        expand=True,
        disable=not console.is_terminal,
    )


def command_line(
    command: Callable[..., None], values: Mapping[str, Any], *, spelled: Collection[str] = ()
) -> str:
    """The whole command that was given, to run it again.

    Args:
        command: The function of the command; its name is that of the command.
        values: The value of each of its parameters.
        spelled: Options that are spelled out even if they have their defaults.
    """
    words = ["dream-gym", command.__name__]
    for name, parameter in inspect.signature(command).parameters.items():
        value, option = values[name], f"--{name.replace('_', '-')}"
        if value is None or (value == parameter.default and name not in spelled):
            continue
        texts = [str(item) for item in (value if isinstance(value, tuple) else [value])]
        if "UseAppendAction" in str(parameter.annotation):
            words += [word for text in texts for word in (option, text)]
        elif texts:
            words += [option, *texts]
    return shlex.join(words)


def parse_options(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read scheduler options such as ``alpha=0.5``; the scheduler checks names and values.

    Raises:
        ConfigError: One is not of this form.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigError(f"option: expected NAME=VALUE, such as alpha=0.5, got {shown(pair)}")
        if name in options:
            raise ConfigError(f"option: {shown(name)} is given twice")
        options[name] = load_yaml(value, origin=f"option {shown(name)}")
    return options
