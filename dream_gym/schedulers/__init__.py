"""Who decides: one module a scheduler."""

from dataclasses import replace
from pathlib import Path

from dream_gym import resources
from dream_gym.errors import ConfigError, hint, shown
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.custom import Scheduler, make_python_engine
from dream_gym.schedulers.dream.full import DREAM_FULL
from dream_gym.schedulers.dream.mapscore import DREAM_MAPSCORE
from dream_gym.schedulers.dream.online import DREAM_ONLINE
from dream_gym.schedulers.dream.plus import DREAM_PLUS
from dream_gym.schedulers.dream.smartdrop import DREAM_SMARTDROP
from dream_gym.schedulers.dysta import DYSTA
from dream_gym.schedulers.edf import EDF
from dream_gym.schedulers.evdf import EVDF
from dream_gym.schedulers.fcfs import FCFS
from dream_gym.schedulers.fcfs_static import FCFS_STATIC
from dream_gym.schedulers.heft_rt import HEFT_RT
from dream_gym.schedulers.herald import HERALD
from dream_gym.schedulers.llf import LLF
from dream_gym.schedulers.moca import MOCA
from dream_gym.schedulers.planaria import PLANARIA
from dream_gym.schedulers.prema import PREMA
from dream_gym.schedulers.sgprs import SGPRS
from dream_gym.schedulers.sjf import SJF
from dream_gym.schedulers.tuned import PREFIX, read_tuned
from dream_gym.schedulers.veltair import VELTAIR
from dream_gym.schedulers.view import Dispatch, Drop, ReadyFrame, View

BUILTIN = {
    scheduler.name: scheduler
    for scheduler in (
        FCFS,
        EDF,
        LLF,
        SJF,
        FCFS_STATIC,
        HEFT_RT,
        PREMA,
        PLANARIA,
        VELTAIR,
        HERALD,
        MOCA,
        SGPRS,
        EVDF,
        DYSTA,
        DREAM_MAPSCORE,
        DREAM_SMARTDROP,
        DREAM_FULL,
        DREAM_ONLINE,
        DREAM_PLUS,
    )
}
"""The built-in schedulers by id; add yours to the tuple."""


def get_scheduler(name: str | BuiltinScheduler) -> BuiltinScheduler:
    """The built-in scheduler of an id, or of ``tuned:FILE``; passes an object through.

    Raises:
        ConfigError: There is no such scheduler, or the file is malformed.
    """
    if isinstance(name, BuiltinScheduler):
        return name
    if not isinstance(name, str):
        raise ConfigError(f"scheduler: expected an id or a scheduler object, got {name!r}")
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
    "BuiltinScheduler",
    "Dispatch",
    "Drop",
    "Options",
    "ReadyFrame",
    "Scheduler",
    "View",
    "get_scheduler",
    "make_python_engine",
]
