"""A digest for every shipped cell: of dispatches and frames under three schedulers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import gymnasium as gym

import dream_gym
from dream_gym.reading import resources

FILE = Path(__file__).with_name("digests.json")
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
SCHEDULERS = ("fcfs", "edf", "dream_mapscore")
ENVIRONMENT = "DreamRTMM"


def digest(scenario: str, platform: str) -> str:
    """SHA-256, shortened, of the records of a cell."""
    found = hashlib.sha256()
    for scheduler, expiry in zip(SCHEDULERS, ("soft", "firm", "soft"), strict=True):
        result = dream_gym.simulate(
            scenario, platform, scheduler, seconds=0.2, seed=1, load=1.5, expiry=expiry, record=True
        )
        for table in (result.timeline, result.frames):
            assert table is not None
            found.update(table.tobytes())
        found.update(result.uxcost.hex().encode())
    return found.hexdigest()[:16]


def cells() -> list[tuple[str, str]]:
    """All pairs of shipped scenarios and platforms."""
    names = resources.names("scenarios"), resources.names("platforms")
    return [(scenario, platform) for scenario in names[0] for platform in names[1]]


def environment_version() -> int:
    """The version of the environments, which is one for all."""
    versions = {spec.version for spec in gym.registry.values() if spec.name.startswith(ENVIRONMENT)}
    (version,) = versions
    assert version is not None
    return version


def changelog_line() -> str:
    """The latest line of the changelog on digests."""
    lines = CHANGELOG.read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("- Digests:"))


def read() -> dict[str, object]:
    """The recorded digests."""
    content: dict[str, object] = json.loads(FILE.read_text(encoding="utf-8"))
    return content
