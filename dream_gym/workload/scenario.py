"""Scenarios: which models run, how often, by when, and which of them depend on which."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from dream_gym import resources
from dream_gym.resources import Config, FilePath, Rational
from dream_gym.workload.layer import Network
from dream_gym.workload.networks import NETWORKS, build_network
from dream_gym.workload.onnx_import import OnUnknown, from_onnx

MAX_MODELS = 64


Milliseconds = Annotated[float, Field(ge=0, le=1e7)]


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
        sizes: Symbolic dimensions of the graph's inputs by their names; 1 unless given.
    """

    onnx: str
    on_unknown: OnUnknown = "error"
    sizes: dict[str, int] = Field(default_factory=dict)


def _by_name(value: Any) -> NetworkReference:
    if not isinstance(value, str):
        raise ValueError(f"expected the name of a network, got {value!r}")
    return NetworkReference(name=value)


def _import_onnx(value: Any, info: ValidationInfo) -> Network:
    reference = resources.validate(value, OnnxReference, origin="")
    folder = info.context["folder"] if info.context else Path()
    return from_onnx(
        folder / reference.onnx, on_unknown=reference.on_unknown, sizes=reference.sizes
    )


def _kind_of_network(value: Any) -> str:
    if isinstance(value, OnnxReference):
        return "onnx"
    if isinstance(value, NetworkReference):
        return "catalogue"
    if isinstance(value, Network):
        return "inline"
    if not isinstance(value, dict):
        return "name"
    return "inline" if "layers" in value else "onnx" if "onnx" in value else "catalogue"


NetworkName = Annotated[str, Field(json_schema_extra={"enum": sorted(NETWORKS)})]

AnyNetwork = Annotated[
    Annotated[
        NetworkReference, BeforeValidator(_by_name, json_schema_input_type=NetworkName), Tag("name")
    ]
    | Annotated[NetworkReference, Tag("catalogue")]
    | Annotated[Network, Tag("inline")]
    | Annotated[
        Network, BeforeValidator(_import_onnx, json_schema_input_type=OnnxReference), Tag("onnx")
    ],
    Discriminator(_kind_of_network),
]
"""A network of the catalogue, one that is written out layer by layer, or one in an ONNX file."""


class Dependency(Config):
    """What triggers the frames of a dependent model.

    Args:
        model: The model whose completed frames may trigger one of this model.
        probability: Probability in [0, 1] that they do.
    """

    model: str
    probability: float = Field(ge=0, le=1)


class ModelSpec(Config):
    """One model of a scenario: a network with a rate.

    Args:
        name: What the model is called in tables, unique in the scenario.
        network: A network of the catalogue, by name or by name and parameters; or a `Network`,
            in YAML the mapping of its fields, or ``{onnx: PATH}`` to import it.
        rate: Frames per second at load 1; a dependent's rate divides its parent's.
        deadline_ms: Relative deadline in ms; by default the period at the load in force.
        phase_ms: Nominal time of the first frame of a root in ms.
        jitter_ms: Root frames are released up to this late, uniformly; below the period.
        backlog: Frames that may be released, unfinished and not executing, before the oldest
            is displaced.
        depends_on: The parent, for a model that is triggered by another.
    """

    name: str = Field(min_length=1)
    network: AnyNetwork
    rate: Rational
    deadline_ms: Annotated[float, Field(gt=0, le=1e7)] | None = None
    phase_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    backlog: int = Field(default=8, ge=1, le=1000)
    depends_on: Dependency | None = None

    @model_validator(mode="after")
    def _check_root_fields(self) -> ModelSpec:
        if self.depends_on is not None and (self.phase_ms or self.jitter_ms):
            raise ValueError("phase_ms and jitter_ms are for models without depends_on")
        return self

    @property
    def built_network(self) -> Network:
        """The network that a frame of this model runs."""
        reference = self.network
        return reference if isinstance(reference, Network) else reference.build()


class Scenario(Config):
    """A real-time multi-model workload.

    Args:
        schema_version: Version of this file format, 1.
        name: What the scenario is called in tables.
        description: One line for listings.
        expiry: What becomes of a frame at its deadline: ``soft`` lets it run on, ``firm`` loses it.
        models: The models; their order is the order of model indices.
        recording: CSV file whose releases and triggers replace those drawn, relative to the
            folder of the scenario's file, see `recording.read_recording`; it runs at load 1 only.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(min_length=1)
    description: str = ""
    expiry: Literal["soft", "firm"] = "soft"
    models: tuple[ModelSpec, ...] = Field(min_length=1, max_length=MAX_MODELS)
    recording: FilePath | None = None

    @model_validator(mode="after")
    def _check_dependencies(self) -> Scenario:
        by_name: dict[str, ModelSpec] = {}
        for index, model in enumerate(self.models):
            if model.name in by_name:
                raise ValueError(f"models.{index}.name: {model.name!r} is used twice")
            by_name[model.name] = model
        for index, model in enumerate(self.models):
            if model.depends_on is None:
                if model.jitter_ms * model.rate >= 1000:
                    raise ValueError(
                        f"models.{index}.jitter_ms: must stay below the period, "
                        f"{float(1000 / model.rate):g} ms"
                    )
                continue
            field = f"models.{index}.depends_on.model"
            parent = by_name.get(model.depends_on.model)
            if parent is None:
                raise ValueError(f"{field}: no model is called {model.depends_on.model!r}")
            if (parent.rate / model.rate).denominator != 1:
                raise ValueError(
                    f"models.{index}.rate: {model.rate} does not divide the rate {parent.rate} "
                    f"of its parent {parent.name!r}; a child takes every n-th parent frame"
                )
            seen = {model.name}
            while parent is not None and parent.depends_on is not None:
                if parent.name in seen:
                    raise ValueError(f"{field}: {model.name!r} depends on itself")
                seen.add(parent.name)
                parent = by_name.get(parent.depends_on.model)
        return self

    @property
    def model_names(self) -> tuple[str, ...]:
        """Names of the models, by model index."""
        return tuple(model.name for model in self.models)


def load_scenario(reference: str | Path | Scenario) -> Scenario:
    """Load a scenario by name, by path, or pass an object through.

    Raises:
        ConfigError: There is no such scenario or its file is malformed; names file and field.
    """
    return resources.load("scenarios", reference, Scenario)
