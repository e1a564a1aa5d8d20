"""Fields: numbers exactly as written, names that may become files."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import yaml

from dream_gym.analysis.suites.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform
from dream_gym.reading import resources
from dream_gym.schedulers import get_scheduler
from dream_gym.workload import Scenario

SCENARIO: dict[str, Any] = {
    "schema": 1,
    "name": "mine",
    "models": [{"name": "eyes", "network": "sosnet", "rate": 30}],
}
PLATFORM: dict[str, Any] = {
    "schema": 1,
    "name": "chip",
    "clock_ghz": 1,
    "dram_bandwidth_gb_s": 12,
    "shared_memory_kib": 1024,
    "accelerators": [{"name": "a", "dataflow": "WS", "num_pes": 256, "noc_bandwidth": 32}],
}
SUITE: dict[str, Any] = {
    "schema": 1,
    "name": "suite",
    "cells": [{"scenario": "ar_call", "platform": "4k_2ws"}],
    "policies": [{"scheduler": "fcfs"}],
}


def scenario(text: str) -> Scenario:
    """A scenario whose model has this more, in YAML."""
    model = "{name: eyes, network: sosnet, rate: 30}"
    assert text.count(":") >= 1
    key = text.partition(":")[0]
    changed = model.replace("rate: 30", text) if key == "rate" else f"{model[:-1]}, {text}}}"
    return resources.parse(
        f"schema: 1\nname: mine\nmodels:\n  - {changed}\n", Scenario, origin="my.yaml"
    )


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("rate: 010", 10),
        ("rate: 0o10", 8),
        ("rate: 29.97", Fraction(2997, 100)),
        ("rate: 30000/1001", Fraction(30000, 1001)),
        ("rate: '1e3'", 1000),
        ("rate: 33.333333333333336", Fraction("33.333333333333336")),
    ],
)
def test_a_rate_is_what_is_written(text, rate):
    assert scenario(text).models[0].rate == rate


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rate: 1:30", "models.0.rate: expected a number .*, got '1:30'"),
        ("rate: 12:48", "models.0.rate: expected a number .*, got '12:48'"),
        ("rate: 1_000", "models.0.rate: expected a number .*, got '1_000'"),
        ("rate: '1e30000000'", "models.0.rate: has too many digits: '1e30000000'"),
        ("rate: 1e-30000000", "too small"),
        ("rate: '1e-300'", "models.0.rate: has too many digits"),
        (f"rate: '{'9' * 10000}'", "models.0.rate: has too many digits"),
        (f"rate: '{'9' * 10000}/3'", "models.0.rate: has too many digits"),
        ("rate: 1/0", "models.0.rate: expected a number"),
        ("rate: ' 30'", "models.0.rate: expected a number"),
        ("rate: ''", "models.0.rate: expected a number"),
        ("rate: '٣'", "models.0.rate: expected a number"),
        ("rate: yes", "models.0.rate: expected a number"),
        ("rate: true", "models.0.rate: expected a number .*, got true"),
        ("rate: 1e-10", "models.0.rate: expected a positive number from 1e-09 to 1000000"),
        ("deadline_ms: yes", "models.0.deadline_ms: expected a number, got the text 'yes'"),
        ("deadline_ms: true", "models.0.deadline_ms: expected a number.*, got true"),
        ("deadline_ms: '5'", "models.0.deadline_ms: expected a number.*, got the text '5'"),
        ("deadline_ms: 1e-7", "models.0.deadline_ms: expected at least 1e-06, got 1e-07"),
        ("deadline_ms: .nan", "models.0.deadline_ms: expected a finite number, got nan"),
        ("phase_ms: 1e-7", "models.0.phase_ms: expected 0, or at least 1e-06, got 1e-07"),
        ("jitter_ms: 1e-9", "models.0.jitter_ms: expected 0, or at least 1e-06"),
        ("backlog: true", "models.0.backlog: expected a whole number, got true"),
        ("backlog: 2.0", "models.0.backlog: expected a whole number, got 2.0"),
        ("backlog: '2'", "models.0.backlog: expected a whole number, got the text '2'"),
        ("rate: 30, rate: 40", "my.yaml: line 4, column 45: 'rate' is there twice"),
    ],
)
def test_nothing_is_a_number_by_accident(text, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        scenario(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("contention", 1, "contention: expected true or false, got 1"),
        ("contention", "yes", "contention: expected true or false, got the text 'yes'"),
        ("shared_memory_kib", True, "shared_memory_kib: expected a whole number, got true"),
        ("schema", True, "schema: expected 1, got true"),
        ("schema", "1", "schema: expected 1, got '1'"),
        ("clock_ghz", False, "clock_ghz: expected a number .*, got false"),
        ("dram_bandwidth_gb_s", "12:48", "dram_bandwidth_gb_s: expected a number"),
    ],
)
def test_a_platform_is_as_strict(key, value, problem):
    with pytest.raises(ConfigError, match=problem):
        resources.validate({**PLATFORM, key: value}, Platform, origin="my.yaml")


@pytest.mark.parametrize("value", [True, "0.5", "1_0"])
def test_so_are_options_of_schedulers(value):
    with pytest.raises(ConfigError, match="alpha: expected a number"):
        get_scheduler("dream_mapscore").configure(alpha=value)


BAD_NAMES = ["", " x", "x ", "a\nb", "a\x1b[2Jb", "a\u202eb", "\x00", "x" * 101]
BAD_FILE_NAMES = [*BAD_NAMES, "../../x", "..", ".", ".x", "/x", "a/b", "a\\b", "é" * 60]
GOOD_NAMES = ["a|b", "cam[left]", "p$_$q", "_base", "é", "ar social", "x..y", "2024-13-45"]


@pytest.mark.parametrize("name", BAD_FILE_NAMES)
@pytest.mark.parametrize(
    ("content", "model"), [(SCENARIO, Scenario), (PLATFORM, Platform), (SUITE, Suite)]
)
def test_what_may_become_a_file_has_the_name_of_one(name, content, model):
    with pytest.raises(ConfigError, match=r"^x: name: "):
        resources.validate({**content, "name": name}, model, origin="x")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_models_accelerators_and_policies_have_names_of_one_line(name):
    model = {**SCENARIO["models"][0], "name": name}
    with pytest.raises(ConfigError, match=r"models\.0\.name: "):
        resources.validate({**SCENARIO, "models": [model]}, Scenario, origin="x")
    accelerator = {**PLATFORM["accelerators"][0], "name": name}
    with pytest.raises(ConfigError, match=r"accelerators\.0\.name: "):
        resources.validate({**PLATFORM, "accelerators": [accelerator]}, Platform, origin="x")
    policy = {**SUITE["policies"][0], "name": name}
    if name:  # an empty one is that of the scheduler
        with pytest.raises(ConfigError, match=r"policies\.0\.name: "):
            resources.validate({**SUITE, "policies": [policy]}, Suite, origin="x")
    phase = {"scenario": SCENARIO, "rename": {"eyes": name}}
    with pytest.raises(ConfigError, match=r"phases\.0\.rename\.eyes: "):
        resources.validate({"schema": 1, "name": "x", "phases": [phase]}, Scenario, origin="x")


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_are_text(name):
    text = yaml.safe_dump({**SCENARIO, "name": name})
    assert resources.parse(text, Scenario, origin="x").name == name
    model = {**SCENARIO["models"][0], "name": name}
    found = resources.validate({**SCENARIO, "models": [model]}, Scenario, origin="x")
    assert found.model_names == (name,)


def test_a_description_may_have_lines_but_no_control_characters():
    good = resources.validate({**SCENARIO, "description": "a\n\tb"}, Scenario, origin="x")
    assert good.description == "a\n\tb"
    for bad in ("a\x1b[2J", "a\x1cb", "a\x85b", "x" * 10_001):
        with pytest.raises(ConfigError, match="description: expected"):
            resources.validate({**SCENARIO, "description": bad}, Scenario, origin="x")
