"""Scenarios with other cascades and jitter."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from dream_gym.errors import ConfigError
from dream_gym.reading import resources
from dream_gym.workload import ModelSpec, Scenario, is_one_world, load_scenario, vary


def by_name(scenario: Scenario) -> dict[str, ModelSpec]:
    return {model.name: model for part in scenario.parts for model in part.models}


def test_nothing_given_changes_nothing() -> None:
    scenario = load_scenario("vr_gaming")
    assert vary(scenario, load=2.0) is scenario


def test_jitter_is_a_share_of_the_roots_periods_at_the_load() -> None:
    scenario = load_scenario("vr_gaming")
    given, varied = by_name(scenario), by_name(vary(scenario, load=2.0, jitter=0.25))
    roots = 0
    for name, model in varied.items():
        assert model.depends_on == given[name].depends_on
        if model.depends_on is None:
            assert model.jitter_ms == pytest.approx(0.25 * 1e3 / float(model.rate) / 2.0)
            roots += 1
        else:
            assert model.jitter_ms == 0
    assert 0 < roots < len(varied)


def test_cascade_replaces_every_probability() -> None:
    varied = by_name(vary(load_scenario("vr_gaming"), cascade=0.125))
    links = [model.depends_on for model in varied.values() if model.depends_on is not None]
    assert links
    assert {link.probability for link in links} == {0.125}
    assert all(model.jitter_ms == 0 for model in varied.values())


def test_phases_are_varied_at_their_own_loads() -> None:
    scenario = load_scenario("app_switches")
    varied = vary(scenario, load=2.0, jitter=0.1)
    assert len(varied.parts) == len(scenario.parts) > 1
    for part in varied.parts:
        for model in part.models:
            if model.depends_on is None:
                period_ms = 1e3 / float(model.rate * part.load * Fraction(2))
                assert model.jitter_ms == pytest.approx(0.1 * period_ms)


def test_where_nothing_is_drawn_there_is_one_world() -> None:
    names = resources.names("scenarios")
    alone = {name for name in names if is_one_world(load_scenario(name))}
    xrbench = ("ar_gaming", "social_interaction_a", "social_interaction_b", "vr_gaming")
    assert alone == {"drone_outdoor", *(f"xrbench_{name}" for name in xrbench)}
    assert not any(is_one_world(vary(load_scenario(name), jitter=0.1)) for name in names)


@pytest.mark.parametrize(
    ("chances", "words"),
    [({"jitter": 1.0}, "jitter"), ({"jitter": -0.1}, "jitter"), ({"cascade": 1.1}, "cascade")],
)
def test_numbers_out_of_range_are_named(chances: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        vary(load_scenario("vr_gaming"), **chances)


def test_a_recording_cannot_be_varied(tmp_path: Any) -> None:
    (tmp_path / "world.csv").write_text("model,frame,nominal_ns,release_ns,triggered\n")
    given = load_scenario("drone_indoor")
    recorded = given.model_copy(update={"recording": tmp_path / "world.csv"})
    with pytest.raises(ConfigError, match=r"jitter: drone_indoor replays .*world\.csv"):
        vary(recorded, jitter=0.1)
