"""The command line, ``dream-gym COMMAND``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import tyro

from dream_gym.analysis.report.markdown import visible
from dream_gym.cli.benchmark import benchmark
from dream_gym.cli.bounds import bounds
from dream_gym.cli.calibrate import calibrate
from dream_gym.cli.list import list_configs
from dream_gym.cli.new import new
from dream_gym.cli.output import prepare_streams
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
CLOSED_PIPE = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line without the program's name, by default that of the process.

    Returns:
        The exit status: 0; 2 after a mistake of the user's or an error of the system; 1 if nobody
        reads standard output any more; 130 after Ctrl-C.
    """
    if sys.stdout is None:  # the process was started without
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    prepare_streams()
    try:
        try:
            tyro.extras.subcommand_cli_from_dict(
                COMMANDS,
                prog="dream-gym",
                description="Schedule real-time multi-model ML on multi-accelerator SoCs.",
                args=arguments,
            )
        finally:
            sys.stdout.flush()
    except DreamGymError as error:
        return _failed(str(error), BAD_INPUT)
    except BrokenPipeError:
        _discard_output()
        return CLOSED_PIPE
    except OSError as error:
        _discard_output()
        return _failed(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _failed(why: str, status: int) -> int:
    print(f"error: {visible(why)}", file=sys.stderr)
    return status


def _discard_output() -> None:
    """Discard standard output from now on, so that Python's last write does not fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
