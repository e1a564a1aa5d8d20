"""Figures of a training for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Log:
    """Writes figures where TensorBoard looks for them.

    Args:
        folder: The folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def note(self, name: str, value: float, step: int) -> None:
        """Log a figure; the first one makes the file."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # takes seconds

            self._writer = SummaryWriter(str(self._folder / "tensorboard_1"))  # as SB3 calls it
        self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
