"""How a scenario names a network: from the catalogue, written out, or in an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from dream_gym.errors import shown
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.workload.layer import Network
from dream_gym.workload.networks import NETWORKS, build_network
from dream_gym.workload.onnx.importing import OnUnknown, from_onnx


class NetworkReference(Config):
    """A network of the catalogue and the arguments of its builder.

    Args:
        name: Its name in `dream_gym.workload.NETWORKS`.
        parameters: Arguments of the builder, such as ``{tokens: 8}``.
    """

    name: str
    parameters: dict[str, int | float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_exists(self) -> NetworkReference:
        self.build()
        return self

    def build(self) -> Network:
        """Build the network; raises `ConfigError` for an unknown name or parameter."""
        return build_network(self.name, **self.parameters)


class OnnxReference(Config):
    """A network in an ONNX file; it is imported when the scenario is read.

    Args:
        onnx: Path of the file, relative to the folder of the scenario's file.
        on_unknown: What to do about nodes that cannot be costed: ``error`` or ``skip``.
        sizes: Sizes that the file leaves open, by the names of the dimensions of its inputs, and
            unnamed ones by ``INPUT.AXIS``; only a batch may be left out, and is 1.
        name: What to call the network in tables and timelines; by default the file's name
            without its suffix, with the sizes that are given and not 1.
    """

    onnx: str
    on_unknown: OnUnknown = "error"
    sizes: dict[str, int] = Field(default_factory=dict)
    name: Annotated[str, Field(min_length=1)] | None = None


def _by_name(value: Any) -> NetworkReference:
    if not isinstance(value, str):
        raise ValueError(f"expected the name of a network, got {shown(value)}")
    return NetworkReference(name=value)


def _import_onnx(value: Any, info: ValidationInfo) -> Network:
    reference = value
    if not isinstance(value, OnnxReference):
        reference = resources.validate(value, OnnxReference, origin="")
    folder = info.context["folder"] if info.context else Path()
    return from_onnx(
        folder / reference.onnx,
        on_unknown=reference.on_unknown,
        name=reference.name,
        sizes=reference.sizes,
    )


def _kind_of_network(value: Any) -> str:
    if isinstance(value, OnnxReference):
        return "onnx file"
    if isinstance(value, NetworkReference):
        return "catalogue"
    if isinstance(value, Network):
        return "inline"
    if not isinstance(value, dict):
        return "by name"
    return "inline" if "layers" in value else "onnx file" if "onnx" in value else "catalogue"


NetworkName = Annotated[str, Field(json_schema_extra={"enum": sorted(NETWORKS)})]

AnyNetwork = Annotated[
    Annotated[
        NetworkReference,
        BeforeValidator(_by_name, json_schema_input_type=NetworkName),
        Tag("by name"),
    ]
    | Annotated[NetworkReference, Tag("catalogue")]
    | Annotated[Network, Tag("inline")]
    | Annotated[
        Network,
        BeforeValidator(_import_onnx, json_schema_input_type=OnnxReference),
        Tag("onnx file"),
    ],
    Discriminator(_kind_of_network),
]
"""A network of the catalogue, one that is written out layer by layer, or one in an ONNX file."""
