"""What a scheduler in Python sees of a run: a read-only picture of one decision point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dream_gym.hardware import Platform
from dream_gym.simulator import NEVER, NONE, Ints, switch_cost, view_problem, view_state
from dream_gym.workload import Network, Scenario


@dataclass(frozen=True, slots=True)
class ReadyFrame:
    """A frame that waits. Tuples have an entry per accelerator, by index.

    Args:
        model: Index of its model in ``scenario.model_names``.
        frame: Index of the frame in its model.
        release_ns: When it was released.
        deadline_ns: When it is due.
        ready_since_ns: When it last finished a layer, or was released.
        started: Whether any of its layers has run; until then its variant may be chosen.
        variant: The network that it runs, an index into ``network.family``; 0 until chosen.
        layer: Index of its next layer in that network.
        block_length: How many layers from that one on can be dispatched as one.
        latency_ns: Latency of that layer, without a context switch.
        energy_pj: Energy of that layer, without a context switch.
        mean_remaining_ns: ToGo: mean latencies of this and all later layers, none skipped.
        least_remaining_ns: The same with every layer where it is fastest.
        isolated_ns: Latency of all layers of its network, run or not, each where it is fastest.
        slot: Where the simulator keeps it.
    """

    model: int
    frame: int
    release_ns: int
    deadline_ns: int
    ready_since_ns: int
    started: bool
    variant: int
    layer: int
    block_length: int
    latency_ns: tuple[int, ...]
    energy_pj: tuple[int, ...]
    mean_remaining_ns: float
    least_remaining_ns: int
    isolated_ns: int
    slot: int


@dataclass(frozen=True, slots=True)
class AcceleratorView:
    """An accelerator.

    Args:
        index: Its index on the platform.
        idle: Whether it can be given a frame.
        free_ns: When it is expected to be idle; the current time if it is idle.
    """

    index: int
    idle: bool
    free_ns: int


class Switch(NamedTuple):
    """What a context switch costs; nothing if the accelerator last ran the same frame.

    Args:
        latency_ns: Its time.
        energy_pj: Its energy.
    """

    latency_ns: int
    energy_pj: int


class Dispatch(NamedTuple):
    """Choice: run a ready frame's next layer on an idle accelerator.

    Args:
        frame: The frame.
        accelerator: Index of the accelerator.
        variant: At the frame's first dispatch, an index into its ``network.family``.
        layers: How many consecutive layers run as one, up to ``frame.block_length``.
    """

    frame: ReadyFrame
    accelerator: int
    variant: int = 0
    layers: int = 1


class Drop(NamedTuple):
    """Choice: lose a ready frame.

    Args:
        frame: The frame.
    """

    frame: ReadyFrame


class View:
    """A decision point. It shows the run as it is whenever it is read.

    Args:
        scenario: The workload.
        platform: The hardware.
        problem_arena: The problem.
        state_arena: The state.
    """

    def __init__(
        self, scenario: Scenario, platform: Platform, problem_arena: Ints, state_arena: Ints
    ) -> None:
        self.scenario = scenario
        self.platform = platform
        self._networks = scenario.networks
        self._problem_arena = problem_arena
        self._state_arena = state_arena
        self._problem = view_problem(problem_arena)
        self._state = view_state(state_arena)

    @property
    def now_ns(self) -> int:
        """The time."""
        return int(self._state.run[0].now_ns)

    @property
    def accelerators(self) -> list[AcceleratorView]:
        """All accelerators, by index."""
        now_ns = self.now_ns
        return [
            AcceleratorView(index, end_ns == NEVER, now_ns if end_ns == NEVER else end_ns)
            for index, end_ns in enumerate(self._state.accelerators["busy_until_ns"].tolist())
        ]

    @property
    def idle(self) -> list[int]:
        """Indices of the idle accelerators, in order."""
        return [item.index for item in self.accelerators if item.idle]

    @property
    def ready(self) -> list[ReadyFrame]:
        """The frames that wait, by release, then model, then frame."""
        live = self._state.live[: self._state.run[0].live_count].tolist()
        return [self._ready_frame(slot) for slot in live if not self._state.slots[slot].executing]

    def network(self, frame: ReadyFrame) -> Network:
        """The network that a frame's model runs, of which the variants are lighter versions."""
        return self._networks[frame.model]

    def variants_remaining_ns(self, frame: ReadyFrame) -> list[float]:
        """Mean latency of all layers of each network in a frame's ``network.family``."""
        model = self._problem.models[frame.model]
        family = slice(model.first_network, model.first_network + model.networks)
        first_layers = self._problem.networks["first_layer"][family]
        remaining_ns = self._problem.layers["remaining_latency_ns"][first_layers]
        return list((remaining_ns / self._problem.costs.shape[1]).tolist())

    def switch(self, frame: ReadyFrame, accelerator: int) -> Switch:
        """The context switch if a frame's next layer starts on an accelerator."""
        return Switch(*switch_cost(self._problem_arena, self._state_arena, frame.slot, accelerator))

    def _ready_frame(self, slot: int) -> ReadyFrame:
        frame = self._state.slots[slot]
        layer = self._problem.layers[frame.layer]
        costs = self._problem.costs[frame.layer]
        first_layer = self._problem.networks[frame.network].first_layer
        return ReadyFrame(
            model=int(frame.model),
            frame=int(frame.frame),
            release_ns=int(frame.release_ns),
            deadline_ns=int(frame.deadline_ns),
            ready_since_ns=int(frame.ready_since_ns),
            started=bool(frame.last_accelerator != NONE),
            variant=int(frame.network - self._problem.models[frame.model].first_network),
            layer=int(frame.layer - first_layer),
            block_length=int(layer.run_length),
            latency_ns=tuple(costs["latency_ns"].tolist()),
            energy_pj=tuple(costs["energy_pj"].tolist()),
            mean_remaining_ns=float(layer.remaining_latency_ns / len(costs)),
            least_remaining_ns=int(layer.least_remaining_ns),
            isolated_ns=int(self._problem.layers[first_layer].least_remaining_ns),
            slot=slot,
        )
