"""Finding and reading the YAML files: those shipped in ``dream_gym.configs`` and a user's own."""

from __future__ import annotations

import os
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from dream_gym.errors import ConfigError


class Config(BaseModel):
    """Base of everything that is read from YAML: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _to_fraction(value: Any) -> Fraction:
    problem = f"expected a number or a text such as '30000/1001', got {value!r}"
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        raise ValueError(problem)
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError(problem) from None


_MAX_RATIONAL = 1_000_000

Rational = Annotated[
    Fraction,
    BeforeValidator(_to_fraction),
    Field(gt=0, le=_MAX_RATIONAL),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _MAX_RATIONAL},
                {"type": "string"},
            ]
        }
    ),
]
"""A positive number, taken exactly as written: 30, 29.97 or "30000/1001"."""


def in_folder(path: Path, info: ValidationInfo) -> Path:
    """Resolve a path that a file gives relative to its own folder."""
    return (info.context["folder"] / path).absolute() if info.context else path


def in_folder_if_path(reference: str, info: ValidationInfo) -> str:
    """Resolve a reference that is a path and not a name, as `in_folder` does."""
    return str(in_folder(Path(reference), info)) if _is_path(reference) else reference


def _is_path(reference: str | Path) -> bool:
    return Path(reference).suffix in (".yaml", ".yml")


FilePath = Annotated[Path, AfterValidator(in_folder)]
"""A path, relative to the folder of the file that gives it."""

FOLDER_VARIABLE = "DREAM_GYM_CONFIGS"
"""Environment variable: a folder of the user's own ``scenarios/``, ``platforms/`` and so on."""

ConfigT = TypeVar("ConfigT", bound=Config)


def names(kind: str) -> list[str]:
    """The names of the shipped and the user's files of a kind (``scenarios``, ...), sorted."""
    return sorted(_known(kind))


def shipped_folder(kind: str) -> Path:
    """The folder of the shipped files of a kind."""
    return Path(str(files("dream_gym.configs") / kind))


def find(kind: str, reference: str | Path) -> Path:
    """The file that a reference means.

    Args:
        kind: ``scenarios``, ``platforms``, ``suites`` or ``agents``: the folder of the shipped
            files, and of a user's own in the working directory and in ``$DREAM_GYM_CONFIGS``.
        reference: The name of such a file without ``.yaml``, or the path of any YAML file.

    Raises:
        ConfigError: No file has this name, or more than one has it.
    """
    if _is_path(reference):
        return Path(reference)
    known = _known(kind)
    paths = known.get(str(reference), [])
    if not paths:
        raise ConfigError(
            f"{kind}: {str(reference)!r} is neither a path that ends in .yaml nor one of "
            + ", ".join(sorted(known))
        )
    if len(paths) > 1:
        other = "a shipped file" if paths[0].parent == shipped_folder(kind) else str(paths[0])
        raise ConfigError(
            f"{paths[-1]}: has the name of {other}: rename it, or give its path instead of its name"
        )
    return paths[0]


def _known(kind: str) -> dict[str, list[Path]]:
    """The files of each name, the shipped one first."""
    folders = {folder.resolve(): folder for folder in _folders(kind)}  # each once
    known: dict[str, list[Path]] = {}
    for folder in folders.values():
        for path in folder.glob("*.yaml"):
            known.setdefault(path.stem, []).append(path)
    return known


def _folders(kind: str) -> list[Path]:
    roots = filter(None, (".", os.environ.get(FOLDER_VARIABLE)))
    return [shipped_folder(kind), *(Path(root) / kind for root in roots)]


def load(kind: str, reference: str | Path | ConfigT, model: type[ConfigT]) -> ConfigT:
    """Load one config.

    Args:
        kind: ``scenarios``, ``platforms`` or ``suites``; see `find`.
        reference: The name of a file, the path of a file, or a ready object.
        model: The class of the config.

    Raises:
        ConfigError: There is no such file, or it is malformed; names the file and the field.
    """
    if isinstance(reference, model):
        return reference
    if not isinstance(reference, str | Path):
        raise ConfigError(
            f"{kind}: expected a name, a path or a {model.__name__}, got {type(reference).__name__}"
        )
    path = find(kind, reference)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, model, origin=str(path), folder=path.parent)


def parse(text: str, model: type[ConfigT], *, origin: str, folder: Path | None = None) -> ConfigT:
    """Parse and validate YAML text.

    Args:
        text: The YAML.
        model: The class of the config.
        origin: What to call the text in errors, usually its path.
        folder: Where the paths in it start; by default the working directory.

    Raises:
        ConfigError: Names the origin and the field at fault.
    """
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{origin}: expected a mapping of keys, got {type(content).__name__}")
    return validate(content, model, origin=origin, folder=folder)


def validate(
    content: dict[str, Any], model: type[ConfigT], *, origin: str, folder: Path | None = None
) -> ConfigT:
    """Validate a mapping; the first error found becomes a `ConfigError` that names its field.

    A validator finds `folder` in its context, and resolves relative paths against it.
    """
    try:
        return model.model_validate(content, context={"folder": folder or Path()})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(": ".join(filter(None, (origin, field, message)))) from error
