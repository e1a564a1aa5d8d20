"""Stamps, which show whether a file has changed since it was read."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """The state of a file: replacing or rewriting the file changes one of these.

    A copy with the same modification time and size still has another inode, or another time of its
    last change, which nobody can set.
    """

    modified_ns: int
    changed_ns: int
    size: int
    inode: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of a regular file.

    Raises:
        OSError: There is none, or it is a folder, a pipe or a device, which could be read forever.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
