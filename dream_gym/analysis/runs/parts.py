"""Outcomes of tasks, kept in a folder until all is done, so that they survive an interruption."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dream_gym.files import is_stream, locked, remove_temporaries, write_text

_MARK = "dream_gym part"
_NAME = re.compile(r"[0-9a-f]{64}\.json")


@dataclass(frozen=True)
class Parts:
    """Outcomes of tasks, kept in a folder by all that they depend on, so that none is stale.

    Args:
        folder: The folder, see `keep_parts`; None keeps nothing.
    """

    folder: Path | None = None

    def read(self, key: Any) -> Any:
        """The outcome under a key; None if there is none, or its file is damaged."""
        return None if self.folder is None else _outcome(self._path(key))

    def write(self, key: Any, outcome: Any) -> None:
        """Keep an outcome; after a crash the file is complete or does not exist."""
        if self.folder is not None:
            write_text(self._path(key), json.dumps({_MARK: outcome}))

    def clear(self) -> None:
        """Forget all: remove the files that are ours by name and content, whatever their key."""
        if self.folder is not None:
            remove_temporaries(self.folder)
            for path in self.folder.iterdir():
                if _NAME.fullmatch(path.name) and _outcome(path) is not None:
                    with suppress(OSError):
                        path.unlink()

    def _path(self, key: Any) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{digest}.json"


NOTHING_KEPT = Parts()


def _outcome(path: Path) -> Any:
    """What a part holds; None if the file is damaged or is not a part."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content.get(_MARK) if isinstance(content, dict) else None


@contextmanager
def keep_parts(folder: Path | None) -> Iterator[Parts]:
    """Keep outcomes in a folder, which no other process may use meanwhile.

    On success they are deleted: write all that is made from them before the block ends. After an
    error or an interruption they stay, and are reused.

    Args:
        folder: The folder; None keeps nothing.

    Raises:
        DreamGymError: Another process keeps its parts there, or the folder cannot be made.
    """
    if folder is None:
        yield NOTHING_KEPT
        return
    with locked(folder):
        parts = Parts(folder)
        yield parts
        parts.clear()


def parts_beside(path: Path) -> Path | None:
    """The folder for unfinished work on a file: beside it, and none for a stream."""
    return None if is_stream(path) else Path(f"{os.path.realpath(path)}.parts")
