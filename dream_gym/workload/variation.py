"""Variations of scenarios: other cascade probabilities and release jitter than their own."""

from __future__ import annotations

from typing import Any

from dream_gym.errors import ConfigError
from dream_gym.units import NS_PER_MS
from dream_gym.workload.scenario import ModelSpec, Scenario


def vary(
    scenario: Scenario,
    *,
    load: float = 1.0,
    cascade: float | None = None,
    jitter: float | None = None,
) -> Scenario:
    """A scenario with other cascade probabilities and other jitter.

    Args:
        scenario: The scenario.
        load: Factor on every rate that it will run at.
        cascade: Probability in [0, 1] that a parent's frame triggers one of a dependent; replaces
            all of the scenario's probabilities. None leaves them.
        jitter: Release jitter of every root as a share, in [0, 1), of its period at this load;
            replaces the scenario's jitter. None leaves it.

    Raises:
        ConfigError: A number is out of range, or the scenario is a recording, which is fixed.
    """
    if cascade is None and jitter is None:
        return scenario
    if cascade is not None and not 0 <= cascade <= 1:
        raise ConfigError(f"cascade: expected a probability from 0 to 1, got {cascade!r}")
    if jitter is not None and not 0 <= jitter < 1:
        raise ConfigError(f"jitter: expected a share from 0 to below 1, got {jitter!r}")
    if scenario.recording is not None:
        given = "cascade" if jitter is None else "jitter"
        raise ConfigError(
            f"{given}: {scenario.name} replays {scenario.recording}, which fixes all releases and "
            f"triggers; leave out {given}, or the recording"
        )
    if not scenario.phases:
        return _varied(scenario, load, cascade, jitter)
    phases = tuple(
        phase.model_copy(
            update={"scenario": _varied(phase.scenario, load * float(phase.load), cascade, jitter)}
        )
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": phases})


def is_one_world(scenario: Scenario) -> bool:
    """Whether nothing is drawn: all seeds are the same world, including held-out ones."""
    models = [model for part in scenario.parts for model in part.models]
    chances = [model.depends_on.probability for model in models if model.depends_on is not None]
    for model in models:
        for network in model.built_network.family:
            chances += [fork.probability for fork in network.forks]
    return all(model.jitter_ms == 0 for model in models) and all(c in (0, 1) for c in chances)


def _varied(
    scenario: Scenario, load: float, cascade: float | None, jitter: float | None
) -> Scenario:
    models = tuple(_varied_model(model, load, cascade, jitter) for model in scenario.models)
    return scenario.model_copy(update={"models": models})


def _varied_model(
    model: ModelSpec, load: float, cascade: float | None, jitter: float | None
) -> ModelSpec:
    changes: dict[str, Any] = {}
    if model.depends_on is not None and cascade is not None:
        link = model.depends_on.model_copy(update={"probability": cascade})
        changes["depends_on"] = link
    if model.depends_on is None and jitter is not None:
        jitter_ms = jitter * 1e3 / (float(model.rate) * load)
        changes["jitter_ms"] = round(jitter_ms * NS_PER_MS) / NS_PER_MS  # to whole ns
    return model.model_copy(update=changes)
