"""Costs from zigzag-dse, which searches the best mapping of a layer onto an accelerator."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import math
import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.files import write_text
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostModel, CostTable, rounded
from dream_gym.hardware.zigzag.pool import Answer, evaluate_all
from dream_gym.hardware.zigzag.worker import FORMULATION, Request, Shape
from dream_gym.reading.resources import Config, in_folder, read_yaml_text
from dream_gym.reading.stamps import Stamp, stamp_of
from dream_gym.reading.yaml_core import load_yaml
from dream_gym.workload import Layer, Network


def _locate(reference: str, info: ValidationInfo) -> str:
    is_path = reference.endswith((".yaml", ".yml"))
    return str(in_folder(Path(reference), info)) if is_path else reference


Reference = Annotated[str, AfterValidator(_locate)]
"""The name of a file that zigzag-dse ships, or the path of a .yaml file."""


class ZigzagAccelerator(Config):
    """How zigzag sees one accelerator of the chip.

    Args:
        name: The accelerator's name on the chip.
        hardware: Its description: the path of a YAML file or the name of one that zigzag-dse
            ships in ``inputs/hardware``, such as ``meta_prototype``.
        mapping: How layers are spread over its array: likewise, from ``inputs/mapping``. An
            entry called ``depthwise`` is for depthwise layers; without one, their channels take
            the place of the output channels.
    """

    name: str
    hardware: Reference
    mapping: Reference


class ZigzagCosts(CostModel):
    """Costs by zigzag-dse, cached on disk; needs ``pip install "dream_gym[zigzag]"``.

    Args:
        model: ``zigzag``.
        accelerators: One entry for every accelerator of the platform, in any order.
        objective: What the mapping is chosen for: ``latency``, ``energy`` or their product,
            ``EDP``.
        loop_factors: Into how many loops the search may split a layer (zigzag's ``lpf_limit``);
            more takes much longer, and 4 is mostly within 1 % of 6.
        spatial_mappings: How many spatial mappings are tried where the mapping leaves them open.
        activations_on_chip: Whether a layer whose input and output fit in an on-chip memory
            together leaves them there, so that only weights cross the off-chip link. False is
            zigzag's own view of a layer by itself: all its data start and end off the chip.
    """

    model: Literal["zigzag"] = "zigzag"
    accelerators: tuple[ZigzagAccelerator, ...]
    objective: Literal["latency", "energy", "EDP"] = "latency"
    loop_factors: int = Field(default=4, ge=1, le=10)
    spatial_mappings: int = Field(default=3, ge=1, le=100)
    activations_on_chip: bool = True

    # Two platforms that are otherwise equal differ if one of the files changed in between.
    _stamps: tuple[Stamp | None, ...] = PrivateAttr(default=())

    def model_post_init(self, context: Any, /) -> None:
        """Note the state of the files, so that a changed one is not mistaken for a known one."""
        files = [file for one in self.accelerators for file in (one.hardware, one.mapping)]
        self._stamps = tuple(_stamp(file) for file in files)

    @model_validator(mode="after")
    def _check_names(self) -> ZigzagCosts:
        names = [accelerator.name for accelerator in self.accelerators]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"accelerators.{index}.name: {name!r} is used twice")
        return self

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        version, files = zigzag_version(), self._files(chip)
        wanted: dict[str, tuple[Request, str]] = {}
        keys = []
        for layer in network.layers:
            for name, (hardware, mapping) in zip(chip.accelerator_names, files, strict=True):
                request = self._request(layer, version, hardware, mapping)
                keys.append(_key(request))
                wanted.setdefault(keys[-1], (request, f"{network.name}: {layer.name} on {name}"))
        answers = _answers(wanted, chip, network.name)
        costs = np.array([answers[key] for key in keys]).reshape(len(network.layers), -1, 2)
        cycles, clock = costs[..., 0], chip.clock_ghz
        latency_ns = cycles * float(clock.denominator) / float(clock.numerator)
        return rounded(latency_ns, costs[..., 1])

    def _files(self, chip: Chip) -> list[tuple[str, str]]:
        """Text of the description and of the mapping of every accelerator of the chip."""
        given = {accelerator.name: accelerator for accelerator in self.accelerators}
        texts = []
        for name in chip.accelerator_names:
            if name not in given:
                raise ConfigError(f"{chip.name}: costs.accelerators: {name!r} is missing")
            field = f"{chip.name}: costs.accelerators: {name}"
            texts.append(
                (
                    _read(given[name].hardware, "hardware", f"{field}: hardware"),
                    _read(given[name].mapping, "mapping", f"{field}: mapping"),
                )
            )
        return texts

    def _request(self, layer: Layer, version: str, hardware: str, mapping: str) -> Request:
        return Request(
            formulation=FORMULATION,
            version=version,
            hardware=hardware,
            mapping=mapping,
            layer=Shape(
                K=layer.K,
                C=layer.C,
                output_height=layer.output_height,
                output_width=layer.output_width,
                R=layer.R,
                S=layer.S,
                stride=layer.stride,
                depthwise=layer.depthwise,
                activations=layer.input_elements + layer.output_elements,
            ),
            objective=self.objective,
            loop_factors=self.loop_factors,
            spatial_mappings=self.spatial_mappings,
            activations_on_chip=self.activations_on_chip,
        )


def _stamp(reference: str) -> Stamp | None:
    """The stamp of a file of the user's; None for one that zigzag-dse ships, and for none."""
    try:
        return stamp_of(Path(reference)) if reference.endswith((".yaml", ".yml")) else None
    except OSError:
        return None  # an error once costs are needed


def zigzag_version() -> str:
    """The version of zigzag-dse.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return importlib.metadata.version("zigzag-dse")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(
            "zigzag-dse is missing; the zigzag cost model needs Python 3.11 or later and: "
            'pip install "dream_gym[zigzag]"'
        ) from None


def cache_folder() -> Path:
    """Where results are cached: ``$DREAM_GYM_CACHE``, or ``dream_gym`` in the user's cache."""
    if folder := os.environ.get("DREAM_GYM_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dream_gym"


def _answers(
    wanted: Mapping[str, tuple[Request, str]], chip: Chip, title: str
) -> dict[str, Answer]:
    """Cycles and pJ by key, from the cache or else computed; `wanted` says what each is for."""
    answers = {key: found for key in wanted if (found := _recall(key)) is not None}
    missing = {key: request for key, (request, _) in wanted.items() if key not in answers}
    with closing(evaluate_all(missing)) as results:
        for key, answer in _show_progress(results, len(missing), title):
            if isinstance(answer, str):
                raise ConfigError(
                    f"{chip.name}: costs: zigzag cannot cost {wanted[key][1]}: {answer}"
                )
            write_text(_cache_file(key), json.dumps(answer))
            answers[key] = answer
    return answers


def _key(request: Request) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _cache_file(key: str) -> Path:
    return cache_folder() / "zigzag" / key[:2] / f"{key}.json"


def _recall(key: str) -> Answer | None:
    """A cached result; None if there is none or its file is damaged."""
    try:
        cycles, pj = json.loads(_cache_file(key).read_text(encoding="utf-8"))
        usable = math.isfinite(cycles) and math.isfinite(pj) and cycles > 0 and pj > 0
        return (float(cycles), float(pj)) if usable else None
    except (OSError, ValueError, TypeError):
        return None


def _read(reference: str, kind: Literal["hardware", "mapping"], field: str) -> str:
    """Text of a file of the user's or of one that zigzag-dse ships."""
    own = reference.endswith((".yaml", ".yml"))
    if own:
        path = Path(reference)
    else:
        spec = importlib.util.find_spec("zigzag")  # does not import it, which takes seconds
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "inputs" / kind
        path = folder / f"{reference}.yaml"
        if not path.is_file():
            names = sorted(file.stem for file in folder.glob("*.yaml"))
            raise ConfigError(
                f"{field}: {shown(reference)} is neither a path that ends in .yaml nor a file of "
                f"zigzag-dse; {hint(reference, names)}"
            )
    try:
        text = read_yaml_text(path)
        if own:  # only to check the limits: zigzag reads YAML 1.1, and its own files repeat keys
            load_yaml(text, origin=str(path))
    except ConfigError as error:
        raise ConfigError(f"{field}: {error}") from error
    return text


def _show_progress(
    results: Iterable[tuple[str, Answer | str]], total: int, name: str
) -> Iterable[tuple[str, Answer | str]]:
    """Pass results through, with a progress bar on standard error that goes when they end."""
    from rich import progress as bar  # slow to import, and mostly everything is cached
    from rich.console import Console

    progress = bar.Progress(
        bar.TextColumn("zigzag: {task.description}", markup=False),
        bar.BarColumn(),
        bar.MofNCompleteColumn(),
        bar.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=total == 0,
    )
    with progress:
        yield from progress.track(results, total=total, description=name)
