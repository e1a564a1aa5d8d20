"""Scenarios: which models run, how often, by when, and which of them depend on which."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from dream_gym.arguments import whole_ns
from dream_gym.errors import shown
from dream_gym.reading import resources
from dream_gym.reading.fields import FileName, Name, Prose, Rational, SchemaVersion
from dream_gym.reading.resources import Config, FilePath
from dream_gym.units import NS_PER_S
from dream_gym.workload.layer import Network
from dream_gym.workload.references import AnyNetwork

MAX_MODELS = 64
MAX_PHASES = 64

LEAST_MS = 1e-6
"""One ns, the unit of time in a simulation."""


def _check_not_below_a_ns(milliseconds: float) -> float:
    if 0 < milliseconds < LEAST_MS:
        raise ValueError(f"expected 0, or at least {LEAST_MS:g}, got {shown(milliseconds)}")
    return milliseconds


Milliseconds = Annotated[float, Field(ge=0, le=1e7), AfterValidator(_check_not_below_a_ns)]


class Dependency(Config):
    """What triggers the frames of a dependent model.

    Args:
        model: The model whose completed frames may trigger one of this model.
        probability: Probability in [0, 1] that they do.
    """

    model: Name
    probability: float = Field(ge=0, le=1)


class ModelSpec(Config):
    """One model of a scenario: a network with a rate.

    Args:
        name: What the model is called in tables, unique in the scenario.
        network: A network of the catalogue, by name or by name and parameters; or a `Network`,
            in YAML the mapping of its fields, or ``{onnx: PATH}`` to import it.
        rate: Frames per second at load 1; a dependent's rate divides its parent's.
        deadline_ms: Relative deadline in ms; by default the period at the current load.
        phase_ms: Nominal time of the first frame of a root in ms.
        jitter_ms: Root frames are released up to this late, uniformly; below the period.
        backlog: Frames that may be released, unfinished and not executing, before the oldest
            is displaced.
        depends_on: The parent, for a model that is triggered by another.
    """

    name: Name
    network: AnyNetwork
    rate: Rational
    deadline_ms: Annotated[float, Field(ge=LEAST_MS, le=1e7)] | None = None
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


@dataclass(frozen=True)
class Part:
    """What runs during one phase; a scenario without phases has one.

    Args:
        start_ns: When the phase begins.
        load: Factor on the rates of this phase.
        models: Its models.
    """

    start_ns: int
    load: Fraction
    models: tuple[ModelSpec, ...]


def _load_phase_scenario(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    return load_scenario(resources.in_folder_if_path(value, info))


class Phase(Config):
    """A stretch of time in which the user runs one app.

    Args:
        scenario: What runs: the name of a scenario, the path of its file, or the scenario itself;
            it has neither phases nor a recording, and its ``expiry`` is ignored.
        seconds: How long; absent in the last phase, which lasts until the run ends.
        load: Factor on its rates, beside the load of the run.
        rename: New names for some of its models, by the old ones; models of one name in two
            phases are one model, and must have the same network and backlog.
    """

    scenario: Annotated[
        Scenario,
        BeforeValidator(_load_phase_scenario, json_schema_input_type=str | Scenario),
    ]
    seconds: Annotated[float, Field(ge=1e-9, le=100_000)] | None = None
    load: Rational = Fraction(1)
    rename: dict[Name, Name] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_flat(self) -> Phase:
        if self.scenario.phases:
            raise ValueError("scenario: a phase cannot itself have phases")
        if self.scenario.recording is not None:
            raise ValueError("scenario: a recorded scenario cannot be a phase")
        for old in self.rename:
            if old not in self.scenario.model_names:
                raise ValueError(f"rename: no model is called {old!r}")
        names = [model.name for model in self.models]
        if len(set(names)) < len(names):
            raise ValueError("rename: two models would have the same name")
        return self

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models by their new names."""

        def new(name: str) -> str:
            return self.rename.get(name, name)

        return tuple(
            model.model_copy(
                update={
                    "name": new(model.name),
                    "depends_on": model.depends_on
                    and model.depends_on.model_copy(update={"model": new(model.depends_on.model)}),
                }
            )
            for model in self.scenario.models
        )


class Scenario(Config):
    """A real-time multi-model workload: models, or a sequence of scenarios in time.

    Args:
        schema_version: Version of this file format, 1.
        name: What the scenario is called in tables.
        description: One line for listings.
        expiry: What becomes of a frame at its deadline: ``soft`` lets it run on, ``firm`` loses it.
        models: The models; their order is the order of model indices.
        phases: In place of models, what runs one after the other: the user changes the app. A
            model that the next phase does not have releases nothing more; its frames continue.
        recording: CSV file whose releases and triggers replace the drawn ones; relative to the
            folder of the scenario's file, see `recording.read_recording`. It runs at load 1 only.
    """

    schema_version: SchemaVersion = Field(alias="schema")
    name: FileName
    description: Prose = ""
    expiry: Literal["soft", "firm"] = "soft"
    models: tuple[ModelSpec, ...] = Field(default=(), max_length=MAX_MODELS)
    phases: tuple[Phase, ...] = Field(default=(), max_length=MAX_PHASES)
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

    @model_validator(mode="after")
    def _check_phases(self) -> Scenario:
        if bool(self.models) == bool(self.phases):
            raise ValueError("models: a scenario has either models or phases")
        for index, phase in enumerate(self.phases):
            last = index == len(self.phases) - 1
            if last != (phase.seconds is None):
                rule = "the last phase has no" if last else "every phase but the last needs"
                raise ValueError(f"phases.{index}.seconds: {rule} seconds")
        by_name: dict[str, ModelSpec] = {}
        for index, phase in enumerate(self.phases):
            for model in phase.models:
                first = by_name.setdefault(model.name, model)
                if (first.built_network, first.backlog) != (model.built_network, model.backlog):
                    raise ValueError(
                        f"phases.{index}.scenario: {model.name!r} has another network or backlog "
                        "in an earlier phase; give it another name with rename"
                    )
        if len(by_name) > MAX_MODELS:
            raise ValueError(f"phases: more than {MAX_MODELS} models in all")
        return self

    @property
    def parts(self) -> tuple[Part, ...]:
        """What runs when, in chronological order."""
        if not self.phases:
            return (Part(0, Fraction(1), self.models),)
        parts, start_ns = [], 0
        for index, phase in enumerate(self.phases):
            parts.append(Part(start_ns, phase.load, phase.models))
            start_ns += whole_ns(f"phases.{index}.seconds", phase.seconds or 0, NS_PER_S)
        return tuple(parts)

    @property
    def all_models(self) -> tuple[ModelSpec, ...]:
        """The models of all parts as they first appear, by model index."""
        by_name: dict[str, ModelSpec] = {}
        for part in self.parts:
            for model in part.models:
                by_name.setdefault(model.name, model)
        return tuple(by_name.values())

    @property
    def model_names(self) -> tuple[str, ...]:
        """Names of the models, by model index."""
        return tuple(model.name for model in self.all_models)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks that the models' frames run, by model index."""
        return tuple(model.built_network for model in self.all_models)


def load_scenario(reference: str | Path | Scenario) -> Scenario:
    """Load a scenario by name, by path, or pass an object through.

    Raises:
        ConfigError: There is no such scenario or its file is malformed; names file and field.
    """
    return resources.load("scenarios", reference, Scenario)
