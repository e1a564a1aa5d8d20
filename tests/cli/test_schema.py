"""The JSON Schemas agree with the files that ship, and say no where the parser does."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest
import yaml

from dream_gym.analysis.suites.suite import Suite
from dream_gym.cli import main
from dream_gym.cli.schema import MODELS
from dream_gym.hardware import Chip, Platform
from dream_gym.reading import resources
from dream_gym.workload import Scenario

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
ANNOTATIONS = {"$defs", "$schema", "title", "description", "default", "format", "discriminator"}


def is_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (not isinstance(value, bool) or name == "boolean")


def valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Validate by the keywords that the schemas use; an unknown one is a KeyError."""

    def fits(part: dict[str, Any], item: Any = value) -> bool:
        return valid(item, part, root)

    def others(part: Any) -> bool:
        names = value.keys() - schema.get("properties", {}).keys()
        return not names if part is False else all(fits(part, value[name]) for name in names)

    checks = {
        "$ref": lambda part: fits(root["$defs"][part.removeprefix("#/$defs/")]),
        "type": lambda part: is_type(value, part),
        "const": lambda part: value == part,
        "enum": lambda part: value in part,
        "anyOf": lambda part: any(map(fits, part)),
        "oneOf": lambda part: sum(map(fits, part)) == 1,
        "required": lambda part: set(part) <= set(value),
        "properties": lambda part: all(fits(part[k], v) for k, v in value.items() if k in part),
        "additionalProperties": others,
        "items": lambda part: all(fits(part, item) for item in value),
        "minItems": lambda part: len(value) >= part,
        "maxItems": lambda part: len(value) <= part,
        "minProperties": lambda part: len(value) >= part,
        "minLength": lambda part: len(value) >= part,
        "minimum": lambda part: value >= part,
        "maximum": lambda part: value <= part,
        "exclusiveMinimum": lambda part: value > part,
        "exclusiveMaximum": lambda part: value < part,
    }
    keywords = sorted(schema.keys() - ANNOTATIONS, key=lambda keyword: keyword != "type")
    return all(checks[keyword](schema[keyword]) for keyword in keywords)


def generate(kind: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["schema", kind]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


@pytest.mark.parametrize("kind", MODELS)
def test_shipped_files_fit_the_schema(kind, tmp_path, capsys):
    schema = generate(kind, capsys)
    paths = list(resources.shipped_folder(f"{kind}s").glob("*.yaml"))
    assert paths
    paths += resources.shipped_folder("templates").glob(f"{kind}.yaml")
    for path in paths:
        assert valid(yaml.safe_load(path.read_text(encoding="utf-8")), schema, schema), path
    written = tmp_path / "new" / "schema.json"
    assert main(["schema", kind, "--output", str(written)]) == 0
    assert json.loads(written.read_text()) == schema


@pytest.mark.parametrize(
    ("kind", "classes"),
    [("scenario", [Scenario]), ("platform", [Platform, Chip]), ("suite", [Suite])],
)
def test_every_documented_key_is_there(kind, classes, capsys):
    schema = generate(kind, capsys)
    pages = "\n".join(inspect.getdoc(found) for found in classes)
    arguments = re.findall(r"^    (\w+): ", pages, flags=re.MULTILINE)
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    properties = (schema["$defs"][name] if name else schema)["properties"]
    assert set(properties) == {"schema", *arguments} - {"schema_version"}


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("kws_res8", "{onnx: my.onnx, sizes: {n: 3}}", True),
        ("kws_res8", "{name: gnmt, parameters: {tokens: 3}}", True),
        ("rate: 15", "rate: 15000/1001", True),
        ("kws_res8", "kws_res9", False),
        ("kws_res8", "[kws_res8]", False),
        ("rate: 15", "rate: 0", False),
        ("rate: 15", "fps: 15", False),
        ("schema: 1", "schema: 2", False),
        ("0.5", "1.5", False),
    ],
)
def test_the_schema_of_a_scenario(old, new, fits, capsys):
    schema = generate("scenario", capsys)
    text = resources.find("scenarios", "ar_call").read_text(encoding="utf-8")
    assert old in text
    assert valid(yaml.safe_load(text.replace(old, new, 1)), schema, schema) is fits
