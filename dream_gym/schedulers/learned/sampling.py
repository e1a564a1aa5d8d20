"""Schedulers that record: `learned` with random choices, and any other one as a teacher."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from dream_gym.compiling.jit import compiled, inlined
from dream_gym.schedulers.builtin import BuiltinScheduler, Options
from dream_gym.schedulers.dream.dropping import DROP_CAP, may_drop
from dream_gym.schedulers.learned.arithmetic import log2
from dream_gym.schedulers.learned.decide import (
    DROP_SCORE,
    FASTEST,
    NO_CHOICE,
    PUT_OFF,
    SLOT,
    WIDTH,
    Places,
    block_of,
    ends_of,
    look,
    pair_of,
    places_of,
    score,
)
from dream_gym.schedulers.learned.describing import scale_of
from dream_gym.schedulers.learned.features import IDLE, PAIR
from dream_gym.schedulers.learned.network import HIDDEN, count_parameters
from dream_gym.schedulers.learned.recording import (
    CAPACITY,
    DRAWN,
    FROM_NS,
    NOISE,
    RECORDING,
    TEMPERATURE,
    UNKNOWN,
    Tape,
    keep_choice,
    note_factors,
    tape_of,
    tape_of_compiled,
)
from dream_gym.schedulers.placement import any_idle, is_idle
from dream_gym.simulator import (
    DISPATCH,
    PASS,
    Decide,
    Decision,
    Floats,
    Ints,
    Problem,
    Room,
    State,
    drop,
    wait,
)
from dream_gym.workload.chance import draw

_places_of = inlined(places_of)
_LN2 = 0.6931471805599453
_LOG_WORD = 2.0**-53


@inlined
def _behind(state: State, parameters: int, memory: int) -> State:
    """The state as a scheduler sees it whose parameters and memory stand behind others."""
    return State(
        state.run,
        state.parameter[parameters:],
        state.plan,
        state.memory[memory:],
        state.notes,
        state.models,
        state.streams,
        state.networks,
        state.slots,
        state.accelerators,
        state.live,
        state.free,
        state.verdict,
    )


@inlined
def decide_at_random(problem: Problem, state: State) -> Decision:
    """Draw one of the choices that `learned` scores, by a softmax, and record it.

    A frame that is drawn on a busy accelerator is put off, and another draw is made without it.
    So at temperature 0 this is what `learned` decides: there, too, a frame waits whose best
    accelerator is busy, and of all others the highest score counts.
    """
    if not any_idle(state):
        return wait()
    own = _behind(state, RECORDING, 0)
    hidden = int(own.parameter[HIDDEN])
    places = _places_of(hidden, len(state.models), len(state.accelerators), True)
    memory, tape = state.memory, tape_of_compiled(places, int(state.parameter[CAPACITY]))
    count = look(problem, own, memory, places)
    if count == 0:
        return wait()
    note_factors(problem, state, memory, tape)
    wait_score = score(problem, own, own.parameter, memory, places, count)
    frames, accelerators = 2 * len(state.models), len(state.accelerators)
    for _ in range(count):
        choice, choices = draw_choice(state, places, tape, count, wait_score)
        if choices > 1:
            keep_choice(state, memory, places, tape, count, choice)
        if choice == 0:
            return wait()
        if choice <= frames:
            return drop(int(memory[places.rows + (choice - 1) * WIDTH + SLOT]))
        row = places.rows + (choice - 1 - frames) // accelerators * WIDTH
        accelerator = (choice - 1 - frames) % accelerators
        if is_idle(state, accelerator):
            return block_of(problem, own, int(memory[row + SLOT]), accelerator)
        memory[row + PUT_OFF] = 1.0
    return wait()


@compiled
def draw_choice(
    state: State, places: Places, tape: Tape, count: int, wait_score: float
) -> tuple[int, int]:
    """Draw a choice, see `recording.CHOICE`; return it, and among how many."""
    memory, accelerators = state.memory, len(state.accelerators)
    choices, best, best_score = 0, 0, NO_CHOICE
    if wait_score != NO_CHOICE:
        choices, best_score = 1, wait_score + noise(state, tape)
    for index in range(count):
        row, scores = places.rows + index * WIDTH, places.scores + index * accelerators
        if memory[row + PUT_OFF] != 0.0:
            continue
        if memory[row + DROP_SCORE] != NO_CHOICE:
            choices += 1
            own = memory[row + DROP_SCORE] + noise(state, tape)
            if own > best_score:
                best, best_score = 1 + index, own
        for accelerator in range(accelerators):
            choices += 1
            own = memory[scores + accelerator] + noise(state, tape)
            if own > best_score:
                best = 1 + 2 * len(state.models) + index * accelerators + accelerator
                best_score = own
    return best, choices


@inlined
def noise(state: State, tape: Tape) -> float:
    """The temperature times a draw of Gumbel's distribution.

    The highest of several scores with such noise is a draw from their softmax.
    """
    temperature = state.parameter[TEMPERATURE]
    if temperature == 0.0 or state.run[0].now_ns < state.parameter[FROM_NS]:
        return 0.0
    at = tape.counters + DRAWN
    word = draw(int(state.parameter[NOISE]), 0, 0, 0, int(state.memory[at]))
    state.memory[at] += 1
    uniform = (float(word >> np.uint64(11)) + 0.5) * _LOG_WORD
    return float(-temperature * _LN2 * log2(-_LN2 * log2(uniform)))


def sampler(hidden: int, capacity: int) -> BuiltinScheduler:
    """`learned` with random choices, which it records.

    Its parameters are those of the recording, then header and weights.

    Args:
        hidden: Hidden units of the network.
        capacity: How many choices it keeps.
    """

    class SamplerOptions(Options):
        def room(self, models: int, accelerators: int) -> Room:
            places = places_of(hidden, models, accelerators, True)
            return Room(RECORDING + count_parameters(hidden), tape_of(places, capacity).end)

    return BuiltinScheduler(
        "learned at random", decide_at_random, SamplerOptions, family="learned", label="a sampler"
    )


def recorded(teacher: BuiltinScheduler, capacity: int, **options: Any) -> BuiltinScheduler:
    """A scheduler that decides like another one, and records its choices as `learned` sees them.

    Its parameters are those of the recording, then the teacher's.

    Args:
        teacher: The other one.
        capacity: How many choices it keeps.
        **options: Options of the teacher.
    """
    configured = teacher.configure(**options)

    class RecordedOptions(Options):
        def parameters(self) -> Floats:
            own = np.zeros(RECORDING)
            own[CAPACITY] = capacity
            return np.concatenate([own, configured.parameters()])

        def room(self, models: int, accelerators: int) -> Room:
            own = tape_of(places_of(0, models, accelerators, True), capacity).end
            room = configured.room(models, accelerators)
            return Room(RECORDING + room.parameters, own + room.memory)

    plan = teacher.prepare

    def prepare(problem: Problem, parameters: Floats) -> Ints:
        assert plan is not None
        return plan(problem, parameters[RECORDING:])

    return replace(
        teacher,
        name=f"{teacher.name} recorded",
        decide=_recorded(teacher.decide),
        options=RecordedOptions,
        prepare=None if plan is None else prepare,
        preset={},
    )


@functools.cache
def _recorded(inner: Decide) -> Decide:
    """A decision that records another one."""

    @inlined  # as a function of its own it would have one name for all of them
    def decide(problem: Problem, state: State) -> Decision:
        places = _places_of(0, len(state.models), len(state.accelerators), True)
        memory, tape = state.memory, tape_of_compiled(places, int(state.parameter[CAPACITY]))
        count = 0
        if any_idle(state):
            count = look(problem, state, memory, places)
        if count > 0:
            note_factors(problem, state, memory, tape)
            look_at_pairs(problem, state, memory, places, count)
        decision = inner(problem, _behind(state, RECORDING, tape.end))
        if count > 0:
            choice = choice_of(state, memory, places, count, decision)
            keep_choice(state, memory, places, tape, count, choice)
        return decision

    return decide


@compiled
def look_at_pairs(
    problem: Problem, state: State, memory: Floats, places: Places, count: int
) -> None:
    """Write the features of all pairs, and which frames may be dropped."""
    accelerators, scale = len(state.accelerators), scale_of(problem)
    for index in range(count):
        row = places.rows + index * WIDTH
        slot = int(memory[row + SLOT])
        least = ends_of(problem, state, slot, int(memory[row + FASTEST]), memory, places)
        for accelerator in range(accelerators):
            at = places.pairs + (index * accelerators + accelerator) * PAIR
            pair = memory[at : at + PAIR]
            pair_of(problem, state, slot, accelerator, scale, memory, places, row, least, pair)
        droppable = may_drop(problem, state, slot, DROP_CAP)
        memory[row + DROP_SCORE] = 0.0 if droppable else NO_CHOICE


@inlined
def choice_of(state: State, memory: Floats, places: Places, count: int, decision: Decision) -> int:
    """A decision among the choices of `learned`, see `recording.CHOICE`."""
    if decision.kind == PASS:
        return UNKNOWN if memory[IDLE] == 1.0 else 0
    for index in range(count):
        row = places.rows + index * WIDTH
        if int(memory[row + SLOT]) == decision.slot:
            if decision.kind == DISPATCH:
                first = 1 + 2 * len(state.models) + index * len(state.accelerators)
                return int(first + decision.accelerator)
            if memory[row + DROP_SCORE] != NO_CHOICE:
                return 1 + index
    return UNKNOWN
