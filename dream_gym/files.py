"""Writing files whole or not at all, and never anything other than what was named.

A regular file is replaced by a temporary one from the same folder; links are followed, and stay. A
pipe or a device is written to, and ``-`` is standard output. A killed process may leave a temporary
file under a name of ours; the next process that writes in that folder removes it.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dream_gym.errors import ConfigError, DreamGymError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

STANDARD_OUTPUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})
LOCK = ".dream_gym.lock"
_PREFIX = ".dream_gym-"
_TEMPORARY = re.compile(r"\.dream_gym-[a-z0-9_]{8}(\..*)?")
_FAR = 2**30
"""Offset of the byte that is locked on Windows, where nobody may touch a locked byte."""


def is_standard_output(path: str | Path) -> bool:
    """Whether a path stands for standard output, which then has nothing else in it."""
    return str(path) in STANDARD_OUTPUT


def is_stream(path: str | Path) -> bool:
    """Whether a path is standard output, a pipe or a device: what is written to, not replaced."""
    opened = ("/dev/std", "/dev/fd/", "/proc/")  # may be a regular file that somebody has open
    if is_standard_output(path) or os.path.abspath(path).startswith(opened):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary file to write instead of a file, which it replaces only on success.

    Missing folders are made. The temporary file keeps the suffix and lies in the same folder; for
    a stream, see `is_stream`, it lies in the system's temporary folder and is copied to the stream.

    Raises:
        DreamGymError: The file cannot be written.
        BrokenPipeError: It is standard output, and nobody reads that any more.
    """
    path = Path(path)
    handle, temporary = -1, None
    try:
        target = Path(os.path.realpath(path))
        folder = Path(tempfile.gettempdir()) if is_stream(path) else target.parent
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        if target.is_file() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        handle, temporary = _make_temporary(folder, path.suffix)
        yield temporary
        if is_stream(path):
            _pour(temporary, path)
            return
        temporary.chmod(_mode(target))
        if sys.platform == "win32":  # where an open file cannot be renamed
            os.close(handle)
            handle = -1
        os.replace(temporary, target)
        temporary = None
    except BrokenPipeError as error:
        if is_standard_output(path):
            raise
        raise _unwritable(path, error) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if handle >= 0:
            os.close(handle)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file; see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8; see `replacing`."""
    write_bytes(path, text.encode())


def check_writable(path: str | Path) -> None:
    """Check before long work whether its result can be written, without creating anything.

    Raises:
        DreamGymError: It cannot be written.
    """
    if is_standard_output(path):
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():  # a link that realpath cannot resolve
        raise DreamGymError(f"{path}: cannot be written: the link leads back to itself")
    if target.is_dir():
        raise DreamGymError(f"{path}: cannot be written: it is a folder")
    needed = [target] if os.path.lexists(target) else []
    if not is_stream(path):
        folder = next(item for item in target.parents if os.path.lexists(item))
        if not folder.is_dir():
            raise DreamGymError(f"{path}: cannot be written: {folder} is no folder")
        needed.append(folder)
    for item in needed:
        if not os.access(item, os.W_OK | (os.X_OK if item.is_dir() else 0)):
            raise DreamGymError(f"{path}: cannot be written: no permission to write {item}")


def check_outputs(*paths: Path | None) -> None:
    """Check whether the outputs of one command can all be written; see `check_writable`.

    Raises:
        ConfigError: Two of them are the same file.
        DreamGymError: One cannot be written.
    """
    seen: set[str] = set()
    for path in paths:
        if path is None:
            continue
        check_writable(path)
        place = "-" if is_standard_output(path) else os.path.realpath(path)
        if place in seen:
            raise ConfigError(f"{path}: two outputs would be written there; choose another place")
        if place == "-" or not is_stream(path):
            seen.add(place)


def file_name(text: str) -> str:
    """A name for a file or a folder, made from a text: not a path, and not hidden."""
    return re.sub(r"^\.+|[^\w.-]+", "_", text) or "_"


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Lock a folder for this process; missing folders are made.

    The lock ends with the process, however that ends. Folders that are empty at the end are removed
    again: this one, and those that were made.

    Raises:
        DreamGymError: Another process has it, or it cannot be made.
    """
    folder = Path(folder)
    missing = [item for item in folder.parents if not item.exists()]
    try:
        handle = _take(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        _give_back(handle, folder / LOCK)
        with suppress(OSError):  # not empty
            for item in (folder, *missing):
                item.rmdir()


def lock(handle: int) -> bool:
    """Lock an open file until it is closed; False where another process has locked it.

    Raises:
        OSError: The file system has no locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(handle, _FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files in a folder whose processes have ended."""
    for path in folder.glob(f"{_PREFIX}*"):
        if _TEMPORARY.fullmatch(path.name):
            with suppress(OSError):  # somebody else's, or a file system without locks
                handle = os.open(path, os.O_RDWR)
                try:
                    if lock(handle):
                        path.unlink()
                finally:
                    os.close(handle)


@functools.cache
def _remove_stale(folder: Path) -> None:
    """Only once for each folder, since listing a large folder takes time."""
    remove_temporaries(folder)


def _make_temporary(folder: Path, suffix: str) -> tuple[int, Path]:
    """A new file, locked, so that no process takes it for a leftover."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=suffix)
        try:
            free = lock(handle)
        except OSError:  # a file system without locks, where nobody removes any
            free = True
        if free and os.path.exists(name):
            return handle, Path(name)
        os.close(handle)  # another process took it for a leftover before it was locked


def _take(folder: Path) -> int:
    """The locked lock file of a folder."""
    path = folder / LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the last owner of the folder has just removed it
            continue
        try:
            free = lock(handle)
        except OSError:  # a file system without locks
            free = True
        if not free:
            os.close(handle)
            raise DreamGymError(
                f"{folder}: another run is at work there: wait for it, or name another place"
            )
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        os.close(handle)  # it was removed before it was locked


def _give_back(handle: int, path: Path) -> None:
    if sys.platform == "win32":  # where an open file cannot be removed
        os.close(handle)
        with suppress(OSError):  # the next one has it already
            path.unlink()
    else:
        path.unlink(missing_ok=True)  # while it is locked, so that nobody else's is removed
        os.close(handle)


def _pour(source: Path, stream: Path) -> None:
    with source.open("rb") as file:
        if is_standard_output(stream):
            sys.stdout.flush()
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()
        else:
            with stream.open("ab") as pipe:  # a file that a shell opened keeps its content
                shutil.copyfileobj(file, pipe)


def _mode(path: Path) -> int:
    """The permissions of a file or of a new one; only its owner can read a temporary file."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _unwritable(path: Path, error: OSError) -> DreamGymError:
    return DreamGymError(f"{path}: cannot be written: {error.strerror or error}")
