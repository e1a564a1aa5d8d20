"""The problem: one scenario at one load on one platform, as the arrays that the engine reads."""

from __future__ import annotations

from typing import NamedTuple

from dream_gym.compiling.jit import inlined
from dream_gym.simulator.arena import INT, Ints, Layout, Records, record_type

NONE = -1

ACCURACY_UNITS = 1_000_000_000
"""The unit of a loss of accuracy is one part of so many."""

FAR_NS = 2**62
"""A time that no run reaches, and to which a deadline may be added."""

SETTING = record_type(
    firm="1 where a frame that misses its deadline is lost",
    literal_energy="1 where UXCost counts the energy spent only",
    decision_ns="time that the scheduler needs for a dispatch",
    contention="1 where dispatches share the bandwidth of the off-chip link",
    supply="off-chip bandwidth in 2^-20 bytes per ns",
    bandwidth_numerator="off-chip bandwidth in bytes per ns, exactly",
    bandwidth_denominator="",
    dram_pj_per_byte="energy of off-chip traffic",
)
PROBLEM_MODEL = record_type(
    first_network="index of its network; its variants follow",
    networks="number of its networks, variants included",
    backlog_limit="frames that may wait before the oldest is displaced",
    dependents="number of streams that depend on one of its own",
    worst_energy_pj="energy of a frame whose every layer runs where it needs most",
)
STREAM = record_type(
    model="index of the model",
    phase="index of the phase",
    first_frame="index, in the model, of the first frame",
    frames="number of frames, triggered or not, that the phase has room for",
    period_quotient_ns="the period is quotient + remainder / divisor, exactly",
    period_remainder="",
    period_divisor="",
    first_ns="nominal time of the first frame; a dependent has that of its root",
    jitter_ns="largest release jitter of a root",
    deadline_ns="relative deadline",
    root="index of the root that it stems from, itself for a root",
    root_ratio="frames of the root per frame of the stream",
    recorded_first="index of its first recorded frame, NONE where frames are drawn",
    recorded_frames="number of its recorded frames",
    parent="index of the parent, NONE for a root",
    parent_ratio="frames of the parent per frame of the stream",
    trigger_threshold="of chance.happens, for dependents",
)
NETWORK = record_type(
    model="index of the model",
    first_layer="index of the first layer",
    last_layer="index of the last layer",
    forks="number of skippable blocks and early exits",
    best_energy_pj="energy of a frame whose every layer runs where it needs least",
    accuracy_loss="share of the original's accuracy that it loses, in 10^-9; 0 where not stated",
)
LAYER = record_type(
    total_latency_ns="sum over all accelerators, busy ones too",
    total_energy_pj="sum over all accelerators",
    remaining_latency_ns="total_latency_ns of this and all later layers of the network",
    least_remaining_ns="least latencies of this and all later layers of the network",
    least_energy_pj="energy where it needs least",
    input_bytes="what a context switch brings in",
    output_bytes="what a context switch takes out",
    dram_bytes="what it moves over the off-chip link",
    run_length="layers from this one to the next fork of the path, or to the network's end",
    exit_threshold="of chance.happens, that a frame is complete after it; 0 where there is no exit",
    exit_index="which of the network's exits that is",
    skip_threshold="of chance.happens, that the block that begins here is skipped; 0 if none does",
    skip_index="which of the network's blocks that is",
    skip_to="the layer behind that block",
)
COST = record_type(
    latency_ns="latency of the layer on the accelerator",
    energy_pj="energy of the layer on the accelerator",
)
RECORDED = record_type(
    nominal_ns="nominal time of a root frame",
    release_ns="release of a root frame",
    triggered="1 where the frame exists, given that its parent does",
)


class Problem(NamedTuple):
    """A scenario at a load on a platform; models, networks, layers and so on are indices.

    A stream is what one model does in one phase; without phases, streams and models have the same
    indices. Streams and networks of a model lie one after the other, and so do the layers of a
    network.
    """

    setting: Records
    """[1] of `SETTING`: constants of the whole problem."""
    models: Records
    """[model] of `PROBLEM_MODEL`."""
    streams: Records
    """[stream] of `STREAM`."""
    networks: Records
    """[network] of `NETWORK`."""
    layers: Records
    """[layer] of `LAYER`."""
    costs: Records
    """[layer, accelerator] of `COST`."""
    recorded: Records
    """[recorded frame] of `RECORDED`, model by model."""
    descent: Ints
    """[ancestor, stream] frames of the ancestor per frame of the stream, 0 where it is none."""
    phase_starts_ns: Ints
    """[phase] when the phases begin, the first at 0."""


PROBLEM = Layout(
    Problem,
    dimensions=(
        "models_count",
        "streams_count",
        "networks_count",
        "layers_count",
        "accelerators_count",
        "recorded_count",
        "phases_count",
    ),
    tables={
        "setting": (SETTING, (1,)),
        "models": (PROBLEM_MODEL, ("models_count",)),
        "streams": (STREAM, ("streams_count",)),
        "networks": (NETWORK, ("networks_count",)),
        "layers": (LAYER, ("layers_count",)),
        "costs": (COST, ("layers_count", "accelerators_count")),
        "recorded": (RECORDED, ("recorded_count",)),
        "descent": (INT, ("streams_count", "streams_count")),
        "phase_starts_ns": (INT, ("phases_count",)),
    },
)
view_problem = PROBLEM.viewer()
view_problem_compiled = inlined(view_problem)
"""The same for compiled code."""
