"""Finding and reading the YAML files: those shipped in ``dream_gym.configs`` and a user's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.reading.explaining import explain
from dream_gym.reading.inputs import read_text
from dream_gym.reading.yaml_core import MAX_CHARACTERS, load_yaml


def _make_scalars_strict(schema: Any, handler: GetCoreSchemaHandler, seen: set[str]) -> None:
    """Keep pydantic from reading true or "1" as 1; lists still become tuples."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if kind in ("int", "float", "bool"):
            schema["strict"] = True
        if kind == "definition-ref" and schema["schema_ref"] not in seen:
            seen.add(schema["schema_ref"])
            with suppress(LookupError):  # still being built: it will be strict by itself
                _make_scalars_strict(
                    handler.resolve_ref_schema(cast(CoreSchema, schema)), handler, seen
                )
        for part in schema.values():
            _make_scalars_strict(part, handler, seen)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _make_scalars_strict(part, handler, seen)


class Config(BaseModel):
    """Base of everything that is read from YAML.

    It is immutable, unknown keys are errors, and a number is neither a boolean nor a text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_scalars_strict(schema, handler, set())
        return schema


def in_folder(path: Path, info: ValidationInfo) -> Path:
    """Resolve a path that a file gives relative to its own folder."""
    return (info.context["folder"] / path).absolute() if info.context else path


def in_folder_if_path(reference: str, info: ValidationInfo) -> str:
    """Resolve a reference that is a path and not a name, as `in_folder` does."""
    return str(in_folder(Path(reference), info)) if _is_path(reference) else reference


def absolute_if_path(reference: str) -> str:
    """A reference that is good in any folder: a path becomes absolute, a name stays."""
    return str(Path(reference).absolute()) if _is_path(reference) else reference


def _is_path(reference: str | Path) -> bool:
    return Path(reference).suffix in (".yaml", ".yml")


FilePath = Annotated[Path, AfterValidator(in_folder)]
"""A path, relative to the folder of the file that gives it."""

FOLDER_VARIABLE = "DREAM_GYM_CONFIGS"
"""Environment variable: a folder of the user's own ``scenarios/``, ``platforms/`` and so on."""

ConfigT = TypeVar("ConfigT", bound=Config)
Loaded = TypeVar("Loaded")


_RENAMED = {("suites", "contended"): "edge"}
"""Shipped files that have another name now."""


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
        if (kind, str(reference)) in _RENAMED:
            raise ConfigError(f"{kind}: {reference} is called {_RENAMED[kind, str(reference)]} now")
        raise ConfigError(
            f"{kind}: {shown(str(reference))} is neither a path that ends in .yaml nor one of the "
            f"{kind}; {hint(str(reference), sorted(known))}"
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


_MAKERS: dict[tuple[str, str], Callable[[str], Config]] = {}


def register_maker(kind: str, prefix: str, make: Callable[[str], Config]) -> None:
    """Let references of a kind that begin with a prefix be made instead of read.

    Args:
        kind: See `find`.
        prefix: Begin of the references, with a colon.
        make: Makes the config from the rest of the reference; raises `ConfigError`.
    """
    _MAKERS[kind, prefix] = make


def load(kind: str, reference: str | Path | ConfigT, model: type[ConfigT]) -> ConfigT:
    """Load one config.

    Args:
        kind: ``scenarios``, ``platforms`` or ``suites``; see `find`.
        reference: The name of a file, the path of a file, what a maker takes, or a ready object.
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
    prefix, colon, rest = str(reference).partition(":")
    maker = _MAKERS.get((kind, prefix + colon))
    if maker is not None:
        made = maker(rest)
        assert isinstance(made, model), f"{prefix} does not make {kind}"
        return made
    path = find(kind, reference)
    with _being_read(path):
        return read(path, model)


def load_once(load: Callable[[str], Loaded], reference: str, info: ValidationInfo) -> Loaded:
    """Load what a config refers to, once even if several of its places refer to the same.

    Args:
        load: Loads by name or path.
        reference: A name, or a path relative to the folder of the config.
        info: The argument of the validator.
    """
    kept = info.context["loaded"] if info.context else {}
    key = load, in_folder_if_path(reference, info)
    if key not in kept:
        kept[key] = load(key[1])
    return cast(Loaded, kept[key])


MAX_NESTED_FILES = 8
_OPEN: ContextVar[tuple[Path, ...]] = ContextVar("_OPEN", default=())


@contextmanager
def _being_read(path: Path) -> Iterator[None]:
    """Keep track of the files that name one another, to find a file that leads back to itself."""
    outer, real = _OPEN.get(), Path(os.path.abspath(path))
    if real in outer:
        ring = " -> ".join(file.name for file in (*outer[outer.index(real) :], real))
        raise ConfigError(f"{path}: leads back to itself: {ring}")
    if len(outer) == MAX_NESTED_FILES:
        raise ConfigError(f"{path}: more than {MAX_NESTED_FILES} files that name one another")
    token = _OPEN.set((*outer, real))
    try:
        yield
    finally:
        _OPEN.reset(token)


def read(path: Path, model: type[ConfigT]) -> ConfigT:
    """Read and validate a YAML file; paths in it start in its folder.

    Raises:
        ConfigError: It cannot be read or is malformed; names the file and the field.
    """
    return parse(read_yaml_text(path), model, origin=str(path), folder=path.parent)


def read_yaml_text(path: Path) -> str:
    """The text of a YAML file; see `inputs.read_text`."""
    return read_text(path, most=4 * MAX_CHARACTERS)


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
    content = load_yaml(text, origin=origin)
    if not isinstance(content, dict):
        raise ConfigError(f"{origin}: expected a mapping of keys, got {shown(content)}")
    return validate(content, model, origin=origin, folder=folder)


def validate(
    content: dict[str, Any], model: type[ConfigT], *, origin: str, folder: Path | None = None
) -> ConfigT:
    """Validate a mapping; the first error found becomes a `ConfigError` that names its field.

    Numbers may be NumPy's. The context of the validators has `folder`, where relative paths start,
    and `loaded`, a dict to keep what is needed again while this mapping is validated.
    """
    plain = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in content.items()
    }
    try:
        return model.model_validate(plain, context={"folder": folder or Path(), "loaded": {}})
    except ValidationError as error:
        raise ConfigError(": ".join(filter(None, (origin, explain(error, model))))) from error
