"""Files of tuned options; ``tuned:FILE`` may replace the id of a scheduler anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from dream_gym.reading import resources
from dream_gym.reading.fields import SchemaVersion
from dream_gym.reading.resources import Config

PREFIX = "tuned:"


class TunedFile(Config):
    """What ``dream-gym tune`` writes.

    Args:
        schema_version: Version of this file format, 1.
        scheduler: Id of the scheduler.
        options: Its options; defaults for those not named.
        found: Where they come from; not read.
    """

    schema_version: SchemaVersion = Field(alias="schema", serialization_alias="schema")
    scheduler: str
    options: dict[str, int | float | str]
    found: dict[str, Any] = Field(default_factory=dict)


def read_tuned(path: Path) -> TunedFile:
    """Read a file of tuned options.

    Raises:
        ConfigError: It cannot be read or is malformed; names the file and the field.
    """
    return resources.read(path, TunedFile)
