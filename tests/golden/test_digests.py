from __future__ import annotations

import pytest

from dream_gym.reading import resources
from tests.golden.digests import cells, changelog_line, digest, environment_version, read

pytestmark = pytest.mark.compiled

ADVICE = (
    "runs have changed: if that is meant, add a line '- Digests: ...' to CHANGELOG.md, bump the "
    "version of the environments, and run: python -m tests.golden"
)


@pytest.mark.parametrize("scenario", resources.names("scenarios"))
def test_runs_are_what_they_were(scenario: str) -> None:
    recorded = read()["digests"]
    assert isinstance(recorded, dict)
    for name, platform in cells():
        if name == scenario:
            assert recorded[f"{name} on {platform}"] == digest(name, platform), ADVICE


def test_digests_belong_to_this_version() -> None:
    recorded = read()
    assert recorded["environment_version"] == environment_version(), ADVICE
    assert recorded["changelog"] == changelog_line(), ADVICE
