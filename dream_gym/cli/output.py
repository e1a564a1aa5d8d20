"""What the commands share: console, tables, progress, command lines, reading ``name=value``."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dream_gym.errors import ConfigError
from dream_gym.files import is_standard_output

PIPED_WIDTH = 400
"""Columns where the output is no terminal, so that no row is wrapped."""


def make_console(*outputs: Path | None) -> Console:
    """A console for results; piped, it is wide and its tables are Markdown.

    Args:
        *outputs: What else the command writes: if one goes to standard output, that has nothing
            but it, and the console is on standard error.
    """
    stderr = any(path is not None and is_standard_output(path) for path in outputs)
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)


def make_table(console: Console, title: str = "") -> Table:
    """An empty table that suits a console."""
    if not console.is_terminal:
        if title:
            console.print(f"\n{title}\n", markup=False)
        return Table(box=box.MARKDOWN)
    return Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)


def make_progress() -> Progress:
    """A progress bar on standard error, gone when the work is done; none where that is piped."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def command_line(
    command: Callable[..., None], values: Mapping[str, Any], *, spelled: Collection[str] = ()
) -> str:
    """The whole command that was given, for whoever wants the same again.

    Args:
        command: The function of the command; its name is that of the command.
        values: The value of each of its parameters.
        spelled: Options that are spelled out even where they are as by default.
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
            raise ConfigError(f"option: expected NAME=VALUE, such as alpha=0.5, got {pair!r}")
        try:
            options[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"option: {pair!r} has a value that cannot be read") from None
    return options
