"""The errors that users of dream_gym see; every one says what is wrong, where, and what to do."""


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
