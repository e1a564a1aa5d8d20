"""One run of one scheduler on one scenario and platform, step by step or all at once."""

from __future__ import annotations

import copy
import time
from fractions import Fraction

import numpy as np

from dream_gym.arguments import checked_flag, checked_integer, whole_ns
from dream_gym.errors import ConfigError, SchedulerError
from dream_gym.hardware import Platform
from dream_gym.simulator.accounting import UNFINISHED, lower_bound, uxcost_now
from dream_gym.simulator.addresses import addresses_of
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.building import build_problem
from dream_gym.simulator.dispatching import TIMELINE_COLUMNS
from dream_gym.simulator.engine import IMPOSSIBLE, MORE, Engine
from dream_gym.simulator.frames import FRAME_COLUMNS
from dream_gym.simulator.isolation import export_alone
from dream_gym.simulator.lifetime import begin, count, export_frames, finish, judge_some
from dream_gym.simulator.limits import MAX_SECONDS, first_due_ns, longest_ns, most_frames
from dream_gym.simulator.outcome import make_result
from dream_gym.simulator.problem import FAR_NS, view_problem
from dream_gym.simulator.result import Result, Table, to_table
from dream_gym.simulator.state import STATE, Room, allocate_state, view_state
from dream_gym.units import NS_PER_S
from dream_gym.workload import RecordedFrames, Scenario

_AT_ONCE = 2**20
"""Frames that a compiled call looks at, in some 20 ms, before it comes back to Python.

Only between compiled calls can a run be interrupted, by Ctrl-C for instance.
"""
_FIRST_EVENTS = 1000
_CALL_S = 0.03
"""How long a compiled call is to take; more would be felt."""


class Simulation:
    """A run that can be taken forward in time; `problem` and `state` are views of its arenas.

    Args:
        scenario: The workload.
        platform: The hardware.
        engine: The engine of a scheduler; None where decisions come from outside.
        load: Factor on every rate.
        expiry: ``soft`` or ``firm``; by default what the scenario says.
        energy_norm: ``charged`` or ``literal``, see `accounting.uxcost`.
        contention: Whether dispatches share the off-chip bandwidth; by default what the platform
            says.
        decision_ns: Time that the scheduler needs for each dispatch.

    Raises:
        ConfigError: An option is out of range.
    """

    def __init__(
        self,
        scenario: Scenario,
        platform: Platform,
        engine: Engine | None,
        *,
        load: float | Fraction = 1.0,
        expiry: str | None = None,
        energy_norm: str = "charged",
        contention: bool | None = None,
        decision_ns: int = 0,
    ) -> None:
        self.scenario = scenario
        self.platform = platform
        self.problem_arena = build_problem(
            scenario,
            platform,
            load=load,
            expiry=expiry,
            energy_norm=energy_norm,
            contention=contention,
            decision_ns=decision_ns,
        )
        self.problem = view_problem(self.problem_arena)
        self._longest_ns = longest_ns(self.problem)
        self._most_frames = most_frames(self.problem)
        self._engine = engine
        self._allocate(Room() if engine is None else engine.room)

    def _allocate(self, room: Room) -> None:
        """Make room for a run, which has not begun."""
        self._room = room
        self.state_arena = allocate_state(self.problem, room)
        self.state = view_state(self.state_arena)
        self._ended = True
        self._events = _FIRST_EVENTS
        self._bounds: dict[bool, float] = {}
        self._record = False
        self._prepared_for: Floats | None = None
        self._timeline = np.empty((0, len(TIMELINE_COLUMNS)), dtype=np.int64)
        self._frames = np.empty((0, len(FRAME_COLUMNS)), dtype=np.int64)

    def clone(self) -> Simulation:
        """A run of its own of the same problem, which the two share."""
        other = copy.copy(self)
        other._allocate(self._room)
        other.parameters[:] = self.parameters
        return other

    def make_room(self, room: Room) -> None:
        """Let the state have room for what a scheduler keeps; the run stays where it is.

        Where there is too little, the state moves, and so do views of it and `addresses`.
        """
        have = self._room
        if room.parameters <= have.parameters and room.memory <= have.memory:
            return
        self._room = Room(*map(max, room, have))
        old, self.state_arena = self.state, allocate_state(self.problem, self._room)
        self.state = view_state(self.state_arena)
        for table, moved in zip(old, self.state, strict=True):
            moved[: len(table)] = table

    def _prepare(self) -> None:
        """Work out the scheduler's plan, unless it stands for the parameters in force."""
        if self._engine is None or self._engine.prepare is None:
            return
        if self._prepared_for is None or (self._prepared_for != self.parameters).any():
            self.state.plan[:] = self._engine.prepare(self.problem, self.parameters)
            self._prepared_for = self.parameters.copy()

    def reset(self, *, seed: int, seconds: float, record: bool = False) -> None:
        """Go back to time 0.

        Args:
            seed: Seed of the world, in [0, 2^63).
            seconds: Length of the run; frames whose deadline is later do not exist.
            record: Whether to keep the timeline and the fate of every frame.

        Raises:
            ConfigError: An argument is out of range.
        """
        seed = checked_integer("seed", seed, 0, 2**63 - 1)
        checked_flag("record", record)
        horizon_ns = self._horizon_ns(seconds)
        self._prepare()
        self._ended = True
        begin(self.problem_arena, self.state_arena, seed, horizon_ns)
        cursor, most = np.zeros(2, dtype=np.int64), self._at_once(len(self.problem.streams))
        while count(self.problem_arena, self.state_arena, cursor, most):
            pass
        too_many = self.state.models["frames"] > self._most_frames
        if too_many.any():
            name = self.scenario.model_names[int(np.argmax(too_many))]
            raise ConfigError(
                f"seconds: in {float(seconds):g} s the frames of {name} may need more than 2^63 "
                "pJ; simulate less time, or correct the costs"
            )
        self._bounds.clear()
        self._record = record
        self._timeline, self._frames = self._make_records()
        self._ended = False

    def _horizon_ns(self, seconds: float) -> int:
        expected = f"a number in (0, {MAX_SECONDS:g}]"
        horizon_ns = whole_ns("seconds", seconds, NS_PER_S, expected)
        if not 0 < horizon_ns <= MAX_SECONDS * NS_PER_S:
            raise ConfigError(f"seconds: expected {expected}, got {seconds}")
        if horizon_ns >= self._longest_ns:
            raise ConfigError(f"seconds: {seconds} is too long for the rates of this scenario")
        return horizon_ns

    def _make_records(self) -> tuple[Ints, Ints]:
        """Room for the records of dispatches and of frames of a run."""
        frames, dispatches = 0, 0
        if self._record:
            counts = self.state.models["frames"].tolist()
            frames = sum(counts)
            dispatches = sum(
                number * max(len(member.layers) for member in network.family)
                for number, network in zip(counts, self.scenario.networks, strict=True)
            )
        try:
            return (
                np.empty((dispatches, len(TIMELINE_COLUMNS)), dtype=np.int64),
                np.empty((frames, len(FRAME_COLUMNS)), dtype=np.int64),
            )
        except (MemoryError, ValueError):
            raise ConfigError(
                f"record: there is no memory for {dispatches} dispatches of {frames} frames; "
                "simulate less time, or do not record"
            ) from None

    def check_frames(self, seconds: float, field: str = "seconds") -> None:
        """Make sure that a run of this length has something to schedule.

        Args:
            seconds: Length of the run.
            field: What to call it in the error.

        Raises:
            ConfigError: No frame is due in it, whatever the seed; or it is out of range.
        """
        first_ns = first_due_ns(self.problem)
        if first_ns > self._horizon_ns(seconds):
            rule = "none exists"
            if first_ns < FAR_NS:
                rule = f"the first deadline is at {first_ns / NS_PER_S:g} s"
            raise ConfigError(
                f"{field}: no frame of {self.scenario.name} is due within {float(seconds):g} s at "
                f"this load, {rule}"
            )

    @staticmethod
    def _at_once(of_each: int) -> int:
        """Frames that a compiled call may look at where each costs so much, see `_AT_ONCE`."""
        return max(_AT_ONCE // of_each, 1)

    @property
    def records(self) -> tuple[Ints, Ints]:
        """The record arrays of dispatches and of frames, for who decides from outside."""
        return self._timeline, self._frames

    @property
    def addresses(self) -> Ints:
        """Where the run lies, see `addresses_of`; until the next reset or restoration."""
        return addresses_of(self.problem_arena, self.state_arena, *self.records)

    @property
    def now_ns(self) -> int:
        """The time of the run."""
        return int(self.state.run[0].now_ns)

    @property
    def horizon_ns(self) -> int:
        """The end of the run."""
        return int(self.state.run[0].horizon_ns)

    @property
    def ended(self) -> bool:
        """Whether the run is at its horizon, or was never reset."""
        return self._ended

    def fits(self, state_arena: Ints) -> bool:
        """Whether an arena is that of a run of this problem, with any scheduler's room."""
        words = len(STATE.dimensions)
        room = Room(*(int(count) for count in state_arena[words - len(Room._fields) : words]))
        if min(room) < 0 or sum(room) > len(state_arena):
            return False
        expected = allocate_state(self.problem, room)
        same = state_arena.shape == expected.shape and state_arena[:words] == expected[:words]
        return bool(np.all(same))

    def restore(self, state_arena: Ints, records: tuple[Ints, Ints]) -> None:
        """Return to a state of this simulation, of which the arena is a copy, and its records."""
        if len(state_arena) != len(self.state_arena):  # with another scheduler's room
            self.state_arena = state_arena.copy()
            self.state = view_state(self.state_arena)
            self._room = Room(len(self.state.parameter), len(self.state.memory))
        else:
            self.state_arena[:] = state_arena
        self._timeline, self._frames = records
        self._record = len(self._frames) > 0
        self._bounds.clear()
        self._ended = False

    def end(self) -> None:
        """Note that the run was finished from outside."""
        self._ended = True

    @property
    def parameters(self) -> Floats:
        """The scheduler's parameters, to be written between calls of `advance`."""
        return self.state.parameter

    def advance(self, until_ns: int) -> None:
        """Go on to a time, at most to the horizon, where unfinished frames are lost.

        Decisions at that very time are left to the next call, under the parameters then in force;
        so a run is the same in however many steps it is made.

        Raises:
            SchedulerError: The scheduler decided something impossible.
            ValueError: The time has passed already.
        """
        until_ns = checked_integer("until_ns", until_ns, 0, 2**63 - 1)
        if until_ns < self.now_ns:
            raise ValueError(f"until_ns: {until_ns} has passed, it is {self.now_ns} ns")
        until_ns = min(until_ns, self.horizon_ns)
        arenas = self.problem_arena, self.state_arena
        assert self._engine is not None, "decisions come from outside"
        outcome = MORE
        while outcome == MORE:
            begun = time.perf_counter()
            outcome = self._engine.run(
                *arenas, self._timeline, self._frames, until_ns, self._events
            )
            if outcome == MORE:
                share = _CALL_S / max(time.perf_counter() - begun, 1e-6)
                self._events = max(int(self._events * min(max(share, 1 / 8), 8)), 1)
        if outcome == IMPOSSIBLE:
            raise SchedulerError(
                f"at {self.now_ns} ns the scheduler chose a frame that does not wait, or an "
                "accelerator that is not idle"
            )
        if until_ns == self.horizon_ns and not self._ended:
            while judge_some(*arenas, self._at_once(len(self.problem.streams))):
                pass
            finish(*arenas, self._frames)
            self._ended = True

    def recording(self) -> dict[str, RecordedFrames]:
        """The releases and triggers of this run's world, to be replayed by a scenario."""
        arenas = self.problem_arena, self.state_arena
        parts: dict[int, list[Ints]] = {model: [] for model in range(len(self.problem.models))}
        for stream, given in enumerate(self.problem.streams):
            rows = np.empty((self._at_once(16), 3), dtype=np.int64)
            written, first = len(rows), 0
            while written == len(rows):
                written = export_frames(*arenas, stream, first, rows)
                parts[int(given.model)].append(rows[:written].copy())
                first += written
        return {
            name: RecordedFrames(*np.concatenate(parts[model]).T)
            for model, name in enumerate(self.scenario.model_names)
        }

    def alone(self, frames: Table) -> Ints:
        """What frames of this run's world would need alone, whoever schedules.

        Args:
            frames: Columns ``model`` and ``frame``, such as those of `Result.frames`.

        Returns:
            int64 array (rows, 2): the least time from release to end, and the earliest end; see
            `isolation.export_alone`.
        """
        keys = np.stack([frames["model"], frames["frame"]], axis=1)
        out = np.empty_like(keys)
        most = self._at_once(len(self.problem.layers))
        for first in range(0, len(keys), most):
            some = slice(first, first + most)
            export_alone(self.problem_arena, self.state_arena, keys[some], out[some])
        return out

    def nominal_ns(self, frames: Table) -> Ints:
        """What the deadlines of frames count from: the nominal times of their roots, int64 (rows,).

        Args:
            frames: Columns ``model``, ``frame`` and ``deadline_ns``, such as `Result.frames`.
        """
        nominal_ns: Ints = frames["deadline_ns"].copy()
        streams = self.problem.streams
        for model in range(len(self.problem.models)):
            own = frames["model"] == model
            phases = streams[streams["model"] == model]  # in order
            phase = np.searchsorted(phases["first_frame"], frames["frame"][own], side="right") - 1
            nominal_ns[own] -= phases["deadline_ns"][phase]
        return nominal_ns

    def uxcost(self) -> float:
        """UXCost at the present time."""
        return float(uxcost_now(self.problem_arena, self.state_arena))

    def lower_bound(self, *, lightest: bool = False) -> float:
        """The lower bound of the whole run's UXCost; see `accounting.lower_bound`."""
        if lightest not in self._bounds:
            sums = np.zeros(2 + len(self.problem.models), dtype=np.int64)
            most, bound = self._at_once(len(self.problem.layers)), UNFINISHED
            while bound == UNFINISHED:
                bound = float(
                    lower_bound(self.problem_arena, self.state_arena, lightest, sums, most)
                )
            self._bounds[lightest] = bound
        return self._bounds[lightest]

    def result(self) -> Result:
        """The outcome so far; at the horizon, of the whole run."""
        run = self.state.run[0]
        frames, timeline = None, None
        if self._record:
            frames = to_table(self._frames[: run.frame_rows], FRAME_COLUMNS)
            timeline = to_table(self._timeline[: run.timeline_rows], TIMELINE_COLUMNS)
        return make_result(
            self.scenario,
            self.platform,
            self.problem,
            self.state,
            uxcost=self.uxcost(),
            lower_bound=self.lower_bound(),
            lower_bound_lightest=self.lower_bound(lightest=True),
            frames=frames,
            timeline=timeline,
        )
