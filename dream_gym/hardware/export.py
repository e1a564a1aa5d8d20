"""Writes what the networks of scenarios cost on a platform as a table for the table cost model.

Usage: ``python -m dream_gym.hardware.export PLATFORM CSV [SCENARIO ...]``; without scenarios, those
that are shipped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from dream_gym import resources
from dream_gym.errors import DreamGymError
from dream_gym.files import check_writable
from dream_gym.hardware import load_platform, write_cost_csv
from dream_gym.workload import Network, load_scenario


def networks_of(scenarios: Iterable[str]) -> list[Network]:
    """The networks of scenarios, each once, smallest first.

    Args:
        scenarios: Names or paths.

    Raises:
        ConfigError: There is no such scenario or its file is malformed.
    """
    networks = {model.built_network for name in scenarios for model in load_scenario(name).models}
    return sorted(networks, key=lambda network: (len(network.layers), network.name))


def main(arguments: list[str]) -> int:
    """The command; returns the exit code."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    platform, path, *scenarios = arguments
    try:
        check_writable(Path(path))
        networks = networks_of(scenarios or resources.names("scenarios"))
        write_cost_csv(path, networks, load_platform(platform))
    except DreamGymError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
