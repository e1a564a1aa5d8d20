"""Who decides: one module a scheduler."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.reading import resources
from dream_gym.schedulers.builtin import BuiltinScheduler, Family
from dream_gym.schedulers.custom import Scheduler, make_python_engine
from dream_gym.schedulers.evolved import EVOLVED, shipped_rules
from dream_gym.schedulers.evolved import PREFIX as EVOLVED_PREFIX
from dream_gym.schedulers.learned import LEARNED, SHIPPED
from dream_gym.schedulers.learned import PREFIX as LEARNED_PREFIX
from dream_gym.schedulers.tuned import PREFIX, read_tuned
from dream_gym.schedulers.view import Dispatch, Drop, ReadyFrame, View

MODULES = (
    "fcfs",
    "edf",
    "llf",
    "sjf",
    "fcfs_static",
    "heft_rt",
    "prema",
    "planaria",
    "veltair",
    "herald",
    "moca",
    "sgprs",
    "evdf",
    "dysta",
    "dream.mapscore",
    "dream.smartdrop",
    "dream.full",
    "dream.online",
    "dream.plus",
    "learned",
    "evolved",
)
"""The modules of the built-in schedulers, one each, in the order of listings; add yours."""


def _built_in() -> Iterator[BuiltinScheduler]:
    for module in MODULES:
        for value in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(value, BuiltinScheduler):
                yield value


BUILTIN = {scheduler.name: scheduler for scheduler in _built_in()}
"""The built-in schedulers by id."""


def get_scheduler(name: str | BuiltinScheduler) -> BuiltinScheduler:
    """The built-in scheduler of an id or of a file; passes an object through.

    Args:
        name: An id, ``tuned:FILE``, ``learned:FILE``, ``evolved:FILE`` or ``shipped:NAME``.

    Raises:
        ConfigError: There is no such scheduler, or the file is malformed.
    """
    if isinstance(name, BuiltinScheduler):
        return name
    if not isinstance(name, str):
        raise ConfigError(f"scheduler: expected an id or a scheduler object, got {name!r}")
    if name.startswith(LEARNED_PREFIX):
        return replace(LEARNED, preset={"weights": name.removeprefix(LEARNED_PREFIX)})
    if name.startswith(EVOLVED_PREFIX):
        return replace(EVOLVED, preset={"rule": name.removeprefix(EVOLVED_PREFIX)})
    if name.startswith(SHIPPED) and name.removeprefix(SHIPPED) in shipped_rules():
        return replace(EVOLVED, preset={"rule": name})
    if name.startswith(SHIPPED):
        return replace(LEARNED, preset={"weights": name})
    if name.startswith(PREFIX):
        path = Path(name.removeprefix(PREFIX))
        tuned = read_tuned(path)
        if tuned.scheduler not in BUILTIN:
            raise ConfigError(
                f"{path}: scheduler: {shown(tuned.scheduler)} is no built-in scheduler; "
                + hint(tuned.scheduler, BUILTIN)
            )
        scheduler = BUILTIN[tuned.scheduler]
        resources.validate(tuned.options, scheduler.options, origin=f"{path}: options")
        return replace(scheduler, preset=dict(tuned.options))
    if name not in BUILTIN:
        raise ConfigError(
            f"scheduler: {shown(name)} is no built-in scheduler; {hint(name, BUILTIN)}"
        )
    return BUILTIN[name]


__all__ = [
    "BUILTIN",
    "EVOLVED",
    "EVOLVED_PREFIX",
    "LEARNED",
    "LEARNED_PREFIX",
    "SHIPPED",
    "BuiltinScheduler",
    "Dispatch",
    "Drop",
    "Family",
    "ReadyFrame",
    "Scheduler",
    "View",
    "get_scheduler",
    "make_python_engine",
]
