"""Ctrl-C and SIGTERM during a training: it ends at its next step, so that nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Whether there was a signal."""

    def __init__(self) -> None:
        self.raised = False


@contextmanager
def watch_interrupts() -> Iterator[Interrupt]:
    """Note a first signal; a second one ends the process as usual."""
    interrupt = Interrupt()
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def note(signum: int, frame: FrameType | None) -> None:
        interrupt.raised = True
        restore()

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield interrupt
    finally:
        restore()
