"""The state: everything that changes during a run, as the arrays that the engine writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dream_gym.simulator.arena import Floats, Ints, Layout
from dream_gym.simulator.problem import Problem

(
    NOW_NS,
    HORIZON_NS,
    SEED,
    DECISION_DUE,
    LIVE,
    FREE,
    SERIAL,
    DISPATCHES,
    TIMELINE_ROWS,
    FRAME_ROWS,
    SCALARS,
) = range(11)
"""Indices into `State.scalar`; `SCALARS` is their number."""

MAX_PARAMETERS = 16

NEVER = np.iinfo(np.int64).max
"""The time of an event that does not come."""

UNDECIDED, MET, LOST = range(3)
"""Verdicts on a frame before its deadline."""


class State(NamedTuple):
    """The state of one run. A slot holds one live frame: released and neither complete nor lost."""

    scalar: Ints
    """[SCALARS] clock, seed and counters."""
    parameter: Floats
    """[MAX_PARAMETERS] parameters of the scheduler, in the order that it documents."""
    frames: Ints
    """[model] number of frames with a deadline within the horizon, known from the seed."""
    next_frame: Ints
    """[model] index of the root's next frame."""
    next_release_ns: Ints
    """[model] release of the root's next frame, or `NEVER`."""
    waiting: Ints
    """[model] live frames that are not executing."""
    completed: Ints
    """[model] frames completed, late ones too."""
    lost: Ints
    """[model] frames lost, for whatever reason."""
    violations: Ints
    """[model] violations decided so far."""
    completed_energy_pj: Ints
    """[model] energy of completed frames."""
    spent_energy_pj: Ints
    """[model] energy of all dispatches."""
    judged: Ints
    """[model] the first frame whose deadline has not been judged."""
    verdict: Ints
    """[model, frame modulo ring] verdict on frames that are resolved before their deadline."""
    live: Ints
    """[slot] the live slots, by release, then model, then frame index; `LIVE` of them."""
    free: Ints
    """[slot] the free slots; `FREE` of them."""
    model: Ints
    """[slot]"""
    frame: Ints
    """[slot] index of the frame in its model."""
    serial: Ints
    """[slot] number of the release that filled the slot, never used again."""
    nominal_ns: Ints
    """[slot] nominal time of the root frame that it stems from."""
    release_ns: Ints
    """[slot]"""
    deadline_ns: Ints
    """[slot]"""
    layer: Ints
    """[slot] the layer that executes, or the next one to dispatch."""
    ready_since_ns: Ints
    """[slot] when it last finished a layer or was released."""
    executing: Ints
    """[slot] 1 while it executes."""
    last_accelerator: Ints
    """[slot] where it executes or last did, or `NONE`."""
    frame_energy_pj: Ints
    """[slot] energy of its dispatches."""
    busy_until_ns: Ints
    """[accelerator] end of the layer that it runs, `NEVER` when idle."""
    running: Ints
    """[accelerator] slot that it runs, or last ran."""
    running_serial: Ints
    """[accelerator] serial of the frame that it runs or last ran; 0 before the first."""
    running_layer: Ints
    """[accelerator] layer that it runs or last ran."""
    busy_ns: Ints
    """[accelerator] time of all its dispatches, switches included."""
    finished: Ints
    """[accelerator] scratch: the slots of frames that complete at this instant."""


_INTEGERS_BY_MODEL = (
    "frames next_frame next_release_ns waiting completed lost violations completed_energy_pj "
    "spent_energy_pj judged"
).split()
_INTEGERS_BY_SLOT = (
    "live free model frame serial nominal_ns release_ns deadline_ns layer ready_since_ns executing "
    "last_accelerator frame_energy_pj"
).split()
_INTEGERS_BY_ACCELERATOR = (
    "busy_until_ns running running_serial running_layer busy_ns finished"
).split()

STATE = Layout(
    State,
    dimensions=("models", "accelerators", "slots", "ring"),
    shapes={
        "scalar": (SCALARS,),
        "parameter": (MAX_PARAMETERS,),
        **{field: ("models",) for field in _INTEGERS_BY_MODEL},
        "verdict": ("models", "ring"),
        **{field: ("slots",) for field in _INTEGERS_BY_SLOT},
        **{field: ("accelerators",) for field in _INTEGERS_BY_ACCELERATOR},
    },
    floats=frozenset({"parameter"}),
)
view_state = STATE.viewer()


def allocate_state(problem: Problem) -> Ints:
    """An arena for the states of a problem; its size does not depend on the horizon."""
    models, accelerators = len(problem.first_layer), problem.latency_ns.shape[1]
    # Frames that are resolved before their deadline are as many as periods fit in a deadline.
    in_flight = problem.deadline_ns // problem.period_quotient_ns
    return STATE.allocate(
        models=models,
        accelerators=accelerators,
        # Beyond its backlog limit a model may have frames that were executing at its last
        # release. A frame that completes gives its slot back only after it has released its
        # dependents, and a release takes its slot before it displaces another frame.
        slots=int(problem.backlog_limit.sum()) + (models + 1) * accelerators + 1,
        ring=int(in_flight.max()) + 3,
    )
