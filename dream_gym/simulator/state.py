"""The state: everything that changes during a run, as the arrays that the engine writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dream_gym.compiling.jit import inlined
from dream_gym.simulator.arena import FLOAT, INT, Floats, Ints, Layout, Records, record_type
from dream_gym.simulator.problem import NONE, Problem

NOTES = 4
RECENT = 10
"""Resolved frames of a model whose outcomes are remembered."""

NEVER = np.iinfo(np.int64).max
"""The time of an event that does not come."""

UNDECIDED, MET, LOST, EXISTS = range(4)
"""Verdicts on a frame before its deadline; `EXISTS` is of no run, but of a future that is tried:
it is undecided, and need not be drawn to be known, see `futures.redraw`."""


RUN = record_type(
    now_ns="the clock",
    horizon_ns="end of the run",
    seed="seed of the world",
    decision_due="1 where the scheduler is to be asked before time goes on",
    live_count="number of live slots",
    free_count="number of free slots",
    releases="number of releases so far",
    dispatches="number of dispatches so far",
    last_start_ns="when the last dispatch starts; the next one's decision is taken after that",
    sharing="dispatches that have started and not ended; with contention",
    demand="bandwidth that these ask for, in 2^-20 bytes per ns; with contention",
    shared_ns="when their progress was last brought up to date; with contention",
    timeline_rows="rows of the record of dispatches",
    frame_rows="rows of the record of frames",
)
STATE_MODEL = record_type(
    frames="frames with a deadline within the horizon, known from the seed",
    waiting="live frames that are not executing",
    completed="frames completed, late ones too",
    lost="frames lost, for whatever reason",
    violations="violations decided so far",
    completed_energy_pj="energy of completed frames",
    late_energy_pj="energy of those of them that completed late",
    spent_energy_pj="energy of all dispatches",
    recent_losses="the last RECENT resolved frames as bits, the latest lowest; 1 where it was lost",
    scratch="what a scheduler keeps while it decides",
)
STATE_STREAM = record_type(
    next_frame="a root's next frame, counted in the stream",
    next_release_ns="release of a root's next frame, or NEVER",
    judged="the first frame whose deadline has not been judged, counted in the stream",
    judged_due_ns="its deadline, which is kept because it is asked for at every step; 0 at first",
)
STATE_NETWORK = record_type(
    completed="frames completed with this network",
)
SLOT = record_type(
    serial="number of the release that filled the slot, 0 where it is free",
    model="index of the model",
    stream="index of the stream",
    network="index of the network; the original one before the first dispatch",
    frame="index of the frame in its model",
    nominal_ns="nominal time of the root frame that it stems from",
    release_ns="when it was released",
    deadline_ns="when it is due",
    layer="the next layer; while the frame executes, the first one of the dispatch",
    ready_since_ns="when it last finished a layer, or was released",
    executing="1 while it executes",
    last_accelerator="where it executes or last did, or NONE",
    energy_pj="energy of its dispatches",
)
ACCELERATOR = record_type(
    busy_until_ns="end of what it runs, as expected now; NEVER where it is idle",
    busy_since_ns="when it was given what it runs",
    busy_ns="time of all dispatches that have ended",
    slot="slot that it runs or last ran",
    serial="serial of the frame that it runs or last ran, 0 before the first",
    layer="last layer of the block that it runs or last ran",
    start_ns="when what it runs starts, after the scheduler's time for the decision",
    started="1 once that is so; with contention",
    remaining="isolated time that is left of it, in 2^-20 ns; with contention",
    demand="bandwidth that it asks for, in 2^-20 bytes per ns; with contention",
    timeline_row="its row in the record of dispatches",
    finished="scratch: the slots of the frames that complete at this instant",
    scratch="what a scheduler keeps while it decides",
)


class Room(NamedTuple):
    """How much room a scheduler needs in a state.

    Args:
        parameters: Its parameters.
        memory: Numbers that it keeps during a run, by default two for each of 64 models, and some.
    """

    parameters: int = 16
    memory: int = 160


class State(NamedTuple):
    """The state of one run. A slot holds one live frame: released and neither complete nor lost."""

    run: Records
    """[1] of `RUN`: clock and counters."""
    parameter: Floats
    """[parameter] parameters of the scheduler, in the order of its options."""
    plan: Ints
    """[layer] what the scheduler has worked out before the run, see `engine.Engine`."""
    memory: Floats
    """[number] what the scheduler keeps during a run; zeros at its start."""
    notes: Floats
    """[slot, NOTES] what the scheduler keeps of a frame; zeros at its release."""
    models: Records
    """[model] of `STATE_MODEL`."""
    streams: Records
    """[stream] of `STATE_STREAM`."""
    networks: Records
    """[network] of `STATE_NETWORK`."""
    slots: Records
    """[slot] of `SLOT`."""
    accelerators: Records
    """[accelerator] of `ACCELERATOR`."""
    live: Ints
    """[slot] the live slots, by release, then model, then frame; ``live_count`` of them."""
    free: Ints
    """[slot] the free slots; ``free_count`` of them."""
    verdict: Ints
    """[stream, frame modulo ring] verdict on frames that are resolved before their deadline."""


STATE = Layout(
    State,
    dimensions=(
        "models_count",
        "streams_count",
        "networks_count",
        "layers_count",
        "accelerators_count",
        "slots_count",
        "ring",
        "parameters_count",
        "memory_count",
    ),
    tables={
        "parameter": (FLOAT, ("parameters_count",)),
        "plan": (INT, ("layers_count",)),
        "run": (RUN, (1,)),
        "memory": (FLOAT, ("memory_count",)),
        "models": (STATE_MODEL, ("models_count",)),
        "streams": (STATE_STREAM, ("streams_count",)),
        "networks": (STATE_NETWORK, ("networks_count",)),
        "slots": (SLOT, ("slots_count",)),
        "notes": (FLOAT, ("slots_count", NOTES)),
        "accelerators": (ACCELERATOR, ("accelerators_count",)),
        "live": (INT, ("slots_count",)),
        "free": (INT, ("slots_count",)),
        "verdict": (INT, ("streams_count", "ring")),
    },
)
view_state = STATE.viewer()
view_state_compiled = inlined(view_state)
"""The same for compiled code."""


def allocate_state(problem: Problem, room: Room) -> Ints:
    """An arena for the states of a problem; its size does not depend on the horizon."""
    models, accelerators = len(problem.models), problem.costs.shape[1]
    return STATE.allocate(
        models_count=models,
        streams_count=len(problem.streams),
        networks_count=len(problem.networks),
        layers_count=len(problem.layers),
        accelerators_count=accelerators,
        # Beyond its backlog limit a model may have frames that were executing at its last
        # release. A frame that completes gives its slot back only after it has released its
        # dependents, and a release takes its slot before it displaces another frame.
        slots_count=int(problem.models["backlog_limit"].sum()) + (models + 1) * accelerators + 1,
        ring=max(_frames_in_flight(problem, stream) for stream in range(len(problem.streams))) + 3,
        parameters_count=room.parameters,
        memory_count=room.memory,
    )


def _frames_in_flight(problem: Problem, stream: int) -> int:
    """Most frames of a stream that may be resolved while their deadlines lie ahead."""
    given = problem.streams[stream]
    root = problem.streams[given.root]
    if root.recorded_first == NONE:
        return int(given.deadline_ns // given.period_quotient_ns)
    if root.recorded_frames == 0:
        return 0
    recorded = slice(root.recorded_first, root.recorded_first + root.recorded_frames)
    nominal_ns = problem.recorded["nominal_ns"][recorded][:: given.root_ratio]
    last = np.searchsorted(nominal_ns, nominal_ns + given.deadline_ns, side="right")
    return int((last - np.arange(len(nominal_ns))).max())
