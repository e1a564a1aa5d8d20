"""The errors that users of dream_gym see; every one says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any


class DreamGymError(Exception):
    """Base of all errors that dream_gym raises on purpose."""


class ConfigError(DreamGymError, ValueError):
    """A file or an argument is malformed; the message names the file and the field."""


class SchedulerError(DreamGymError, RuntimeError):
    """A scheduler decided something impossible, such as a busy accelerator."""


class ActionError(DreamGymError, ValueError):
    """An action is not in the action space."""


class EnvStateError(DreamGymError, RuntimeError):
    """An environment was stepped before its reset or after its end."""


class InvariantError(DreamGymError, AssertionError):
    """A run broke a law of the simulator, which is a fault of dream_gym itself: report it."""


_MAX_BITS = 256
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 3
_MANY = 100


def shown(value: Any) -> str:
    """A value as messages show it: short, on one line, and as YAML writes it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"a number of {value.bit_length()} bits"  # Python may refuse to write it down
    return " ".join(_SHORT.repr(value).split())


def plain(name: str) -> str:
    """A name in a message, without quotes unless it needs them."""
    return name if name.isprintable() and len(name) <= _SHORT.maxstring else shown(name)


def hint(name: str, known: Iterable[str]) -> str:
    """What a wrong name may have meant, or else the names that exist."""
    names = list(known)
    by_letters = {known_name.casefold(): known_name for known_name in names}
    wanted = name[:200].casefold()
    near = difflib.get_close_matches(wanted, by_letters, n=3, cutoff=0.6)
    near = near or difflib.get_close_matches(wanted, by_letters, n=3, cutoff=0.4)
    if near:
        return f"did you mean {' or '.join(plain(by_letters[letters]) for letters in near)}?"
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return f"known: {', '.join(map(plain, names[:_MANY])) or 'none'}{more}"
