"""Sequences of apps that cannot be are refused with the field at fault."""

from __future__ import annotations

import pytest

from dream_gym.errors import ConfigError
from dream_gym.reading import resources
from dream_gym.workload import Scenario

PLAIN = "{schema: 1, name: a, models: [{name: eyes, network: sosnet, rate: 30}]}"
OTHER = "{schema: 1, name: b, models: [{name: eyes, network: kws_res8, rate: 30}]}"
PAIR = (
    "{schema: 1, name: c, models: [{name: eyes, network: sosnet, rate: 30}, "
    "{name: ears, network: kws_res8, rate: 30}]}"
)


def phased(*phases: str) -> str:
    return f"schema: 1\nname: s\nphases: [{', '.join(phases)}]"


def phase(scenario: str, rest: str = "") -> str:
    return "{scenario: " + scenario + rest + "}"


NESTED = "{schema: 1, name: n, phases: [{scenario: " + PLAIN + "}]}"
RECORDED = PLAIN[:-1] + ", recording: world.csv}"
MANY = [
    "{schema: 1, name: m, models: ["
    + ", ".join(f"{{name: m{part}_{i}, network: sosnet, rate: 1}}" for i in range(16))
    + "]}"
    for part in range(5)
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (phased(phase(NESTED)), "a phase cannot itself have phases"),
        (phased(phase(RECORDED)), "a recorded scenario cannot be a phase"),
        (phased(phase(PLAIN, ", rename: {nose: n}")), "no model is called 'nose'"),
        (phased(phase(PAIR, ", rename: {ears: eyes}")), "two models would have the same name"),
        (phased(phase(PLAIN), phase(PLAIN)), r"phases\.0\.seconds: every phase but the last"),
        (phased(phase(PLAIN, ", seconds: 1")), r"phases\.0\.seconds: the last phase has no"),
        (
            phased(phase(PLAIN, ", seconds: 1"), phase(OTHER)),
            r"phases\.1\.scenario: 'eyes' has another network or backlog",
        ),
        ("schema: 1\nname: s", "a scenario has either models or phases"),
        (
            phased(*(phase(part, ", seconds: 1") for part in MANY[:-1]), phase(MANY[-1])),
            "more than [0-9]+ models in all",
        ),
    ],
)
def test_a_sequence_of_apps_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        resources.parse(text, Scenario, origin="my.yaml")


def test_a_model_with_a_parent_has_no_phase_of_its_own() -> None:
    text = PAIR.replace(
        "rate: 30}]", "rate: 30, phase_ms: 1, depends_on: {model: eyes, probability: 1}}]"
    )
    with pytest.raises(ConfigError, match="phase_ms and jitter_ms are for models without"):
        resources.parse(text, Scenario, origin="my.yaml")
