"""Kill each command at random moments, which follow from their numbers: ``make test-kills``."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tyro

from tests.kills.killing import COMMANDS, Rehearsal


@dataclass
class Kills:
    """What to kill.

    Args:
        commands: Which commands.
        moments: How often each.
        first: Number of the first moment.
    """

    commands: tuple[str, ...] = tuple(COMMANDS)
    moments: int = 10
    first: int = 0


def main() -> int:
    """Kill; ends with an error where something was lost, differs or stays behind."""
    kills = tyro.cli(Kills, description=__doc__)
    for name in kills.commands:
        with tempfile.TemporaryDirectory() as folder:
            rehearsal = Rehearsal(COMMANDS[name], Path(folder))
            for number in range(kills.first, kills.first + kills.moments):
                print(f"{name} {number}: {rehearsal.kill(number)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
