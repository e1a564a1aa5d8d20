"""The command ``dream-gym``, which Ctrl-C ends quietly from its first moment on.

It lies outside the package because importing that takes a second: whatever Ctrl-C interrupts
meanwhile, there is nothing to clean up, and nobody wants a traceback through somebody's imports.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130


def end_on_interrupt() -> None:
    """From now on, Ctrl-C ends the process at once."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(INTERRUPTED))


def raise_on_interrupt() -> None:
    """From now on, Ctrl-C raises `KeyboardInterrupt`, as Python does by default."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> int:
    """Run the command; returns the exit status."""
    end_on_interrupt()
    from dream_gym.cli import main as run

    raise_on_interrupt()
    try:
        status = run()
        end_on_interrupt()
    except KeyboardInterrupt:  # a second one, or one between two lines
        status = INTERRUPTED
    return status


if __name__ == "__main__":
    raise SystemExit(main())
