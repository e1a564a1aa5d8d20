"""A process that asks zigzag-dse what layers cost: a line of JSON in, a line of JSON out.

It is a process of its own because zigzag logs, prints, and holds on to memory, and so that several
can work at the same time. It is started by `dream_gym.hardware.zigzag.model`.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import os
import sys
import threading
import time
from typing import Any, TypedDict

import yaml

FORMULATION = 1
"""Raise it with every change here that may change a result: it is part of what is cached."""


class Shape(TypedDict):
    """What a layer's costs depend on; fields as in `dream_gym.workload.Layer`."""

    K: int
    C: int
    output_height: int
    output_width: int
    R: int
    S: int
    stride: int
    depthwise: bool
    activations: int  # input and output elements together


class Request(TypedDict):
    """Everything that a result depends on; results are cached under a hash of it."""

    formulation: int  # FORMULATION
    version: str  # of zigzag-dse
    hardware: str  # text of the accelerator description
    mapping: str  # text of the mapping
    layer: Shape
    objective: str
    loop_factors: int
    spatial_mappings: int
    activations_on_chip: bool


def evaluate(request: Request) -> tuple[float, float]:
    """Latency in cycles and energy in pJ of the best mapping that zigzag finds for a layer."""
    from zigzag.mapping.temporal_mapping import TemporalMappingType
    from zigzag.parser.accelerator_factory import AcceleratorFactory
    from zigzag.parser.accelerator_validator import AcceleratorValidator
    from zigzag.parser.mapping_validator import MappingValidator
    from zigzag.parser.workload_factory import WorkloadFactory
    from zigzag.parser.workload_validator import WorkloadValidator
    from zigzag.stages.evaluation.cost_model_evaluation import CostModelStage
    from zigzag.stages.main import MainStage
    from zigzag.stages.mapping.spatial_mapping_generation import SpatialMappingGeneratorStage
    from zigzag.stages.mapping.temporal_mapping_generator_stage import (
        TemporalMappingGeneratorStage,
    )
    from zigzag.stages.results import reduce_stages
    from zigzag.stages.workload_iterator import WorkloadStage

    hardware = _hardware(request)
    parsed = {
        "hardware": AcceleratorValidator(hardware),
        "mapping": MappingValidator(with_depthwise(yaml.safe_load(request["mapping"]))),
        "layer": WorkloadValidator([workload(request["layer"])]),
    }
    for what, validator in parsed.items():
        if not validator.validate():
            raise ValueError(f"the {what} is malformed: {validator.validator.errors}")
    data = {what: validator.normalized_data for what, validator in parsed.items()}
    best = {
        "latency": reduce_stages.MinimalLatencyStage,
        "energy": reduce_stages.MinimalEnergyStage,
        "EDP": reduce_stages.MinimalEDPStage,
    }[request["objective"]]
    pipeline = MainStage(
        [
            WorkloadStage,
            best,
            SpatialMappingGeneratorStage,
            best,
            TemporalMappingGeneratorStage,
            CostModelStage,
        ],
        accelerator=AcceleratorFactory(data["hardware"]).create(),
        workload=WorkloadFactory(data["layer"], data["mapping"]).create(),
        loma_lpf_limit=request["loop_factors"],
        loma_show_progress_bar=False,
        nb_mappings_generated=request["spatial_mappings"],
        enable_mix_spatial_mapping_generation=False,
        access_same_data_considered_as_no_access=True,
        temporal_mapping_type=TemporalMappingType("uneven"),
    )
    ((result, _),) = pipeline.run()
    return float(result.latency_total2), float(result.energy_total)


def workload(layer: Shape) -> dict[str, Any]:
    """A layer in zigzag's workload format: int8 operands, 16-bit partial sums, batch 1."""
    height, width = layer["output_height"], layer["output_width"]
    if layer["R"] == layer["S"] == width == 1:
        # The rows of a matrix product are interchangeable: lay them out as square as they go, so
        # that arrays which are parallel in both output dimensions are not idle in one of them.
        width = max(n for n in range(1, height + 1) if height % n == 0 and n * n <= height)
        height //= width
    channels, groups = (1, layer["C"]) if layer["depthwise"] else (layer["C"], 1)
    sizes = {
        "B": 1,
        "K": layer["K"],
        "G": groups,
        "OX": width,
        "OY": height,
        "C": channels,
        "FX": layer["S"],
        "FY": layer["R"],
    }
    return {
        "id": 0,
        "name": "depthwise" if layer["depthwise"] else "layer",
        "operator_type": "Conv",
        "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
        "dimension_relations": [
            f"ix={layer['stride']}*ox+1*fx",
            f"iy={layer['stride']}*oy+1*fy",
        ],
        "loop_dims": list(sizes),
        "loop_sizes": list(sizes.values()),
        "operand_precision": {"W": 8, "I": 8, "O": 16, "O_final": 8},
        "operand_source": {"W": 0, "I": 0},
    }


def with_depthwise(mapping: Any) -> Any:
    """A mapping that also says where depthwise layers go.

    Unless it has an entry ``depthwise``, they are mapped as convolutions, their channels (zigzag's
    groups, G) taking the place that the mapping gives to output channels (K).
    """
    entries = {entry["name"]: entry for entry in mapping}
    if "depthwise" in entries:
        return mapping
    entry = copy.deepcopy(entries["Conv"] if "Conv" in entries else entries["default"])
    entry["name"] = "depthwise"
    entry.pop("temporal_ordering", None)
    for key, old, new in (("spatial_mapping", "K,", "G,"), ("spatial_mapping_hint", "K", "G")):
        if entry.get(key):
            entry[key] = {
                dimension: [item.replace(old, new) for item in items]
                for dimension, items in entry[key].items()
            }
    return [*mapping, entry]


def _hardware(request: Request) -> Any:
    """The accelerator description; see `without_activations` for when it is changed."""
    hardware = yaml.safe_load(request["hardware"])
    if request["activations_on_chip"]:
        return without_activations(hardware, 8 * request["layer"]["activations"])
    return hardware


def without_activations(hardware: Any, bits: int) -> Any:
    """An accelerator that keeps the activations of a layer to itself, if they fit on the chip.

    They fit if a memory below the outermost one holds both input (I1) and output (O) and has the
    room. The outermost memory, which is the off-chip one, then serves the weights only.

    Args:
        hardware: The accelerator description.
        bits: Size of input and output together in bits.
    """
    *inner, (name, outermost) = hardware["memories"].items()
    if not any(
        {"I1", "O"} <= set(memory["operands"]) and bits <= memory["size"] for _, memory in inner
    ):
        return hardware

    def weights_only(items: list[str]) -> list[str]:
        return [item for item in items if item.split(",")[0] not in ("I1", "O")]

    ports = [
        {**port, "allocation": weights_only(port["allocation"])} for port in outermost["ports"]
    ]
    reduced = {
        **outermost,
        "operands": weights_only(outermost["operands"]),
        "ports": [port for port in ports if port["allocation"]],
    }
    return {**hardware, "memories": {**dict(inner), name: reduced}}


def _end_with_parent(parent: int) -> None:
    """End once the parent was killed: nobody would read the answer, which may take minutes."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main() -> None:
    """Answer requests until standard input ends."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers = sys.stdout
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            answer: dict[str, Any]
            try:
                answer = dict(zip(("cycles", "pj"), evaluate(json.loads(line)), strict=True))
            except Exception as error:  # zigzag raises whatever; the parent names layer and file
                answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
