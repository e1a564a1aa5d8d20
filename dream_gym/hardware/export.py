"""Writes what the networks of scenarios cost on a platform as a table for the table cost model.

Usage: ``python -m dream_gym.hardware.export PLATFORM CSV [SCENARIO ...]``; without scenarios, those
that are shipped.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from dream_gym.errors import DreamGymError
from dream_gym.files import check_writable, replacing
from dream_gym.hardware.platform import Platform, cost_table, load_platform
from dream_gym.hardware.table import COLUMNS, DIGEST
from dream_gym.reading import resources
from dream_gym.workload import Network, load_scenario


def write_cost_csv(path: str | Path, networks: Iterable[Network], platform: Platform) -> None:
    """Write what networks cost on a platform as a table that `TableCosts` reads.

    Args:
        path: The CSV file; it is replaced only once all costs are known.
        networks: The networks; each is written once, with its variants. Networks of the same name
            are distinguished by their digests.
        platform: The platform, with any cost model.

    Raises:
        ConfigError: A network cannot be costed.
    """
    known: dict[str, Network] = {}
    for network in networks:
        for item in network.family:
            known.setdefault(item.digest, item)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*COLUMNS, DIGEST))
        for digest, network in known.items():
            table = cost_table(network, platform)
            for layer, latency_ns, energy_pj in zip(
                network.layers, table.latency_ns.tolist(), table.energy_pj.tolist(), strict=True
            ):
                for costs in zip(platform.accelerator_names, latency_ns, energy_pj, strict=True):
                    writer.writerow((network.name, layer.name, *costs, digest))


def networks_of(scenarios: Iterable[str]) -> list[Network]:
    """The networks of scenarios, each once, smallest first.

    Args:
        scenarios: Names or paths.

    Raises:
        ConfigError: There is no such scenario or its file is malformed.
    """
    networks = {network for name in scenarios for network in load_scenario(name).networks}
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
