"""SGPRS: stages with virtual deadlines of their own, and two levels of priority.

After "SGPRS: Seamless GPU Partitioning Real-Time Scheduler for Periodic Deep Learning Workloads"
(2024); adapted for layer-granular dispatch on fixed heterogeneous accelerators, which stand for the
partitions of a GPU. A network is cut into stages of equal mean latency, a layer belonging to the
stage in which it ends; the window from release to deadline is shared out equally over the stages.
Priority is high for the last stage, and for a frame whose previous stage ended after its virtual
deadline; else low. Within a priority: earliest virtual deadline of the stage first.
"""

from __future__ import annotations

from pydantic import Field

from dream_gym.compiling.jit import inlined
from dream_gym.schedulers.builtin import BuiltinScheduler
from dream_gym.schedulers.measures import latency_after_ns, whole_latency_ns, window_ns
from dream_gym.schedulers.placement import PLACEMENT, EftPlacement, any_idle, place
from dream_gym.simulator import NONE, Decision, Problem, State, dispatch, wait

STAGES = 1
SEEN, LATE = range(2)  # of the notes on a frame


class SgprsOptions(EftPlacement):
    """Options of `sgprs`.

    Args:
        placement: See `placement.IdlePlacement`.
        stages: The number of stages of a network.
    """

    stages: int = Field(default=4, ge=1, le=16)


@inlined
def decide(problem: Problem, state: State) -> Decision:
    """Dispatch the first frame that can be placed: by priority, then by its stage's deadline."""
    if not any_idle(state):
        return wait()
    rule, stages = int(state.parameter[PLACEMENT]), int(state.parameter[STAGES])
    chosen, chosen_accelerator, chosen_low, chosen_due = NONE, NONE, False, 0
    for at in range(state.run[0].live_count):
        slot = state.live[at]
        if state.slots[slot].executing:
            continue
        layer = state.slots[slot].layer
        stage = _stage(problem, state, slot, stages)
        _note(state, slot, stage, stages)
        low = stage < stages and state.notes[slot, LATE] == 0
        due_ns = _due_ns(state, slot, stage, stages)
        if chosen == NONE or low < chosen_low or (low == chosen_low and due_ns < chosen_due):
            accelerator = place(problem, state, layer, rule)
            if accelerator != NONE:
                chosen, chosen_accelerator = slot, accelerator
                chosen_low, chosen_due = low, due_ns
    return wait() if chosen == NONE else dispatch(chosen, chosen_accelerator)


@inlined
def _stage(problem: Problem, state: State, slot: int, stages: int) -> int:
    """The stage in which a frame's next layer ends, from 1 to `stages`."""
    whole = whole_latency_ns(problem, state, slot)
    done = whole - latency_after_ns(problem, state.slots[slot].layer)
    return (stages * done + whole - 1) // whole


@inlined
def _due_ns(state: State, slot: int, stage: int, stages: int) -> int:
    """The virtual deadline of a stage."""
    left_ns = window_ns(state, slot) * (stages - stage) // stages
    return int(state.slots[slot].deadline_ns - left_ns)


@inlined
def _note(state: State, slot: int, stage: int, stages: int) -> None:
    """At the first sight of a frame in a stage, note whether the one that it left was late."""
    seen = int(state.notes[slot, SEEN])
    if seen == stage:
        return
    state.notes[slot, SEEN] = stage
    if seen > 0:
        due_ns = _due_ns(state, slot, seen, stages)
        state.notes[slot, LATE] = state.slots[slot].ready_since_ns > due_ns


SGPRS = BuiltinScheduler(
    "sgprs", decide, SgprsOptions, family="rival", label="SGPRS: stages with virtual deadlines"
)
