"""``dream-gym schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic.json_schema import GenerateJsonSchema

from dream_gym.analysis import Suite
from dream_gym.files import check_outputs, write_text
from dream_gym.hardware import Platform
from dream_gym.reading.resources import Config
from dream_gym.workload import Scenario

MODELS: dict[str, type[Config]] = {"scenario": Scenario, "platform": Platform, "suite": Suite}


def schema(
    kind: Annotated[Literal["scenario", "platform", "suite"], tyro.conf.Positional],
    /,
    output: Path = Path("-"),
) -> None:
    """Print the JSON Schema of a kind of file, with which an editor checks and completes it.

    Args:
        kind: What the files describe.
        output: The file to write it to, by default standard output.
    """
    check_outputs(output)
    dialect = {"$schema": GenerateJsonSchema.schema_dialect}
    text = json.dumps(dialect | MODELS[kind].model_json_schema(), indent=1)
    write_text(output, text + "\n")
