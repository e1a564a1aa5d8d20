"""Reading the files that users name: regular files of bounded size, or one clear error."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dream_gym.errors import ConfigError

MAX_BYTES = 64 * 2**20
"""The largest file that is read, unless something smaller is asked for."""


def read_bytes(path: str | Path, *, most: int = MAX_BYTES) -> bytes:
    """Read a whole file.

    A pipe or a device may never end, so only regular files are read.

    Args:
        path: The file.
        most: The largest size in bytes.

    Raises:
        ConfigError: It is not there, not readable, not a regular file, or too large.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ConfigError(f"{path}: cannot be read: it is not a regular file")
        with open(path, "rb", opener=_open_at_once) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{str(path)!r}: cannot be read: {error}") from error  # NUL in a path
    if len(content) > most:
        raise ConfigError(f"{path}: is larger than {most:,} bytes, the most that is read of it")
    return content


def read_text(path: str | Path, *, most: int = MAX_BYTES) -> str:
    """Read a file in UTF-8, with or without a byte order mark.

    Raises:
        ConfigError: As `read_bytes`, or it is not UTF-8.
    """
    content = read_bytes(path, most=most)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8: {error}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, in case a pipe without a writer has just replaced it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
