"""Errors of pydantic in plain English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dream_gym.analysis.suites.suite import Suite
from dream_gym.errors import ConfigError, hint, shown
from dream_gym.hardware import Platform
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.workload import Scenario

EYES: dict[str, Any] = {"name": "eyes", "network": "sosnet", "rate": 30}
LAYER: dict[str, Any] = {"name": "fc", "K": 1, "C": 1, "Y": 1, "X": 1}
CHIP: dict[str, Any] = {
    "schema": 1,
    "name": "chip",
    "clock_ghz": 1,
    "dram_bandwidth_gb_s": 12,
    "shared_memory_kib": 1024,
    "accelerators": [{"name": "a"}],
}


def with_network(**network: Any) -> dict[str, Any]:
    return {"schema": 1, "name": "x", "models": [{**EYES, "network": network}]}


def written_out(**layer: Any) -> dict[str, Any]:
    return with_network(name="n", source="s", layers=[{**LAYER, **layer}])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"schema": 1, "name": "x", "models": 3}, "models: expected a list, got 3"),
        ({"schema": 1, "name": "x", "models": None}, "models: expected a list, got nothing"),
        ({"schema": 1, "name": 5, "models": [EYES]}, "name: expected text, got 5"),
        ({"schema": 1, "name": "x", "expiry": "hard"}, "expiry: expected 'soft' or 'firm', got"),
        (
            {"schema": 1, "name": "x", "models": [EYES] * 65},
            "models: expected at most 64, got more",
        ),
        ({"schema": 1, "name": "x", "model": [EYES]}, "model: no such key; did you mean models?"),
        ({"schema": 1, "name": "x", "models": [3]}, "models.0: expected a mapping of keys, got 3"),
        (
            {"schema": 1, "name": "x", "models": [{**EYES, "deadlin_ms": 1}]},
            "models.0.deadlin_ms: no such key; did you mean deadline_ms",
        ),
        (
            {"schema": 1, "name": "x", "models": [{**EYES, "depends_on": "a"}]},
            "models.0.depends_on: expected a mapping of keys, got the text 'a'",
        ),
        (
            {"schema": 1, "name": "x", "phases": [{"scenario": {"schema": 1, "nam": "y"}}]},
            "phases.0.scenario.nam: no such key; did you mean name?",
        ),
        (
            with_network(name="gnmt", parametrs={}),
            "models.0.network.parametrs: no such key; did you mean parameters?",
        ),
        (
            with_network(name="gnmt", parameters={"tokens": "3"}),
            "models.0.network.parameters.tokens: expected a whole number or a number, got the text",
        ),
        (written_out(k=2), "models.0.network.layers.0.k: no such key; did you mean K?"),
        (written_out(K=True), "models.0.network.layers.0.K: expected a whole number, got true"),
        (
            with_network(name="n", source="s", layers=[{"name": "fc"}]),
            "models.0.network.layers.0.K: is missing",
        ),
        (with_network(onnx=3), "models.0.network: onnx: expected text, got 3"),
        (with_network(onnx="a.onnx", size={}), "models.0.network: size: no such key; did you mean"),
    ],
)
def test_a_scenario(content, problem):
    with pytest.raises(ConfigError) as caught:
        resources.validate(content, Scenario, origin="my.yaml")
    assert str(caught.value).startswith(f"my.yaml: {problem}")


@pytest.mark.parametrize(
    ("costs", "problem"),
    [
        ({"model": "tabel"}, "costs.model: expected one of 'maestro', 'table', 'zigzag', 'python'"),
        ({}, "costs.model: is missing"),
        (3, "costs: expected a mapping of keys, got 3"),
        ({"model": "table"}, "costs.path: is missing"),
        ({"model": "table", "path": 3}, "costs.path: expected a path, got 3"),
        ({"model": "table", "pat": "a"}, "costs.pat: no such key; did you mean path?"),
        ({"model": "maestro", "dram": 1}, "costs.dram: expected true or false, got 1"),
        ({"model": "python", "function": 3}, "costs.function: "),
    ],
)
def test_a_platform(costs, problem):
    with pytest.raises(ConfigError) as caught:
        resources.validate({**CHIP, "costs": costs}, Platform, origin="my.yaml")
    assert str(caught.value).startswith(f"my.yaml: {problem}")


def test_a_suite_says_all_that_an_option_may_be():
    content = {
        "schema": 1,
        "name": "x",
        "cells": [{"scenario": "ar_call", "platform": "4k_2ws"}],
        "policies": [{"scheduler": "edf", "options": {"a": [1]}}],
    }
    with pytest.raises(ConfigError) as caught:
        resources.validate(content, Suite, origin="my.yaml")
    expected = "policies.0.options.a: expected a whole number or a number or text, got [1]"
    assert str(caught.value) == f"my.yaml: {expected}"


def _configs(parent: type[Config] = Config) -> list[type[Config]]:
    return [parent, *(found for child in parent.__subclasses__() for found in _configs(child))]


@pytest.mark.parametrize("model", _configs(), ids=lambda model: model.__name__)
def test_no_config_speaks_as_pydantic_does(model):
    for value in (None, True, 1, -1.5, "x", [], {}, [{}], {"a": 1}):
        for name, field in model.model_fields.items():
            if name == "costs":
                continue  # a union of its own, above
            message = problem({field.alias or name: value}, model)
            for phrase in ("Input", "should be", "Field required", "valid", "Value error", "\n"):
                assert phrase not in message


def problem(content: dict[str, Any], model: type[Config]) -> str:
    try:
        resources.validate(content, model, origin="f")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (False, "false"),
        ("a\nb", r"'a\nb'"),
        (Path("a"), "PosixPath('a')"),
    ],
)
def test_values_are_shown_on_one_line(value, text):
    assert shown(value) == text


def test_values_are_shown_in_short():
    assert shown(10**5000) == "a number of 16610 bits"
    deep: list[Any] = []
    for _ in range(30):
        deep = [deep] * 30
    for value in (deep, "x" * 10**6, {"x" * 10**5: "y" * 10**5}, list(range(10**5))):
        assert len(shown(value)) < 2000
    assert hint("x" * 10**6, ["a"]) == "known: a"
