"""Recordings: releases and triggers from a file, to replay what a device once did."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import ConfigError, shown
from dream_gym.files import replacing
from dream_gym.reading.inputs import read_text

COLUMNS = ("model", "frame", "time_ns", "triggered", "nominal_ns")
"""Columns of a recording; ``nominal_ns`` may be absent."""

_MAX_NS = 2**53
_MAX_DIGITS = 40


@dataclass(frozen=True)
class RecordedFrames:
    """The frames of one model, from frame 0 on; int64 arrays of one length.

    Their paths through dynamic networks are not recorded, but drawn from the seed of the run.

    Args:
        nominal_ns: Nominal time of a root frame, from which its deadline counts.
        release_ns: When a root frame is released, at or after its nominal time.
        triggered: 1 where the frame exists, given that its parent does; 0 where it does not.
    """

    nominal_ns: NDArray[np.int64]
    release_ns: NDArray[np.int64]
    triggered: NDArray[np.int64]


def read_recording(path: str | Path) -> dict[str, RecordedFrames]:
    """Read a recording: a CSV file with a row for each frame of each recorded model.

    Its columns are ``model`` (name), ``frame`` (0, 1, 2, ... in each model), ``time_ns`` (release
    of a root frame; not used for dependents, whose release is the completion of their parent),
    ``triggered`` (0 or 1), and perhaps ``nominal_ns`` (by default ``time_ns``).

    Raises:
        ConfigError: The file cannot be read or is malformed; names the line and the column.
    """
    path = Path(path)
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
        columns = list(reader.fieldnames or ())
        for column in COLUMNS:
            if columns.count(column) > 1:
                raise ConfigError(f"{path}: line 1: column {column!r} is there twice")
            if column in COLUMNS[:4] and column not in columns:
                raise ConfigError(f"{path}: line 1: column {column!r} is missing")
        return _collect(path, reader)
    except csv.Error as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _collect(path: Path, reader: csv.DictReader[str]) -> dict[str, RecordedFrames]:
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for row in reader:
        where = f"{path}: line {reader.line_num}"
        if None in row or None in row.values():
            raise ConfigError(
                f"{where}: expected {len(reader.fieldnames or ())} values; is the file cut off?"
            )
        frames = rows.setdefault(row["model"], [])
        if row["frame"] != str(len(frames)):
            raise ConfigError(f"{where}: frame: expected {len(frames)}, got {shown(row['frame'])}")
        release_ns = _integer(row["time_ns"], where, "time_ns", _MAX_NS)
        nominal_ns = release_ns
        if row.get("nominal_ns"):
            nominal_ns = _integer(row["nominal_ns"], where, "nominal_ns", release_ns)
        triggered = _integer(row["triggered"], where, "triggered", 1)
        if frames and (nominal_ns < frames[-1][0] or release_ns < frames[-1][1]):
            raise ConfigError(f"{where}: time_ns: earlier than the frame before it")
        frames.append((nominal_ns, release_ns, triggered))
    return {
        model: RecordedFrames(*np.array(frames, dtype=np.int64).T) for model, frames in rows.items()
    }


def _integer(text: str, where: str, column: str, largest: int) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    value = int(text) if digits else -1
    if not 0 <= value <= largest:
        raise ConfigError(
            f"{where}: {column}: expected a whole number up to {largest}, got {shown(text)}"
        )
    return value


def write_recording(path: str | Path, recording: dict[str, RecordedFrames]) -> None:
    """Write a recording that `read_recording` reads; the file is written whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for model, frames in recording.items():
            columns = (frames.release_ns, frames.triggered, frames.nominal_ns)
            for frame, values in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
                writer.writerow((model, frame, *values))
