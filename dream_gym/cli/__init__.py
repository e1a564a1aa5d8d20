"""The command line, ``dream-gym COMMAND``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import tyro

from dream_gym.cli.benchmark import benchmark
from dream_gym.cli.bounds import bounds
from dream_gym.cli.calibrate import calibrate
from dream_gym.cli.list import list_configs
from dream_gym.cli.new import new
from dream_gym.cli.results import results
from dream_gym.cli.schema import schema
from dream_gym.cli.show import show
from dream_gym.cli.simulate import simulate_once
from dream_gym.cli.tune import tune
from dream_gym.cli.warm import warm
from dream_gym.errors import DreamGymError

COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_configs,
    "show": show,
    "simulate": simulate_once,
    "calibrate": calibrate,
    "tune": tune,
    "benchmark": benchmark,
    "bounds": bounds,
    "results": results,
    "new": new,
    "schema": schema,
    "warm": warm,
}

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line without the program's name, by default that of the process.

    Returns:
        The exit status: 0, or 2 after a mistake of the user's, or 130 after Ctrl-C.
    """
    try:
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            prog="dream-gym",
            description="Schedule real-time multi-model ML on multi-accelerator SoCs.",
            args=arguments,
        )
    except DreamGymError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0
