"""What a built-in scheduler is: a compiled decision and the options that parametrise it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.simulator import Decide, Engine, Floats, Ints, Problem, Room, make_run

Family: TypeAlias = Literal["rule", "rival", "DREAM", "ours", "learned", "yours"]
"""Kinds of player: a rule orders frames by one number; a rival is another published scheduler;
DREAM is DREAM or a part of it; ours is a variant of this project; a learned one was trained; yours
is one of the user's own."""


class Options(Config):
    """Options of a scheduler; each field is a number or a choice between strings."""

    def parameters(self) -> Floats:
        """The options as the numbers that compiled code reads, in the order of the fields.

        A choice becomes its position among the choices.
        """
        values = []
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            choices = get_args(info.annotation)
            values.append(float(choices.index(value) if isinstance(value, str) else value))
        return np.array(values, dtype=np.float64)

    def room(self, models: int, accelerators: int) -> Room:
        """What the scheduler needs in a state of so many models and accelerators."""
        return Room()

    def identity(self) -> dict[str, str]:
        """What a run depends on beside the options as given, ready for JSON."""
        return {}


_run = functools.cache(make_run)
"""Schedulers that differ in their presets share one."""


@dataclass(frozen=True)
class BuiltinScheduler:
    """A scheduler that is compiled into an engine of its own.

    Args:
        name: Its id.
        family: What kind it is of, see `Family`.
        label: What it is, in a few words.
        decide: The compiled decision.
        options: The class of its options.
        prepare: What it computes before a run, see `Engine`.
        preset: Options that replace the defaults where none are given, see `TunedFile`.
    """

    name: str
    decide: Decide
    options: type[Options] = Options
    prepare: Callable[[Problem, Floats], Ints] | None = None
    family: Family = field(kw_only=True)
    label: str = field(kw_only=True)
    preset: dict[str, int | float | str] = field(default_factory=dict)

    @functools.cached_property
    def engine(self) -> Engine:
        """The engine around this scheduler, compiled or loaded from the cache at the first call."""
        return Engine(_run(self.name, self.decide), self.prepare)

    def configure(self, **options: Any) -> Options:
        """Validate options.

        Raises:
            ConfigError: Names the scheduler and the option at fault.
        """
        return resources.validate(
            {**self.preset, **options}, self.options, origin=f"scheduler {self.name}"
        )
