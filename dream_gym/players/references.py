"""The one way from a reference to a player."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dream_gym.errors import ConfigError
from dream_gym.players import custom
from dream_gym.players.custom import PythonPlayer, python_player
from dream_gym.players.player import Player
from dream_gym.players.rollout import PREFIX as ROLLOUT
from dream_gym.players.rollout import rollout_player
from dream_gym.players.run_folder import RunFolder
from dream_gym.players.scheduler import CompiledPlayer, OptionValue
from dream_gym.reading.python_reference import PythonReference
from dream_gym.schedulers import (
    EVOLVED,
    EVOLVED_PREFIX,
    LEARNED,
    LEARNED_PREFIX,
    SHIPPED,
    BuiltinScheduler,
    Scheduler,
    get_scheduler,
    tuned,
)

AGENT = "agent:"
PYTHON = custom.PREFIX
TUNED = tuned.PREFIX
_FILES = (TUNED, LEARNED_PREFIX, EVOLVED_PREFIX)
"""What references to files of a scheduler begin with."""


def make_player(
    reference: str | BuiltinScheduler | Scheduler,
    options: dict[str, OptionValue] | None = None,
    *,
    name: str = "",
    folder: Path | None = None,
) -> Player:
    """Make a player from a reference.

    Args:
        reference: The id of a scheduler; ``tuned:FILE``, options that `dream-gym tune` has found;
            ``learned:FILE``, weights of the scheduler `learned`; ``evolved:FILE``, a rule of the
            scheduler `evolved`; ``shipped:NAME``, weights or a rule of this package;
            ``rollout:BASE``, a planner over any of these; ``python:MODULE.CLASS``, a `Scheduler` or
            a player of your own; ``agent:FOLDER``, the run folder of a trained agent; or a
            scheduler object.
        options: Options of a scheduler, of a planner and its scheduler, or arguments of the class.
        name: What tables call it, by default a short form of the reference.
        folder: Where relative paths start and modules are looked for first, by default the working
            directory.

    Raises:
        ConfigError: There is no such player, or an option is malformed.
    """
    options = options or {}
    if isinstance(reference, Scheduler):
        _refuse(options, "this is a scheduler object: give them to its constructor")
        return PythonPlayer(reference, name=name)
    if isinstance(reference, BuiltinScheduler):
        return CompiledPlayer(reference, options, name=name)
    if not isinstance(reference, str):
        raise ConfigError(f"scheduler: expected a reference or a scheduler, got {reference!r}")
    if reference.startswith(AGENT):
        _refuse(options, f"{reference}: an agent takes none")
        return _agent(_below(folder, reference.removeprefix(AGENT)), name)
    if reference.startswith(PYTHON):
        return python_player(python_reference(reference, folder), options, name)
    if reference.startswith(ROLLOUT):
        base = reference.removeprefix(ROLLOUT)
        name = name or short_name(reference)
        return rollout_player(_compiled_scheduler(base, folder), options, name)
    return CompiledPlayer(_compiled_scheduler(reference, folder), options, name=name)


def check_reference(
    reference: str, options: dict[str, OptionValue], *, folder: Path | None = None
) -> None:
    """Check a reference as far as possible without running the user's code.

    Raises:
        ConfigError: There is no such player, or an option is malformed.
    """
    if reference.startswith(PYTHON):
        python_reference(reference, folder)
    elif reference.startswith(AGENT):
        _refuse(options, f"{reference}: an agent takes none")
    else:
        make_player(reference, options, folder=folder)


def python_reference(reference: str, folder: Path | None) -> PythonReference:
    """The class that ``python:MODULE.CLASS`` names, not yet imported.

    Raises:
        ConfigError: It is not such a name.
    """
    folders = dict.fromkeys(str(path) for path in ((folder or Path()).absolute(), Path.cwd()))
    try:
        return PythonReference(reference.removeprefix(PYTHON), tuple(folders))
    except ValueError as error:
        raise ConfigError(f"scheduler: {PYTHON} {error}") from error


def short_name(reference: str) -> str:
    """What tables call a player of this reference: of a path, the last part."""
    if reference.startswith(ROLLOUT):
        return f"{ROLLOUT}{short_name(reference.removeprefix(ROLLOUT))}"
    for prefix in (*_FILES, AGENT, SHIPPED):
        if reference.startswith(prefix):
            return Path(reference.removeprefix(prefix)).name
    return reference


def _agent(folder: Path, name: str) -> Player:
    """The agent of a run folder."""
    run = RunFolder.open(folder)
    prefixes = {LEARNED.name: LEARNED_PREFIX, EVOLVED.name: EVOLVED_PREFIX}
    if run.card.loader in prefixes:
        prefix = prefixes[run.card.loader]
        scheduler = get_scheduler(f"{prefix}{run.path_of(run.playable)}")
        name = name or f"{run.card.algorithm} ({folder.resolve().name})"
        return CompiledPlayer(scheduler, name=name)
    from dream_gym.players.agent import AgentPlayer  # with the environments, which take time

    return AgentPlayer(folder, name=name)


def _compiled_scheduler(reference: str, folder: Path | None) -> BuiltinScheduler:
    """The compiled scheduler of an id or of a file.

    Raises:
        ConfigError: There is none, or the reference is that of another kind of player.
    """
    for prefix in (AGENT, PYTHON, ROLLOUT):
        if reference.startswith(prefix):
            raise ConfigError(
                f"{ROLLOUT}{reference}: only compiled schedulers can be played on, such as "
                f"{ROLLOUT}dream_full"
            )
    for prefix in _FILES:
        if reference.startswith(prefix):
            reference = f"{prefix}{_below(folder, reference.removeprefix(prefix))}"
    return get_scheduler(reference)


def _refuse(options: dict[str, Any], why: str) -> None:
    if options:
        raise ConfigError(f"options: {', '.join(options)}: {why}")


def _below(folder: Path | None, path: str) -> Path:
    return (folder or Path()) / path
