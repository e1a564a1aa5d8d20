"""Decision points: what an environment can be returned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dream_gym.envs.sampling import Drawn
from dream_gym.errors import EnvStateError
from dream_gym.simulator import Ints

_FREE = "render_mode"
"""The argument that may differ between the environment of a snapshot and that where it is set."""


@dataclass(frozen=True)
class EnvState:
    """A decision point, made by ``get_state``; nothing in it is shared with a running episode.

    Args:
        maker: Class of the environment.
        arguments: Its arguments.
        drawn: What the episode plays in.
        arena: The state of the simulation.
        records: Its records of dispatches and of frames.
        buffers: The buffers of the environment, but for addresses.
        generator: State of its random generator.
        asked: Which expert has a memory of the run in its state, if any.
    """

    maker: str
    arguments: Mapping[str, Any]
    drawn: Drawn
    arena: Ints
    records: tuple[Ints, Ints]
    buffers: Mapping[str, NDArray[Any]]
    generator: Mapping[str, Any]
    asked: Any = None

    def check(self, maker: str, arguments: Mapping[str, Any]) -> None:
        """Raise `EnvStateError` unless an environment like the one it was taken from asks."""
        if maker != self.maker:
            raise EnvStateError(f"set_state: this is a snapshot of {self.maker}, not of {maker}")
        for name, value in arguments.items():
            given = self.arguments.get(name)
            if name != _FREE and value is not given and value != given:
                raise EnvStateError(
                    f"set_state: {name} is {value!r} here, and {given!r} where the snapshot was "
                    "taken; make both environments with the same arguments"
                )
        if arguments[_FREE] is not None and not len(self.records[1]):
            raise EnvStateError(
                f"set_state: {_FREE} needs a snapshot of a recorded episode: take it from an "
                f"environment with {_FREE}, or after reset(options={{'record': True}})"
            )
