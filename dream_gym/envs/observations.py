"""What an agent sees of a run."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dream_gym.envs.entries import Entry
from dream_gym.jit import entry_point
from dream_gym.simulator import (
    NEVER,
    Floats,
    Ints,
    Simulation,
    latest_stream,
    view_problem_compiled,
    view_state_compiled,
)

PER_MODEL = (
    Entry("rate", "100 frames/s", 0, 10, "frames per second at the load in force"),
    Entry("backlog", "backlog limit", 0, 2, "released frames that are neither complete nor lost"),
    Entry("slack", "relative deadline", -2, 1, "least time to a deadline over those frames"),
    Entry("remaining_work", "relative deadline", 0, 10, "their remaining mean latency, summed"),
    Entry("interval_violations", "frames due per interval", 0, 10, "violations in the interval"),
    Entry("interval_energy", "worst-case energy due per interval", 0, 10, "energy charged in it"),
    Entry("violations", "frames of the episode", 0, 1, "violations since the start"),
    Entry("energy", "worst-case energy of the episode", 0, 10, "energy charged since the start"),
)
PER_ACCELERATOR = (Entry("busy", "interval", 0, 1, "share of the last interval that it was busy"),)
PER_RUN = (
    Entry("alpha", "1", 0, 2, "weight of starvation in force"),
    Entry("beta", "1", 0, 2, "weight of the energy preference in force"),
    Entry("time_left", "episode", 0, 1, "share of the episode that is left"),
)


class TuningObservation:
    """The flat observation of the tuning environment, entry by entry as its page lists them.

    Args:
        simulation: The run to observe.
        interval_ns: Length of a control interval.
    """

    def __init__(self, simulation: Simulation, interval_ns: int) -> None:
        self._simulation = simulation
        self._interval_ns = interval_ns
        models = simulation.scenario.model_names
        accelerators = simulation.platform.accelerator_names
        entries = [(f"{name}.{entry.name}", entry) for name in models for entry in PER_MODEL]
        for name in accelerators:
            entries += [(f"{name}.{entry.name}", entry) for entry in PER_ACCELERATOR]
        entries += [(entry.name, entry) for entry in PER_RUN]
        self.names = tuple(name for name, _ in entries)
        self._low = np.array([entry.low for _, entry in entries], dtype=np.float32)
        self._high = np.array([entry.high for _, entry in entries], dtype=np.float32)
        self.space = gym.spaces.Box(self._low, self._high, dtype=np.float32)
        # Violations and charged energy of each model, then busy time of each accelerator, and
        # the time, as they were when last observed.
        self._last = np.zeros(2 * len(models) + len(accelerators) + 1)

    def reset(self) -> None:
        """Forget the last interval."""
        self._last[:] = 0

    def observe(self) -> NDArray[np.float32]:
        """Observe the run: float32, in the bounds of `space`; ends the present interval."""
        out = np.empty(len(self.names), dtype=np.float64)
        _observe(
            self._simulation.problem_arena,
            self._simulation.state_arena,
            self._last,
            self._interval_ns,
            out,
        )
        return np.clip(out, self._low, self._high).astype(np.float32)


@entry_point("tuning")
def _observe(
    problem_arena: Ints, state_arena: Ints, last: Floats, interval_ns: int, out: Floats
) -> None:
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    now_ns, horizon_ns = state.run[0].now_ns, state.run[0].horizon_ns
    models, accelerators = len(problem.models), len(state.accelerators)
    latest_start_ns = 0
    for start_ns in problem.phase_starts_ns:
        if start_ns <= now_ns:
            latest_start_ns = start_ns
    at = 0
    for model in range(models):
        stream = latest_stream(problem, model, now_ns)
        given, counts = problem.streams[stream], state.models[model]
        worst_energy_pj = problem.models[model].worst_energy_pj
        active = problem.phase_starts_ns[given.phase] == latest_start_ns
        period_ns = given.period_quotient_ns + given.period_remainder / given.period_divisor
        live, slack_ns, work_ns = 0, given.deadline_ns, 0.0
        for index in range(state.run[0].live_count):
            frame = state.slots[state.live[index]]
            if frame.model == model:
                live += 1
                slack_ns = min(slack_ns, frame.deadline_ns - now_ns)
                work_ns += problem.layers[frame.layer].remaining_latency_ns / accelerators
        violations = float(counts.violations)
        energy_pj = float(counts.completed_energy_pj + counts.lost * worst_energy_pj)
        frames = max(counts.frames, 1)
        due = interval_ns / period_ns
        out[at] = 1e7 / period_ns if active else 0.0
        out[at + 1] = live / problem.models[model].backlog_limit
        out[at + 2] = slack_ns / given.deadline_ns
        out[at + 3] = work_ns / given.deadline_ns
        out[at + 4] = (violations - last[2 * model]) / due
        out[at + 5] = (energy_pj - last[2 * model + 1]) / (worst_energy_pj * due)
        out[at + 6] = violations / frames
        out[at + 7] = energy_pj / (worst_energy_pj * frames)
        last[2 * model] = violations
        last[2 * model + 1] = energy_pj
        at += 8
    elapsed_ns = max(now_ns - last[-1], 1.0)
    for accelerator in range(accelerators):
        run = state.accelerators[accelerator]
        busy_ns = float(run.busy_ns)
        if run.busy_until_ns != NEVER:
            busy_ns += now_ns - run.busy_since_ns
        out[at] = (busy_ns - last[2 * models + accelerator]) / elapsed_ns
        last[2 * models + accelerator] = busy_ns
        at += 1
    last[-1] = now_ns
    out[at] = state.parameter[0]
    out[at + 1] = state.parameter[1]
    out[at + 2] = (horizon_ns - now_ns) / horizon_ns
