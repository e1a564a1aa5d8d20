"""What the commands share: the console, tables, progress, and reading ``name=value``."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dream_gym.errors import ConfigError, shown
from dream_gym.yaml_core import load_yaml

PIPED_WIDTH = 400
"""Columns where the output is no terminal, so that no row is wrapped."""


def make_console() -> Console:
    """A console for results; piped, it is wide and its tables are Markdown."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def make_table(console: Console, title: str = "") -> Table:
    """An empty table that suits a console."""
    if not console.is_terminal:
        if title:
            console.print(f"\n{title}\n", markup=False)
        return Table(box=box.MARKDOWN)
    return Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)


def make_progress() -> Progress:
    """A progress bar on standard error, gone when the work is done."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
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
            raise ConfigError(f"option: expected NAME=VALUE, such as alpha=0.5, got {shown(pair)}")
        options[name] = load_yaml(value, origin=f"option {shown(name)}")
    return options
