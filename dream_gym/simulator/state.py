"""The state: everything that changes during a run, as the arrays that the engine writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dream_gym.jit import inlined
from dream_gym.simulator.arena import FLOAT, INT, Floats, Ints, Layout, Records, record_type
from dream_gym.simulator.problem import Problem

MAX_PARAMETERS = 16

NEVER = np.iinfo(np.int64).max
"""The time of an event that does not come."""

UNDECIDED, MET, LOST = range(3)
"""Verdicts on a frame before its deadline."""


RUN = record_type(
    now_ns="the clock",
    horizon_ns="end of the run",
    seed="seed of the world",
    decision_due="1 where the scheduler is to be asked before time goes on",
    live_count="number of live slots",
    free_count="number of free slots",
    releases="number of releases so far",
    dispatches="number of dispatches so far",
    timeline_rows="rows of the record of dispatches",
    frame_rows="rows of the record of frames",
)
STATE_MODEL = record_type(
    frames="frames with a deadline within the horizon, known from the seed",
    next_frame="index of a root's next frame",
    next_release_ns="release of a root's next frame, or NEVER",
    waiting="live frames that are not executing",
    completed="frames completed, late ones too",
    lost="frames lost, for whatever reason",
    violations="violations decided so far",
    completed_energy_pj="energy of completed frames",
    spent_energy_pj="energy of all dispatches",
    judged="index of the first frame whose deadline has not been judged",
)
SLOT = record_type(
    serial="number of the release that filled the slot, 0 where it is free",
    model="index of the model",
    frame="index of the frame in its model",
    nominal_ns="nominal time of the root frame that it stems from",
    release_ns="when it was released",
    deadline_ns="when it is due",
    layer="the layer that executes, or else the next one",
    ready_since_ns="when it last finished a layer, or was released",
    executing="1 while it executes",
    last_accelerator="where it executes or last did, or NONE",
    energy_pj="energy of its dispatches",
)
ACCELERATOR = record_type(
    busy_until_ns="end of the layer that it runs, NEVER where it is idle",
    slot="slot that it runs or last ran",
    serial="serial of the frame that it runs or last ran, 0 before the first",
    layer="layer that it runs or last ran",
    busy_ns="time of all its dispatches, switches included",
    finished="scratch: the slots of the frames that complete at this instant",
)


class State(NamedTuple):
    """The state of one run. A slot holds one live frame: released and neither complete nor lost."""

    run: Records
    """[1] of `RUN`: clock and counters."""
    parameter: Floats
    """[MAX_PARAMETERS] parameters of the scheduler, in the order of its options."""
    models: Records
    """[model] of `STATE_MODEL`."""
    slots: Records
    """[slot] of `SLOT`."""
    accelerators: Records
    """[accelerator] of `ACCELERATOR`."""
    live: Ints
    """[slot] the live slots, by release, then model, then frame; ``live_count`` of them."""
    free: Ints
    """[slot] the free slots; ``free_count`` of them."""
    verdict: Ints
    """[model, frame modulo ring] verdict on frames that are resolved before their deadline."""


STATE = Layout(
    State,
    dimensions=("models_count", "accelerators_count", "slots_count", "ring"),
    tables={
        "parameter": (FLOAT, (MAX_PARAMETERS,)),
        "run": (RUN, (1,)),
        "models": (STATE_MODEL, ("models_count",)),
        "slots": (SLOT, ("slots_count",)),
        "accelerators": (ACCELERATOR, ("accelerators_count",)),
        "live": (INT, ("slots_count",)),
        "free": (INT, ("slots_count",)),
        "verdict": (INT, ("models_count", "ring")),
    },
)
view_state = STATE.viewer()
view_state_compiled = inlined(view_state)
"""The same for compiled code."""


def allocate_state(problem: Problem) -> Ints:
    """An arena for the states of a problem; its size does not depend on the horizon."""
    models, accelerators = len(problem.models), problem.costs.shape[1]
    return STATE.allocate(
        models_count=models,
        accelerators_count=accelerators,
        # Beyond its backlog limit a model may have frames that were executing at its last
        # release. A frame that completes gives its slot back only after it has released its
        # dependents, and a release takes its slot before it displaces another frame.
        slots_count=int(problem.models["backlog_limit"].sum()) + (models + 1) * accelerators + 1,
        ring=max(_frames_in_flight(problem, model) for model in range(models)) + 3,
    )


def _frames_in_flight(problem: Problem, model: int) -> int:
    """Most frames of a model that may be resolved while their deadlines lie ahead."""
    given = problem.models[model]
    root = problem.models[given.root]
    if root.recorded_frames == 0:
        return int(given.deadline_ns // given.period_quotient_ns)
    recorded = slice(root.recorded_first, root.recorded_first + root.recorded_frames)
    nominal_ns = problem.recorded["nominal_ns"][recorded][:: given.root_ratio]
    last = np.searchsorted(nominal_ns, nominal_ns + given.deadline_ns, side="right")
    return int((last - np.arange(len(nominal_ns))).max())
