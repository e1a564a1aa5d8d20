"""Latency and energy of a layer on a spatial accelerator, in closed form.

The model is MAESTRO as shipped in XRBench (MLSys 2023) with two defects of that release fixed:
its dataflow files omit the filter sizes, so that a 1×1 convolution counts 16 times too many MACs
on WS, and stride is ignored. MAESTRO walks the steps of a loop nest; here the walk is summed up
in closed form. Its seven rules, cited below where they are applied:

1. Steps: how many times each loop of the nest advances.
2. Active clusters: how many clusters of PEs have work in a step.
3. Latency: a step takes its arithmetic or its traffic, whichever is longer.
4. Loads: the elements that a step brings into the clusters.
5. Reuse: the operands that a step leaves in place.
6. Energy: MACs, and accesses to the two levels of on-chip memory.
7. Edge cases: how the reference counts layers that do not fill the array. It charges some small
   layers more than larger ones, and energy for MACs that are not done. With ``edges="physical"``
   this rule is left out, and outputs count with their stride in the energy, too.

Traffic is in elements (an element is one byte, int8), time in cycles of the accelerator. Off-chip
memory is not part of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

# Python's integers, which do not wrap: a product of a layer's sizes may have hundreds of digits.
IntArray: TypeAlias = npt.NDArray[Any]
FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Dim: TypeAlias = Literal["C", "K", "Y", "X"]  # input channels, filters, output rows and columns
Edges: TypeAlias = Literal["reference", "physical"]
EDGES: tuple[Edges, ...] = ("reference", "physical")
"""How to count layers that do not fill the array: as MAESTRO, or so that less never costs more."""

MAC_NJ = 0.00288  # energy of one MAC, nJ
L1_ACCESS_MACS = 0.55  # energy of one access to a PE's own memory, in MACs
L2_ACCESS_MACS = 6  # energy of one access to the memory that the clusters share, in MACs

# The loops that index an operand: a step of one of them needs other elements of it.
_WEIGHT_DIMS: tuple[Dim, ...] = ("C", "K")
_INPUT_DIMS: tuple[Dim, ...] = ("C", "Y", "X")


class LayerCost(NamedTuple):
    """What layers cost on an accelerator; both arrays have the arguments' common shape.

    Attributes:
        latency_cycles: Latency in cycles, int64, at least 1.
        energy_nj: Energy in nanojoules, float64, positive.
    """

    latency_cycles: npt.NDArray[np.int64]
    energy_nj: FloatArray


@dataclass(frozen=True, slots=True)
class _Dataflow:
    """How a dataflow orders, tiles and spreads the loops of a layer over clusters of PEs."""

    loops: tuple[Dim, ...]  # outermost first
    spatial: Dim  # the loop that is spread over the clusters, one index to each
    channels: int  # input channels in a tile
    filters: int  # filters in a tile
    columns: int  # input columns by which a tile advances at stride 1
    cluster_pes: int  # PEs in a cluster
    channel_lanes: int  # channels that a cluster multiplies at the same time
    row_lanes: int  # filter rows that a cluster multiplies at the same time

    def outside(self, loop: Dim | None) -> tuple[Dim, ...]:
        """The loops around `loop`; none around the start of the nest (None)."""
        return () if loop is None else self.loops[: self.loops.index(loop)]

    def inside(self, loop: Dim) -> tuple[Dim, ...]:
        """The loops that `loop` repeats."""
        return self.loops[self.loops.index(loop) + 1 :]


# fmt: off
_DATAFLOWS = {
    # Weight stationary (NVDLA): a cluster is 16 channels × 16 filters.
    "WS": _Dataflow(
        loops=("C", "K", "Y", "X"), spatial="X", channels=16, filters=16, columns=1,
        cluster_pes=256, channel_lanes=16, row_lanes=1,
    ),
    # Output stationary: a cluster is 16 channels × 4 columns.
    "OS": _Dataflow(
        loops=("K", "Y", "X", "C"), spatial="Y", channels=16, filters=1, columns=4,
        cluster_pes=64, channel_lanes=16, row_lanes=1,
    ),
    # Row stationary (Eyeriss): a cluster is 4 filter rows × 16 columns.
    "RS": _Dataflow(
        loops=("Y", "X", "C", "K"), spatial="K", channels=4, filters=1, columns=16,
        cluster_pes=64, channel_lanes=1, row_lanes=4,
    ),
}
# fmt: on


class _Layers(NamedTuple):
    """Layers and the arrays they run on (`depthwise` bool), all of one shape."""

    K: IntArray
    C: IntArray
    Y: IntArray
    X: IntArray
    R: IntArray
    S: IntArray
    stride: IntArray
    num_pes: IntArray
    noc_bandwidth: IntArray
    depthwise: BoolArray


class _Nest(NamedTuple):
    """The loop nest of each layer under a dataflow; arrays are of the layers' shape."""

    flow: _Dataflow
    layers: _Layers
    physical: bool  # whether edges are
    clusters: IntArray  # in the accelerator
    extent: dict[Dim, IntArray]  # indices that each loop runs over
    steps: dict[Dim, IntArray]  # tiles, or arrays full of tiles, that each loop takes for them
    c: IntArray  # channels in a tile
    k: IntArray  # filters in a tile
    x: IntArray  # output columns in a tile
    tile_columns: IntArray  # output columns in a tile of a layer that has so many
    columns: IntArray  # input columns under a tile (its input rows are R)
    new_rows: IntArray  # input rows that a tile one row further down adds
    new_columns: IntArray  # input columns that the next tile to the right adds


def layer_cost(
    dataflow: str,
    *,
    K: npt.ArrayLike,
    C: npt.ArrayLike,
    Y: npt.ArrayLike,
    X: npt.ArrayLike,
    R: npt.ArrayLike,
    S: npt.ArrayLike,
    stride: npt.ArrayLike,
    depthwise: npt.ArrayLike,
    num_pes: npt.ArrayLike,
    noc_bandwidth: npt.ArrayLike,
    edges: Edges = "reference",
) -> LayerCost:
    """Latency and energy of layers on accelerators, without off-chip memory.

    The arguments after `dataflow` broadcast together. All are whole numbers >= 1, except
    `depthwise`. A layer's dimensions are those of `dream_gym.workload.layer.Layer`. All is counted
    exactly.

    Args:
        dataflow: Weight stationary "WS", output stationary "OS" or row stationary "RS".
        K: Output channels; 1 for a depthwise layer.
        C: Input channels.
        Y: Input rows, padding included.
        X: Input columns, padding included.
        R: Filter rows.
        S: Filter columns.
        stride: Stride in both directions.
        depthwise: Whether each channel has its own filter, bool.
        num_pes: PEs of the accelerator, at least one cluster: 256 for WS, 64 for OS and RS. PEs
            that do not fill a cluster are idle.
        noc_bandwidth: Elements that the on-chip network moves per cycle.
        edges: How layers count that do not fill the array. ``physical``: a layer with fewer
            channels, filters, rows or columns never costs more (on WS of up to 9,215 PEs), and
            energy is that of the MACs that are done. ``reference``: as MAESTRO counts them, rule 7.

    Returns:
        Latency in cycles and energy in nJ, in the arguments' common shape.

    Raises:
        ValueError: An argument is out of its range, the shapes do not broadcast, or a layer takes
            2**63 cycles or more.
    """
    if dataflow not in _DATAFLOWS:
        raise ValueError(f"dataflow must be one of {', '.join(_DATAFLOWS)}, got {dataflow!r}")
    if edges not in EDGES:
        raise ValueError(f"edges must be one of {', '.join(EDGES)}, got {edges!r}")
    flow = _DATAFLOWS[dataflow]
    numbers = {"K": K, "C": C, "Y": Y, "X": X, "R": R, "S": S, "stride": stride}
    numbers |= {"num_pes": num_pes, "noc_bandwidth": noc_bandwidth}
    arrays = [_whole_numbers(name, value) for name, value in numbers.items()]
    given = np.broadcast_arrays(*arrays, np.asarray(depthwise, dtype=np.bool_))
    # Never of no dimension: NumPy takes a single one of Python's integers for an int64.
    layers = _Layers(*np.atleast_1d(*given))
    if np.any(layers.depthwise & (layers.K != 1)):
        raise ValueError("K must be 1 where depthwise is set: C alone gives the output channels")
    if np.any(layers.num_pes < flow.cluster_pes):
        raise ValueError(
            f"num_pes must be at least {flow.cluster_pes}, one cluster of {dataflow}, "
            f"got {layers.num_pes.min()}: enlarge the accelerator or change its dataflow"
        )
    cost = _cost(_nest(flow, layers, edges == "physical"))
    shape = given[0].shape
    return LayerCost(cost.latency_cycles.reshape(shape), cost.energy_nj.reshape(shape))


def _whole_numbers(name: str, value: npt.ArrayLike) -> IntArray:
    """The argument `name` in Python's integers, or a ValueError unless it is whole and positive."""
    array = np.asarray(value)
    whole = array.dtype.kind in "iu" or (
        array.dtype == object and all(isinstance(item, int) for item in array.flat)
    )
    if not whole:
        raise ValueError(f"{name} must be whole numbers, got {array.dtype}: round it first")
    if np.any(array < 1):
        raise ValueError(f"{name} must be at least 1, got {array.min()}")
    return array.astype(object)


def _nest(flow: _Dataflow, layers: _Layers, physical: bool) -> _Nest:
    """Cut each layer into tiles and count them along each loop (closed form, rule 1)."""
    K, C, Y, X, R, S, stride, num_pes, _, _ = layers
    clusters = num_pes // flow.cluster_pes
    tile_columns = _ceil_div(np.full_like(X, flow.columns), stride)
    out_rows = np.maximum((Y - R) // stride + 1, 1)
    out_columns = np.maximum((X - S) // stride + 1, 1)
    extent: dict[Dim, IntArray] = {"C": C, "K": K, "Y": out_rows, "X": out_columns}
    if physical:
        pass
    elif flow.spatial == "Y":
        extent["Y"] = _spatial_extent(out_rows, Y, R, stride, clusters)
    elif flow.spatial == "X":
        extent["X"] = _spatial_extent(out_columns, X, S, stride, clusters)
    advance: dict[Dim, IntArray | int]
    advance = {"C": flow.channels, "K": flow.filters, "Y": 1, "X": tile_columns}
    advance[flow.spatial] = clusters
    columns = np.minimum(_window(tile_columns, S, stride), X)
    return _Nest(
        flow=flow,
        layers=layers,
        physical=physical,
        clusters=clusters,
        extent=extent,
        steps={loop: _ceil_div(extent[loop], advance[loop]) for loop in flow.loops},
        c=np.minimum(C, flow.channels),
        k=np.minimum(K, flow.filters),
        x=np.minimum(out_columns, tile_columns),
        tile_columns=tile_columns,
        columns=columns,
        new_rows=np.minimum(R, stride),
        new_columns=np.minimum(columns, tile_columns * stride),
    )


def _spatial_extent(
    outputs: IntArray, size: IntArray, filter_size: IntArray, stride: IntArray, clusters: IntArray
) -> IntArray:
    """Outputs that the reference spreads over the clusters along Y or X (closed form, rule 7)."""
    reach = clusters * stride
    padded = np.where(size > reach, clusters + 1, clusters)
    small = np.where(size < 2 * filter_size, 1, outputs)
    return np.where(outputs >= clusters, outputs, np.where(size >= reach, padded, small))


def _cost(nest: _Nest) -> LayerCost:
    """Sum over the start of the nest and the steps of each of its loops."""
    layers = nest.layers
    compute = _compute_cycles(nest)
    store = np.where(layers.depthwise, nest.c, nest.k) * nest.x
    latency, traffic, fills = (np.zeros_like(layers.C) for _ in range(3))
    for loop in (None, *nest.flow.loops):
        first, further = _loads(nest, loop)
        for count, active in _step_counts(nest, loop):
            load = first + further * (active - 1)
            transfer = _ceil_div(np.maximum(load, store), layers.noc_bandwidth)
            latency += count * np.maximum(compute, transfer)  # closed form, rule 3
            traffic += count * load
            fills += count * active * first
    # Closed form, rule 7: the reference walks a single, partly filled tile of columns twice.
    reach = nest.tile_columns * layers.stride
    twice = (nest.extent["X"] < nest.tile_columns) & (reach < layers.X) & (not nest.physical)
    cycles = np.where(twice, 2 * latency, latency)
    if np.any(cycles >= 2**63):
        raise ValueError(
            f"a layer takes {len(str(cycles.max()))} digits of cycles: it is too large"
        )
    return LayerCost(cycles.astype(np.int64), _energy_nj(nest, traffic, fills))


def _compute_cycles(nest: _Nest) -> IntArray:
    """Cycles of a cluster on one tile: its multiplications, or its feed if that takes longer."""
    c, k, R, S = nest.c, nest.k, nest.layers.R, nest.layers.S
    multiply = _ceil_div(c, nest.flow.channel_lanes) * _ceil_div(R, nest.flow.row_lanes) * S
    operands = c * R * nest.columns + k * c * R * S  # input and weights
    feed = _ceil_div(operands, nest.layers.noc_bandwidth)
    cycles: IntArray = np.maximum(multiply, feed)
    return cycles


def _step_counts(nest: _Nest, loop: Dim | None) -> tuple[tuple[IntArray, IntArray], ...]:
    """Steps of `loop` (None: the start) as pairs of a count and the clusters active in them.

    The first pair is for the steps that fill the array, the second for those that do not.
    """
    spatial, outside = nest.flow.spatial, nest.flow.outside(loop)
    sweeps: IntArray = np.prod([nest.steps[outer] for outer in outside], axis=0, dtype=object)
    count = sweeps if loop is None else sweeps * (nest.steps[loop] - 1)  # closed form, rule 1
    # Closed form, rule 2: only the last step of each sweep over the spatial loop is partial.
    if loop == spatial:
        partial = np.where(nest.steps[spatial] > 1, sweeps, 0)
    elif spatial in outside:
        partial = count // nest.steps[spatial]
    else:
        partial = np.where(nest.steps[spatial] == 1, count, 0)
    remainder = (nest.extent[spatial] - 1) % nest.clusters + 1
    return (count - partial, nest.clusters), (partial, remainder)


def _loads(nest: _Nest, loop: Dim | None) -> tuple[IntArray, IntArray]:
    """Elements that a step of `loop` loads: for the first active cluster, for each further one.

    Closed form, rule 4. A tile that moves on in Y or X keeps the input that it still covers, and
    a cluster gets from its neighbour what both of them cover.
    """
    spatial, layers = nest.flow.spatial, nest.layers

    def input_tile(moved: set[Dim | None]) -> IntArray:
        rows = nest.new_rows if "Y" in moved else layers.R
        columns = nest.new_columns if "X" in moved else nest.columns
        return nest.c * rows * columns * _is_loaded(nest, loop, _INPUT_DIMS)

    weights = nest.k * nest.c * layers.R * layers.S * _is_loaded(nest, loop, _WEIGHT_DIMS)
    first = weights + input_tile({loop} - {spatial})
    if spatial == "K":  # the clusters differ in their filters and share the input
        return first, weights
    return first, input_tile({loop, spatial})


def _is_loaded(nest: _Nest, loop: Dim | None, dims: tuple[Dim, ...]) -> BoolArray:
    """Whether a step of `loop` loads the operand indexed by `dims` (closed form, rule 5)."""
    if loop is None or loop in dims:
        return np.ones_like(nest.clusters, dtype=np.bool_)
    fixed_outside = [nest.steps[dim] == 1 for dim in nest.flow.outside(loop) if dim in dims]
    swept_inside = [nest.steps[dim] > 1 for dim in nest.flow.inside(loop) if dim in dims]
    reloaded: BoolArray = np.all(fixed_outside, axis=0) & np.any(swept_inside, axis=0)
    return reloaded


def _energy_nj(nest: _Nest, traffic: IntArray, fills: IntArray) -> FloatArray:
    """Energy of the MACs and of the accesses to on-chip memory (closed form, rule 6).

    Args:
        nest: The layers' loop nest.
        traffic: Elements read from the shared memory in all steps.
        fills: Elements written to the PEs' own memories in all steps.
    """
    K, C, Y, X, R, S, *_ = nest.layers
    spatial = nest.flow.spatial
    macs = K * C * R * S * nest.extent["Y"] * _energy_columns(nest)
    # The rule's ΣN·po·fill, multiplied out: the MACs of one cluster that is in every step.
    partial_sums = macs // nest.extent[spatial] * nest.steps[spatial]
    all_steps: IntArray = np.prod(list(nest.steps.values()), axis=0, dtype=object)
    # The reference ignores stride in the size of the output.
    out_rows, out_columns = np.maximum(Y - R + 1, 0), np.maximum(X - S + 1, 0)
    if nest.physical:
        out_rows, out_columns = nest.extent["Y"], nest.extent["X"]
    outputs = np.where(nest.layers.depthwise, C, K) * out_rows * out_columns
    l2_accesses = traffic + C * Y * X + K * C * R * S + outputs
    l1_accesses = 2 * macs + fills + 2 * partial_sums - all_steps
    whole_macs: FloatArray = (macs + L2_ACCESS_MACS * l2_accesses).astype(np.float64)
    l1_macs: FloatArray = L1_ACCESS_MACS * l1_accesses.astype(np.float64)
    return np.asarray(MAC_NJ * (whole_macs + l1_macs))


def _energy_columns(nest: _Nest) -> IntArray:
    """Output columns that the reference counts in the energy (closed form, rule 7).

    A full tile counts the columns it covers as if the stride were 1, the last one what is left.
    """
    layers, tile, outputs = nest.layers, nest.tile_columns, nest.extent["X"]
    if nest.physical:
        return outputs
    full_tiles = outputs // tile
    per_full_tile = _window(tile, layers.S, layers.stride) - layers.S + 1
    left = layers.X - full_tiles * tile * layers.stride
    covered = np.maximum(left - layers.S + 1, 1)
    overfull = np.where(full_tiles == 0, outputs, 1)
    tail = np.where(left < tile * layers.stride, covered, overfull)
    columns: IntArray = full_tiles * per_full_tile + np.where(outputs % tile == 0, 0, tail)
    return columns


def _window(outputs: IntArray, filter_size: IntArray, stride: IntArray) -> IntArray:
    """Input elements under `outputs` neighbouring positions of a filter, along one dimension."""
    step: IntArray = np.minimum(stride, filter_size)
    overlap: IntArray = np.maximum(filter_size - stride, 0)
    return outputs * step + overlap


def _ceil_div(a: IntArray, b: IntArray | int) -> IntArray:
    """The quotient rounded up."""
    quotient: IntArray = -(-a // b)
    return quotient
