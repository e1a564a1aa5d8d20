"""Checkpoints: arrays of numbers in a file, which hold no code and whose digest is on record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import Field

from dream_gym.errors import ConfigError
from dream_gym.files import write_bytes
from dream_gym.reading.fields import FileName
from dream_gym.reading.inputs import read_bytes
from dream_gym.reading.resources import Config

MAX_BYTES = 4 * 2**30
Tensors = Mapping[str, NDArray[Any]]


class FileOnRecord(Config):
    """A file of a run folder, as its card records it.

    Args:
        file: Its name.
        sha256: Digest of its content.
        timesteps: Steps that the agent had been trained for.
    """

    file: FileName
    sha256: Annotated[str, Field(pattern="[0-9a-f]{64}")]
    timesteps: int = Field(ge=0)


def write_file(folder: Path, name: str, content: bytes, timesteps: int) -> FileOnRecord:
    """Write a file of a run folder, whole or not at all."""
    write_bytes(folder / name, content)
    digest = hashlib.sha256(content).hexdigest()
    return FileOnRecord(file=name, sha256=digest, timesteps=timesteps)


def read_file(folder: Path, record: FileOnRecord) -> bytes:
    """Read a file of a run folder.

    Raises:
        ConfigError: It is missing, or not what was written.
    """
    path = folder / record.file
    content = read_bytes(path, most=MAX_BYTES)
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise ConfigError(f"{path}: is damaged: its content is not what the card has on record")
    return content


def pack(tensors: Tensors) -> bytes:
    """Arrays as the content of a safetensors file."""
    content: bytes = safetensors.numpy.save(
        {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    )
    return content


def unpack(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file.

    Args:
        content: Of the file.
        path: What to call it in errors.

    Raises:
        ConfigError: It is not a safetensors file.
    """
    try:
        found: dict[str, NDArray[Any]] = safetensors.numpy.load(content)
    except Exception as error:  # the library raises its own errors for damaged files
        raise ConfigError(f"{path}: not a safetensors file: {error}") from error
    return found
