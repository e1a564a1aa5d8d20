"""``dream-gym new``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

import tyro

from dream_gym.cli.output import make_console, say
from dream_gym.errors import ConfigError
from dream_gym.files import write_text
from dream_gym.reading import resources

PLACEHOLDER = "my_name"
"""The placeholder for the name in the templates."""


def new(
    kind: Annotated[Literal["scenario", "platform"], tyro.conf.Positional],
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")],
    /,
) -> None:
    """Write a commented template into scenarios/ or platforms/, to be changed into your own.

    Args:
        kind: What to write.
        name: Its name, which commands take.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ConfigError(f"name: expected letters, digits, '_' and '-', got {name!r}")
    folder = f"{kind}s"
    path = Path(folder) / f"{name}.yaml"
    if os.path.lexists(path):
        raise ConfigError(f"{path}: exists already")
    if name in resources.names(folder):
        raise ConfigError(f"name: {name!r} is already one of the {folder}; choose another")
    template = resources.shipped_folder("templates") / f"{kind}.yaml"
    write_text(path, template.read_text(encoding="utf-8").replace(PLACEHOLDER, name))
    say(make_console(), str(path), keep=True)
