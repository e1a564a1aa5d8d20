"""``evolved`` as a built-in scheduler, whose rule comes from a file."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.reading.fields import SchemaVersion
from dream_gym.reading.resources import Config, read, shipped_folder
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.evolved.decide import decide, memory_of
from dream_gym.schedulers.evolved.expressions import Program, parameters_of, parse, text_of
from dream_gym.schedulers.evolved.machine import PARAMETERS
from dream_gym.schedulers.learned import SHIPPED
from dream_gym.simulator import Floats, Room

PREFIX = "evolved:"
"""``evolved:FILE`` may replace the id of a scheduler anywhere."""


def _checked(text: str) -> str:
    parse(text)
    return text


class RuleFile(Config):
    """A file with a rule, in JSON.

    Args:
        schema_version: Version of this file format, 1.
        rule: The score as an expression, see `expressions`.
        block_ms: The most time that a block of layers takes; 0 for single layers.
        about: Where the rule comes from; not read.
    """

    schema_version: SchemaVersion = Field(alias="schema", serialization_alias="schema")
    rule: Annotated[str, AfterValidator(_checked)]
    block_ms: float = Field(default=0.0, ge=0, le=1000)
    about: dict[str, Any] = Field(default_factory=dict)

    @property
    def program(self) -> Program:
        """The rule in postfix order."""
        return parse(self.rule)


def pack_rule(program: Program, block_ms: float, about: Mapping[str, Any]) -> bytes:
    """A rule as the content of a file."""
    file = RuleFile(schema=1, rule=text_of(program), block_ms=block_ms, about=dict(about))
    text = json.dumps(file.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def find_rule(reference: str) -> RuleFile:
    """The rule of a path or of ``shipped:NAME``.

    Raises:
        ConfigError: There is none, or the file is malformed.
    """
    if not reference.startswith(SHIPPED):
        return read(Path(reference), RuleFile)  # JSON is YAML
    name, names = reference.removeprefix(SHIPPED), shipped_rules()
    if name not in names:
        raise ConfigError(f"{SHIPPED}{shown(name)}: no such rule; {hint(name, names)}")
    return read(shipped_folder("rules") / f"{name}.json", RuleFile)


def shipped_rules() -> list[str]:
    """The names of the rules that come with this package."""
    return sorted(path.stem for path in shipped_folder("rules").glob("*.json"))


class EvolvedOptions(Options):
    """Options of `evolved`.

    Args:
        rule: Path of a file with a rule, or ``shipped:NAME`` for those that come with this package.
    """

    rule: str = f"{SHIPPED}evolved"

    @functools.cached_property
    def _read(self) -> RuleFile:
        return find_rule(self.rule)

    def parameters(self) -> Floats:
        """Header and program, as `machine` lays them out."""
        return parameters_of(self._read.program, self._read.block_ms)

    def room(self, models: int, accelerators: int) -> Room:
        """For any program, and for what it keeps while it decides."""
        return Room(PARAMETERS, memory_of(models, accelerators))

    def identity(self) -> dict[str, str]:
        """The rule itself."""
        return {"expression": self._read.rule, "block_ms": repr(self._read.block_ms)}


EVOLVED = BuiltinScheduler(
    "evolved", decide, EvolvedOptions, family="learned", label="a score that is an expression"
)
