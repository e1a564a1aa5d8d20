"""Building networks by name: the cache and the errors."""

from __future__ import annotations

import inspect

import pytest

from dream_gym.errors import ConfigError
from dream_gym.workload import NETWORKS, build_network


def test_a_network_is_built_once() -> None:
    assert build_network("gnmt", tokens=2) is build_network("gnmt", tokens=2)
    assert build_network("gnmt", tokens=2) is not build_network("gnmt", tokens=3)


def test_the_catalogue_is_immutable() -> None:
    with pytest.raises(TypeError):
        NETWORKS["mine"] = NETWORKS["gnmt"]  # type: ignore[index]


def test_names_are_those_of_the_functions() -> None:
    for name, builder in NETWORKS.items():
        assert builder.__name__ == name
        assert builder.__doc__


def test_every_size_and_count_has_a_largest_value_that_can_be_built() -> None:
    for name, builder in NETWORKS.items():
        for parameter, known in inspect.signature(builder).parameters.items():
            if isinstance(known.default, int) and name != "skipnet":  # which takes four depths
                with pytest.raises(ConfigError, match=rf"{parameter} must be .* got {10**12}"):
                    build_network(name, **{parameter: 10**12})
                tokens = {"tokens": 1000} if parameter == "rows" else {}  # which rows divide
                assert build_network(name, **{parameter: 1000}, **tokens).layers


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("fbnet", {}, "no network is called 'fbnet'; did you mean fbnet_c"),
        ("kws_res9", {}, "did you mean kws_res8 or kws_res8_narrow"),
        ("xyz", {}, "no network is called 'xyz'; known: d2go_faster_rcnn, ed_tcn, "),
        ("gnmt", {"token": 3}, "gnmt: unknown parameter 'token'; it takes tokens, rows"),
        ("trailnet", {"width": 320}, "trailnet: unknown parameter 'width'; it takes none"),
        ("gnmt", {"tokens": 0}, "gnmt: tokens must be a whole number from 1 to 1000, got 0"),
        ("gnmt", {"tokens": 2.0}, "gnmt: tokens must be a whole number from 1 to 1000, got 2.0"),
        ("gnmt", {"tokens": 10**9}, "gnmt: tokens must be .* from 1 to 1000, got 1000000000"),
        ("gnmt", {"rows": 3}, "gnmt: rows: 3 does not divide the 8 tokens"),
        ("gnmt", {"tokens": 4, "rows": 8}, "gnmt: rows: 8 does not divide the 4 tokens"),
        ("gnmt", {"rows": 0}, "gnmt: rows must be a whole number from 1 to 1000, got 0"),
        ("sosnet", {"patches": 10**9}, "sosnet: patches must be a whole number from 1 to"),
        ("emformer", {"frames": 10**9}, "emformer: frames must be a whole number from 1 to"),
        ("ritnet", {"height": 10**9}, "ritnet: height must be a whole number from 1 to"),
        ("fbnet_c", {"width": 10**30}, "fbnet_c: width must be a whole number from 1 to"),
        ("skipnet", {"depth": 10**9}, "skipnet: depth must be a whole number from 1 to"),
        ("gnmt", {"tokens": True}, "gnmt: tokens must be a whole number"),
        ("gnmt", {"tokens": [8]}, r"gnmt: tokens must be a whole number .* got \[8\]"),
        ("skipnet", {"depth": 35}, "skipnet: depth must be one of 18, 34, 50, 101, got 35"),
        ("skipnet", {"skip_probability": 1.5}, r"skip_probability must be in \[0, 1\], got 1.5"),
        ("skipnet", {"skip_probability": "0.5"}, "skip_probability must be a number, got '0.5'"),
        ("skipnet", {"skip_probability": float("nan")}, "skip_probability must be in"),
        ("rapid_rl", {"second_exit": -0.1}, r"rapid_rl: second_exit must be in \[0, 1\], got -0.1"),
    ],
)
def test_errors_name_the_field(name: str, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_network(name, **parameters)
