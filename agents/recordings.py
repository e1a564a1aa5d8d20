"""Recorded choices of many runs, as arrays to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dream_gym.schedulers.learned.decide import (
    DROP_SCORE,
    NO_CHOICE,
    PUT_OFF,
    ROW,
    WIDTH,
    Places,
    places_of,
)
from dream_gym.schedulers.learned.features import BUSY, CONTEXT, IDLE, PAIR
from dream_gym.schedulers.learned.network import (
    CONTEXT_AT,
    DISPATCHES,
    DROPS,
    FRAME_AT,
    INPUTS,
    WAITS,
)
from dream_gym.schedulers.learned.recording import (
    CHOICE,
    COUNT,
    GRID,
    HEAD,
    NOTED,
    SEEN,
    TIME_NS,
    UNKNOWN,
    tape_of,
)
from dream_gym.simulator import Floats, Ints, Simulation


class Choices(NamedTuple):
    """Recorded choices; an option is one of the ways to go on that a choice was made among.

    Args:
        times_ns: When the choices were made, int64 (choices,).
        sizes: How many options each had, int64 (choices,).
        taken: Which of them was taken, int64 (choices,).
        inputs: Inputs of the network for all options, one choice's after another's, float32
            (options, inputs).
        kinds: Their kinds, int64 (options,).
        frames: Which of the choice's frames they are of, -1 for none, int64 (options,).
    """

    times_ns: Ints
    sizes: Ints
    taken: Ints
    inputs: NDArray[np.float32]
    kinds: Ints
    frames: Ints

    @property
    def choice(self) -> Ints:
        """Which choice each option belongs to, int64 (options,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def taken_options(self) -> Ints:
        """The options taken, among all, int64 (choices,)."""
        options: Ints = np.cumsum(self.sizes) - self.sizes + self.taken
        return options

    def some(self, picked: Ints) -> Choices:
        """Some of the choices, by their indices, which may be named twice."""
        firsts, sizes = (np.cumsum(self.sizes) - self.sizes)[picked], self.sizes[picked]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        options = np.repeat(firsts, sizes) + within
        return Choices(
            self.times_ns[picked],
            sizes,
            self.taken[picked],
            self.inputs[options],
            self.kinds[options],
            self.frames[options],
        )


def joined(parts: Sequence[Choices]) -> Choices:
    """All choices of several recordings."""
    return Choices(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def decided(choices: Choices, scores: NDArray[np.float32]) -> Ints:
    """What `learned` decides by scores of the options, as options within each choice.

    A frame whose best option is a busy accelerator waits for it; of all others the best counts.
    """
    choice = choices.choice
    frames = int(choices.frames.max(initial=0)) + 2
    of_frame = choice * frames + choices.frames + 1
    best = np.full(len(choices.sizes) * frames, -np.inf, dtype=np.float32)
    np.maximum.at(best, of_frame, scores)
    waiting = np.zeros(len(best), dtype=bool)
    busy = choices.inputs[:, BUSY] != 0.0
    waiting[of_frame[busy & (scores == best[of_frame])]] = True
    open_scores = np.where(waiting[of_frame], -np.inf, scores)
    firsts = np.cumsum(choices.sizes) - choices.sizes
    highest = np.maximum.reduceat(open_scores, firsts)
    at = np.flatnonzero((open_scores == highest[choice]) & ~waiting[of_frame])
    _, first = np.unique(choice[at], return_index=True)
    found: Ints = at[first] - firsts
    return found


class Recording(NamedTuple):
    """What a run has recorded.

    Args:
        choices: A uniform sample of its choices.
        seen: How many it made.
        unknown: How many of the sample are left out, since `learned` has no such choice.
        factors: UXCost's factors at times 0, 1/GRID, ... 1 of the run, float64 (GRID + 1, 2).
    """

    choices: Choices
    seen: int
    unknown: int
    factors: Floats


def read_recording(simulation: Simulation, hidden: int, capacity: int) -> Recording:
    """The recording of a run that has ended.

    Args:
        simulation: The run, of a `sampler` or of a scheduler that is `recorded`.
        hidden: Hidden units of the sampler; 0 for others.
        capacity: How many choices it could keep.
    """
    state = simulation.state
    places = places_of(hidden, len(state.models), len(state.accelerators), True)
    tape = tape_of(places, capacity)
    seen = int(state.memory[tape.counters + SEEN])
    kept = min(seen, capacity)
    records = state.memory[tape.records : tape.records + kept * tape.step]
    records = records.reshape(kept, tape.step)
    known = records[records[:, CHOICE] != UNKNOWN]
    choices = _choices(known, places, len(state.models), len(state.accelerators))
    factors = np.empty((GRID + 1, 2))
    factors[:GRID] = state.memory[tape.factors : tape.counters].reshape(GRID, 2)
    factors[int(state.memory[tape.counters + NOTED]) :] = _last_factors(simulation)
    return Recording(choices, seen, kept - len(known), factors)


def _last_factors(simulation: Simulation) -> tuple[float, float]:
    """UXCost's factors at the end."""
    every = simulation.state.models
    models = every[every["frames"] > 0]
    rates = float((np.maximum(models["violations"], 0.5) / models["frames"]).sum())
    return rates, simulation.uxcost() / rates


def _choices(records: Floats, places: Places, models: int, accelerators: int) -> Choices:
    """The choices of records, (choices, step)."""
    frames, body = 2 * models, records[:, HEAD:]
    rows = body[:, places.rows : places.coming].reshape(-1, frames, WIDTH)
    pairs = body[:, places.pairs : places.scores].reshape(-1, frames, accelerators, PAIR)
    there = np.arange(frames) < records[:, COUNT, np.newaxis]
    there &= rows[:, :, PUT_OFF] == 0.0
    waits = np.flatnonzero(body[:, IDLE] < 1.0)
    dropped, dropped_frame = np.nonzero(there & (rows[:, :, DROP_SCORE] != NO_CHOICE))
    sent, sent_frame = np.nonzero(there)
    sent, sent_frame = np.repeat(sent, accelerators), np.repeat(sent_frame, accelerators)
    where = np.tile(np.arange(accelerators), len(sent) // max(accelerators, 1))

    choice = np.concatenate([waits, dropped, sent])
    kinds = np.repeat([WAITS, DROPS, DISPATCHES], [len(waits), len(dropped), len(sent)])
    frame = np.concatenate([np.full(len(waits), -1), dropped_frame, sent_frame])
    codes = np.concatenate(
        [
            np.zeros(len(waits)),
            1 + dropped_frame,
            1 + frames + sent_frame * accelerators + where,
        ]
    )
    inputs = np.zeros((len(choice), INPUTS), dtype=np.float32)
    inputs[:, CONTEXT_AT:] = body[choice, :CONTEXT]
    own = kinds != WAITS
    inputs[own, FRAME_AT:CONTEXT_AT] = rows[choice[own], frame[own], ROW:]
    inputs[kinds == DISPATCHES, :PAIR] = pairs[sent, sent_frame, where]

    order = np.argsort(choice, kind="stable")
    sizes = np.bincount(choice, minlength=len(records))
    taken = np.flatnonzero(codes[order] == records[choice[order], CHOICE])
    return Choices(
        records[:, TIME_NS].astype(np.int64),
        sizes,
        taken - (np.cumsum(sizes) - sizes),
        inputs[order],
        kinds[order],
        frame[order],
    )
