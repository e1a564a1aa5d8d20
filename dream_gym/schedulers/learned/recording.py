"""What is seen and chosen at decisions, kept in the memory of a run for those who train `learned`.

A scheduler that records has the parameters of the recording ahead of its own ones. Of more choices
than there is room for, a uniform sample is kept (algorithm R of Vitter, "Random sampling with a
reservoir", ACM TOMS 1985).
"""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.learned.decide import Places
from dream_gym.simulator import Floats, Problem, State
from dream_gym.simulator.accounting import judged_factors
from dream_gym.workload.chance import draw

TEMPERATURE, NOISE, CAPACITY, FROM_NS, RECORDING = range(5)
"""Parameters of a recording: how random choices are, the seed of what is random in [0, 2^53), how
many choices are kept, and the time before which none is random or kept."""

GRID = 100
"""Times of a run, at equal distances from 0 on, at which UXCost's two factors are noted."""

NOTED, SEEN, DRAWN, COUNTERS = range(4)
"""Counters: of times noted, of choices seen, of random numbers drawn."""

TIME_NS, COUNT, CHOICE, HEAD = range(4)
"""The head of a record: when it was, how many frames there were to choose from, what was chosen.
A choice is 0 to wait, 1 + i to drop frame i, 1 + frames + i * accelerators + a to dispatch frame i
to accelerator a, where there is room for so many frames."""

UNKNOWN = -1
"""A choice of another scheduler that `learned` does not have."""


class Tape(NamedTuple):
    """Where a recording lies in the memory, behind what `learned` writes at a decision."""

    factors: int
    """[GRID, 2] UXCost's two factors."""
    counters: int
    """[COUNTERS]"""
    records: int
    """[capacity, step] of a head, and what `learned` had written, up to the scores."""
    step: int
    end: int


def tape_of(places: Places, capacity: int) -> Tape:
    """Where a recording of so many choices lies."""
    counters = places.end + 2 * GRID
    records, step = counters + COUNTERS, HEAD + places.scores
    return Tape(places.end, counters, records, step, records + capacity * step)


tape_of_compiled = inlined(tape_of)
"""The same for compiled code."""


@inlined
def note_factors(problem: Problem, state: State, memory: Floats, tape: Tape) -> None:
    """Note UXCost's two factors, unless that was done for this time of the grid."""
    run = state.run[0]
    passed = 1 + run.now_ns * GRID // run.horizon_ns
    noted = int(memory[tape.counters + NOTED])
    if noted < passed:
        rates, energies = judged_factors(problem, state)
        for at in range(noted, passed):
            memory[tape.factors + 2 * at] = rates
            memory[tape.factors + 2 * at + 1] = energies
        memory[tape.counters + NOTED] = passed


@compiled
def keep_choice(
    state: State, memory: Floats, places: Places, tape: Tape, count: int, choice: int
) -> None:
    """Keep what was seen and chosen, if it falls into the sample.

    Args:
        state: The state, whose parameters begin with those of the recording.
        memory: The memory.
        places: Where `learned` has written what it saw.
        tape: Where the recording lies.
        count: How many frames there were to choose from.
        choice: What was chosen, see `CHOICE`.
    """
    if state.run[0].now_ns < state.parameter[FROM_NS]:
        return
    seen, capacity = int(memory[tape.counters + SEEN]), int(state.parameter[CAPACITY])
    memory[tape.counters + SEEN] = seen + 1
    at = seen
    if seen >= capacity:
        word = draw(int(state.parameter[NOISE]), 1, 0, 0, seen)
        at = int(word >> 1) % (seen + 1)
        if at >= capacity:
            return
    first = tape.records + at * tape.step
    memory[first + TIME_NS] = state.run[0].now_ns
    memory[first + COUNT], memory[first + CHOICE] = count, choice
    first += HEAD
    for index in range(places.scores):
        memory[first + index] = memory[index]
