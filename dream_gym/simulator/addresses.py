"""Runs by address, so that a batch of them is one matrix of numbers, whatever their sizes."""

from __future__ import annotations

import numpy as np

from dream_gym.compiling.jit import inlined
from dream_gym.simulator.arena import Ints, ints_at
from dream_gym.simulator.dispatching import TIMELINE_COLUMNS
from dream_gym.simulator.frames import FRAME_COLUMNS

RUN_WORDS = 8
_DISPATCH, _FRAME = len(TIMELINE_COLUMNS), len(FRAME_COLUMNS)


def addresses_of(problem_arena: Ints, state_arena: Ints, timeline: Ints, frames: Ints) -> Ints:
    """Address and length of the four arrays of a run: int64, `RUN_WORDS`.

    It holds for as long as the arrays exist.
    """
    arrays = problem_arena, state_arena, timeline, frames
    return np.array([(array.ctypes.data, len(array)) for array in arrays]).ravel()


@inlined
def arenas_at(run: Ints) -> tuple[Ints, Ints]:
    """The arenas of problem and state."""
    return ints_at(run[0], (run[1],)), ints_at(run[2], (run[3],))


@inlined
def records_at(run: Ints) -> tuple[Ints, Ints]:
    """The records of dispatches and of frames."""
    return ints_at(run[4], (run[5], _DISPATCH)), ints_at(run[6], (run[7], _FRAME))
