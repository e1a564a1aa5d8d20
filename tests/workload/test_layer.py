"""Layers and networks that cannot be are refused with the field at fault."""

from __future__ import annotations

from typing import Any

import pytest

from dream_gym.workload.layer import EarlyExit, Layer, Network, SkippableBlock

LAYERS = tuple(Layer(name=name, K=8, C=8, Y=4, X=4) for name in "abcd")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"K": 0}, "K must be at least 1"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"X": -4}, "X must be at least 1"),
        ({"depthwise": True}, "a depthwise layer has K = 1, got 8"),
    ],
)
def test_a_layer_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"layer 'a': {words}"):
        Layer(**{"name": "a", "K": 8, "C": 8, "Y": 4, "X": 4, **fields})


def net(**fields: Any) -> Network:
    return Network(**{"name": "n", "layers": LAYERS, "source": "a test", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"layers": ()}, "has no layers"),
        ({"layers": (*LAYERS, LAYERS[2])}, "two layers are called 'c'"),
        ({"blocks": (SkippableBlock(0, 2, 0.5),)}, r"blocks\.0: layers 0 to 2"),
        ({"blocks": (SkippableBlock(2, 5, 0.5),)}, r"blocks\.0: layers 2 to 5"),
        (
            {"blocks": (SkippableBlock(1, 3, 0.5), SkippableBlock(2, 4, 0.5))},
            r"blocks\.1: layers 2 to 4 do not lie in order between 3 and 4",
        ),
        ({"exits": (EarlyExit(4, 0.5),)}, r"exits\.0\.layer: 4"),
        ({"exits": (EarlyExit(2, 0.5), EarlyExit(2, 0.5))}, r"exits\.1\.layer: 2"),
        ({"exits": (EarlyExit(2, 1.5),)}, r"probability: 1\.5 is not in \[0, 1\]"),
        ({"blocks": (SkippableBlock(1, 2, -0.1),)}, r"probability: -0\.1"),
        ({"variants": (net(variants=(net(),)),)}, "variant 'n' has variants of its own"),
    ],
)
def test_a_network_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        net(**fields)
