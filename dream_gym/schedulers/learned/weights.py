"""Files of weights: safetensors, which hold numbers and no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import Field

from dream_gym.errors import ConfigError
from dream_gym.reading.fields import SchemaVersion
from dream_gym.reading.inputs import read_bytes
from dream_gym.reading.resources import Config, validate
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.schedulers.learned.network import (
    BLOCK_NS,
    CONTEXT_AT,
    FRAME_AT,
    HEADER,
    HIDDEN,
    INPUTS,
    VARIANTS,
    count_parameters,
)
from dream_gym.simulator import Floats
from dream_gym.units import NS_PER_MS

MAX_BYTES = 2**24
MAX_HIDDEN = 1024
KIND_NAMES = ("dispatch", "drop", "wait")
_FIRST: Mapping[str, Mapping[str, float]] = {
    "dispatch": {"urgency": 1.0, "late": -3.0, "tight": -2.0, "finish": -2.0, "slower": -0.5},
    "drop": {"": -4.0},
    "wait": {"": -6.0},
}
"""Weights by input that training begins with; the bias has no name."""


class WeightsCard(Config):
    """What a file of weights says beside the numbers.

    Args:
        schema_version: Version of this file format, 1.
        inputs: Names of the features, in the order of the weights. A feature that is not named
            counts nothing, so that files stay good when features are added.
        block_ms: The most time that a block of layers takes; 0 for single layers.
        variants: Whether Supernets run what DREAM's rule chooses, which costs accuracy.
        about: Where the weights come from; not read.
    """

    schema_version: SchemaVersion = Field(alias="schema", serialization_alias="schema")
    inputs: tuple[str, ...]
    block_ms: float = Field(default=0.0, ge=0, le=1000)
    variants: bool = False
    about: dict[str, Any] = Field(default_factory=dict)


class Weights(NamedTuple):
    """The weights of a `learned` scheduler.

    Args:
        parameters: float64 (`count_parameters`,), as compiled code reads them.
        about: Where they come from.
    """

    parameters: Floats
    about: dict[str, Any]

    @property
    def hidden(self) -> int:
        """Number of hidden units."""
        return int(self.parameters[HIDDEN])


def new_parameters(hidden: int, block_ms: float, variants: bool = False) -> Floats:
    """Parameters whose weights are all 0."""
    parameters = np.zeros(count_parameters(hidden))
    parameters[HIDDEN], parameters[VARIANTS] = hidden, variants
    parameters[BLOCK_NS] = round(block_ms * NS_PER_MS)
    return parameters


def first_parameters(hidden: int, block_ms: float, variants: bool, seed: int) -> Floats:
    """Where training begins: urgent frames first, late ones last, each where it ends earliest.

    Hidden units have random inputs, and do not count yet.
    """
    parameters = new_parameters(hidden, block_ms, variants)
    tables = tables_of(parameters)
    for kind, weights in _FIRST.items():
        tables[f"{kind}.bias"][0] = weights.get("", 0.0)
        for name, weight in weights.items():
            if name:
                tables[f"{kind}.linear"][INPUT_NAMES.index(name)] = weight
    random = np.random.default_rng([seed, hidden])
    tables["hidden.input"][:] = random.normal(size=(INPUTS, hidden)) / np.sqrt(INPUTS)
    parameters[HEADER:] = parameters[HEADER:].astype(np.float32)
    return parameters


def widened(parameters: Floats, wider: Floats) -> Floats:
    """The same network with more hidden units, whose inputs are those of a wider one.

    Raises:
        ConfigError: It has more hidden units than the wider one.
    """
    hidden = int(parameters[HIDDEN])
    if hidden > int(wider[HIDDEN]):
        raise ConfigError(f"start: has {hidden} hidden units, more than {int(wider[HIDDEN])}")
    result = wider.copy()
    own, old = tables_of(result), tables_of(parameters)
    for name, table in own.items():
        if name.endswith(".output"):
            table[:] = 0.0
        table[..., : old[name].shape[-1]] = old[name]
    return result


def tables_of(parameters: Floats) -> dict[str, Floats]:
    """The weights by name, as views of the parameters.

    Returns:
        For each kind ``KIND.bias`` (1,), ``KIND.linear`` (inputs,), ``KIND.output`` (hidden,);
        ``hidden.threshold`` (hidden,) and ``hidden.input`` (inputs, hidden).
    """
    hidden, at = int(parameters[HIDDEN]), HEADER
    tables: dict[str, Floats] = {}

    def take(name: str, *shape: int) -> None:
        nonlocal at
        size = int(np.prod(shape))
        tables[name] = parameters[at : at + size].reshape(shape)
        at += size

    for kind in KIND_NAMES:
        take(f"{kind}.bias", 1)
        take(f"{kind}.linear", INPUTS)
        take(f"{kind}.output", hidden)
    take("hidden.threshold", hidden)
    take("hidden.input", INPUTS, hidden)
    return tables


def trained_places(hidden: int) -> NDArray[np.bool_]:
    """Which parameters training changes: those that are read, and no part of the header.

    A choice without accelerator or frame has 0 for their features. Of the three kinds' scores only
    differences matter, so that the part of dispatching that is the same for all pairs stays 0.
    """
    trained = new_parameters(hidden, 0.0)
    trained[HEADER:] = 1.0
    tables = tables_of(trained)
    tables["dispatch.bias"][:] = 0.0
    tables["dispatch.linear"][CONTEXT_AT:] = 0.0
    tables["drop.linear"][:FRAME_AT] = 0.0
    tables["wait.linear"][:CONTEXT_AT] = 0.0
    trained[:HEADER] = 0.0
    places: NDArray[np.bool_] = trained != 0.0
    return places


def pack_weights(parameters: Floats, about: Mapping[str, Any]) -> bytes:
    """Weights as the content of a file, in float32."""
    card = WeightsCard(
        schema=1,
        inputs=INPUT_NAMES,
        block_ms=parameters[BLOCK_NS] / NS_PER_MS,
        variants=bool(parameters[VARIANTS]),
        about=dict(about),
    )
    tensors = {name: table.astype(np.float32) for name, table in tables_of(parameters).items()}
    told = {"dream_gym": card.model_dump_json(by_alias=True)}
    content: bytes = safetensors.numpy.save(tensors, metadata=told)
    return content


def read_weights(path: Path) -> tuple[Weights, str]:
    """Read a file of weights.

    Returns:
        The weights, and the SHA-256 of the file.

    Raises:
        ConfigError: It cannot be read, is no such file, or holds numbers that are not finite.
    """
    content = read_bytes(path, most=MAX_BYTES)
    return unpack_weights(content, str(path)), hashlib.sha256(content).hexdigest()


def unpack_weights(content: bytes, origin: str) -> Weights:
    """The weights in the content of a file, which errors call by its origin."""
    try:
        tensors = safetensors.numpy.load(content)
        size = int.from_bytes(content[:8], "little")
        told = json.loads(content[8 : 8 + size])["__metadata__"]["dream_gym"]
        card = validate(json.loads(told), WeightsCard, origin=origin)
    except ConfigError:
        raise
    except Exception as error:  # the library raises its own errors for damaged files
        raise ConfigError(f"{origin}: no file of weights: {error}") from error
    hidden = len(tensors.get("hidden.threshold", ()))
    if hidden > MAX_HIDDEN:
        raise ConfigError(f"{origin}: hidden: at most {MAX_HIDDEN} units, got {hidden}")
    places = _places(card.inputs, origin)
    parameters = new_parameters(hidden, card.block_ms, card.variants)
    for name, table in tables_of(parameters).items():
        rows = name.endswith((".linear", ".input"))
        shape = (len(places), *table.shape[1:]) if rows else table.shape
        given = tensors.get(name)
        if given is None or given.shape != shape or given.dtype != np.float32:
            got = "none" if given is None else f"{given.dtype} {given.shape}"
            raise ConfigError(f"{origin}: {name}: expected float32 {shape}, got {got}")
        if not np.isfinite(given).all():
            raise ConfigError(f"{origin}: {name}: holds numbers that are not finite")
        table[places if rows else slice(None)] = given
    return Weights(parameters, card.about)


def _places(inputs: tuple[str, ...], origin: str) -> list[int]:
    """Where the features of a file stand among ours."""
    unknown = [name for name in inputs if name not in INPUT_NAMES]
    if unknown:
        raise ConfigError(
            f"{origin}: inputs: this version has no feature {unknown[0]!r}; the file is of a later "
            "one, or no file of this project"
        )
    if len(set(inputs)) < len(inputs):
        raise ConfigError(f"{origin}: inputs: a feature is named twice")
    return [INPUT_NAMES.index(name) for name in inputs]
