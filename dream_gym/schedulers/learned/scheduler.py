"""``learned`` as a built-in scheduler, whose weights come from a file."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from pathlib import Path

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.reading.resources import shipped_folder
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.learned.decide import decide, memory_of
from dream_gym.schedulers.learned.weights import Weights, read_weights
from dream_gym.simulator import Floats, Room

PREFIX, SHIPPED = "learned:", "shipped:"
"""``learned:FILE`` and ``shipped:NAME`` may replace the id of a scheduler anywhere."""


def find_weights(reference: str) -> Weights:
    """The weights of a path or of ``shipped:NAME``.

    Raises:
        ConfigError: There are none, or the file is malformed.
    """
    return read_weights(_path(reference))[0]


def _path(reference: str) -> Path:
    if not reference.startswith(SHIPPED):
        return Path(reference)
    name, folder = reference.removeprefix(SHIPPED), shipped_folder("weights")
    names = sorted(path.stem for path in folder.glob("*.safetensors"))
    if name not in names:
        raise ConfigError(f"{SHIPPED}{shown(name)}: no such weights; {hint(name, names)}")
    return folder / f"{name}.safetensors"


class LearnedOptions(Options):
    """Options of `learned`.

    Args:
        weights: Path of a file of weights, or ``shipped:NAME`` for those that come with this
            package.
    """

    weights: str = f"{SHIPPED}generalist"

    @functools.cached_property
    def _read(self) -> tuple[Weights, str]:
        return read_weights(_path(self.weights))

    def parameters(self) -> Floats:
        """Header and weights, as `network` lays them out."""
        return self._read[0].parameters.copy()

    def room(self, models: int, accelerators: int) -> Room:
        """For the weights, and for what it keeps while it decides."""
        weights = self._read[0]
        return Room(len(weights.parameters), memory_of(weights.hidden, models, accelerators))

    def identity(self) -> dict[str, str]:
        """The digest of the file."""
        return {"weights_sha256": self._read[1]}


LEARNED = BuiltinScheduler(
    "learned", decide, LearnedOptions, family="learned", label="a score whose weights are trained"
)


def learned_with(parameters: Floats) -> BuiltinScheduler:
    """`learned` with weights that are in no file.

    Args:
        parameters: Header and weights, as `network` lays them out.
    """

    class InMemory(LearnedOptions):
        weights: str = "in memory"

        @functools.cached_property
        def _read(self) -> tuple[Weights, str]:
            digest = hashlib.sha256(parameters.tobytes()).hexdigest()
            return Weights(parameters, {}), digest

    return replace(LEARNED, options=InMemory)
