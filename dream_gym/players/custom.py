"""Schedulers and players of the user's own, written in Python."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, get_args

from dream_gym.errors import ConfigError, DreamGymError, SchedulerError, hint, shown
from dream_gym.hardware import Platform
from dream_gym.players.player import Player
from dream_gym.players.scheduler import EnginePlayer, OptionValue
from dream_gym.reading.python_reference import PythonReference
from dream_gym.schedulers import Family, Scheduler, make_python_engine
from dream_gym.simulator import Cell, Engine, Result
from dream_gym.workload import Scenario

PREFIX = "python:"
Recipe: TypeAlias = tuple[PythonReference, dict[str, OptionValue]]


class PythonPlayer(EnginePlayer):
    """A `Scheduler` in Python.

    Args:
        scheduler: The scheduler.
        name: What tables call it, by default as its class.
        made_by: The recipe by which another process rebuilds it; by default it is pickled itself.
    """

    def __init__(
        self, scheduler: Scheduler, *, name: str = "", made_by: Recipe | None = None
    ) -> None:
        super().__init__()
        self.name = name or type(scheduler).__name__
        _check_family(self.name, scheduler.family)
        self._scheduler = scheduler
        self._made_by = made_by

    @property
    def family(self) -> Family:
        """What its class says, by default one of the user's own."""
        return self._scheduler.family

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made by, and the digest of the file that it is written in."""
        return _settings(self._scheduler, self.family, self._made_by)

    def engine(self, scenario: Scenario, platform: Platform) -> Engine:
        """An engine that asks the scheduler."""
        return make_python_engine(self._scheduler, scenario, platform)

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Simulate the scheduler; see `Player.run`."""
        try:
            return super().run(cell, seed, seconds, record=record)
        except SchedulerError as error:
            raise SchedulerError(f"{cell.title}: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        if self._made_by is not None:
            return python_player, (*self._made_by, self.name)
        return _pickled, (self._scheduler, self.name)


class OwnPlayer:
    """A `Player` of the user's own.

    Args:
        player: The player.
        name: What tables call it, by default as it calls itself.
        made_by: The recipe by which another process rebuilds it.
    """

    def __init__(self, player: Player, *, name: str, made_by: Recipe) -> None:
        self.name = name or str(getattr(player, "name", type(player).__name__))
        _check_family(self.name, getattr(player, "family", "yours"))
        self._player = player
        self._made_by = made_by

    @property
    def family(self) -> Family:
        """What it says, by default one of the user's own."""
        family: Family = getattr(self._player, "family", "yours")
        return family

    @property
    def settings(self) -> dict[str, Any]:
        """What it is made by, the digest of the file that it is written in, and its own."""
        own = getattr(self._player, "settings", {})
        try:
            kept = json.loads(json.dumps(own))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{self.name}: settings: cannot be written as JSON: {error}"
            ) from error
        return {**_settings(self._player, self.family, self._made_by), "own": kept}

    def run(self, cell: Cell, seed: int, seconds: float, *, record: bool = False) -> Result:
        """Let it play; see `Player.run`."""
        try:
            result = self._player.run(cell, seed, seconds, record=record)
        except DreamGymError:
            raise
        except (Exception, SystemExit) as error:
            raise ConfigError(
                f"{self.name} in {cell.title}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(result, Result):
            raise ConfigError(f"{self.name} in {cell.title}: expected a Result, got {result!r}")
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return python_player, (*self._made_by, self.name)


def python_player(
    reference: PythonReference, options: dict[str, OptionValue], name: str = ""
) -> PythonPlayer | OwnPlayer:
    """Make a scheduler or a player of the user's own; this runs their code.

    Args:
        reference: A class, or a function that makes one.
        options: Its arguments, by name.
        name: What tables call it.

    Raises:
        ConfigError: It cannot be imported or made, or is neither a scheduler nor a player.
    """
    made, recipe = reference(**options), (reference, options)
    if isinstance(made, Scheduler):
        return PythonPlayer(made, name=name, made_by=recipe)
    if callable(getattr(made, "run", None)):
        return OwnPlayer(made, name=name, made_by=recipe)
    raise ConfigError(
        f"{PREFIX}{reference.name}: expected a dream_gym.Scheduler, or a player with a method run, "
        f"got {shown(made)}"
    )


def _check_family(name: str, family: object) -> None:
    families = get_args(Family)
    if family not in families:
        raise ConfigError(f"{name}: family: {shown(family)} is none; {hint(str(family), families)}")


def _pickled(scheduler: Scheduler, name: str) -> PythonPlayer:
    return PythonPlayer(scheduler, name=name)


def _settings(made: object, family: Family, recipe: Recipe | None) -> dict[str, Any]:
    cls = type(made)
    reference, options = recipe or (None, {})
    called = reference.name if reference else f"{cls.__module__}.{cls.__name__}"
    return {
        "scheduler": f"{PREFIX}{called}",
        "family": family,
        "options": options,
        "source_sha256": reference.source_digest() if reference else None,
    }
