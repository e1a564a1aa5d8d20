"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dream_gym.errors import DreamGymError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file to write in the place of a file, which it replaces only on success.

    Missing folders are made. The temporary file keeps the suffix and lies in the same folder.

    Raises:
        DreamGymError: The file cannot be written.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp lets nobody else read the file; give it the mode of any new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise DreamGymError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_writable(path: str | Path) -> None:
    """Find out before long work whether its outcome can be written; makes missing folders.

    Raises:
        DreamGymError: It cannot.
    """
    path = Path(path)
    if path.is_dir():
        raise DreamGymError(f"{path}: cannot be written: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise DreamGymError(f"{path}: cannot be written: {error.strerror or error}") from error
