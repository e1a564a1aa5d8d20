"""Everything that ships fits together."""

from __future__ import annotations

import pytest

import dream_gym
from dream_gym.reading import resources

SCENARIOS, PLATFORMS = resources.names("scenarios"), resources.names("platforms")


def test_the_catalogue_is_complete():
    assert len(SCENARIOS) == 15
    assert len(PLATFORMS) >= 16


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_pair_simulates(scenario):
    for platform in PLATFORMS:
        result = dream_gym.simulate(scenario, platform, "dream_mapscore", seconds=0.4)
        frames = sum(result.frame_count.values())
        assert frames > 0, platform
        assert result.dispatches > 0, platform
        assert result.uxcost >= result.lower_bound * (1 - 1e-12) or any(result.lost_rate.values())
