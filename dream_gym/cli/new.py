"""``dream-gym new``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

import tyro

from dream_gym.cli.output import make_console, say
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, write_text
from dream_gym.generator import VERSION, generate_workload
from dream_gym.reading import resources
from dream_gym.reading.yaml_core import dump_yaml

PLACEHOLDER = "my_name"
"""The placeholder for the name in the templates."""


def new(
    kind: Annotated[Literal["scenario", "platform", "cell"], tyro.conf.Positional],
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")],
    /,
    generate: int | None = None,
) -> None:
    """Write a commented template into scenarios/ or platforms/, to be changed into your own.

    Args:
        kind: What to write; a cell is a scenario and a platform that are drawn at random.
        name: Its name, which commands take.
        generate: Seed of a cell, see docs/generator.md.
    """
    if kind == "cell" and generate is None:
        raise ConfigError("--generate: a cell is drawn at random: give its seed")
    if kind != "cell" and generate is not None:
        raise ConfigError(f"--generate: is for a cell, not for a {kind}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ConfigError(f"name: expected letters, digits, '_' and '-', got {name!r}")
    if generate is not None:
        _write_cell(name, generate)
        return
    template = resources.shipped_folder("templates") / f"{kind}.yaml"
    content = template.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
    _write(_check_free(kind, name), content)


def _write_cell(name: str, seed: int) -> None:
    workload = generate_workload(seed)
    parts = {"scenario": workload.scenario, "platform": workload.platform}
    paths = {kind: _check_free(kind, name) for kind in parts}
    check_outputs(*paths.values())
    origin = (
        f"# dream-gym new cell {name} --generate {seed}  (version {VERSION} of the generator)\n"
        f"# To be run at load {workload.load}: deadlines and jitter are for that.\n"
    )
    for kind, part in parts.items():
        content = part.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for model in content.get("models", ()):
            model |= {"network": model["network"]["name"], "rate": int(model["rate"])}
        _write(paths[kind], origin + dump_yaml({**content, "name": name}))
    say(make_console(), f"to be run at load {workload.load}")


def _write(path: Path, content: str) -> None:
    write_text(path, content)
    say(make_console(), str(path), keep=True)


def _check_free(kind: str, name: str) -> Path:
    """The file of a name, which nothing has yet."""
    folder = f"{kind}s"
    path = Path(folder) / f"{name}.yaml"
    if os.path.lexists(path):
        raise ConfigError(f"{path}: exists already")
    if name in resources.names(folder):
        raise ConfigError(f"name: {name!r} is already one of the {folder}; choose another")
    return path
