"""Another future keeps what has been revealed, and is one that could have been."""

from __future__ import annotations

import numpy as np
import pytest

from dream_gym.compiling.jit import entry_point
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import (
    NEVER,
    Ints,
    Simulation,
    redraw,
    view_problem_compiled,
    view_state_compiled,
)
from dream_gym.simulator.frames import COMPLETED
from tests.handmade import Given, make_platform, make_scenario

HORIZON_NS = 400_000
SEED = 3


@entry_point("futures", cache=False)
def redraw_at(problem_arena: Ints, state_arena: Ints, seed: int) -> None:
    redraw(view_problem_compiled(problem_arena), view_state_compiled(state_arena), seed)


def make(jitter_ns: int, expiry: str) -> Simulation:
    """A chain of three models whose links may break, and one with a path, under some load."""
    models = [
        Given("p", [1500, 1500], every_ns=5000, jitter_ns=jitter_ns, deadline_ns=9000),
        Given("c", [2500], every_ns=5000, parent="p", probability=0.6, deadline_ns=7000),
        Given("g", [1000], every_ns=10_000, parent="c", probability=0.5, deadline_ns=16_000),
        Given("s", [900] * 4, every_ns=7000, blocks=[(1, 2, 0.5)], exits=[(2, 0.3)]),
    ]
    engine = get_scheduler("edf").engine
    scenario, platform = make_scenario(models), make_platform(1, models)
    simulation = Simulation(scenario, platform, engine, expiry=expiry)
    simulation.reset(seed=SEED, seconds=HORIZON_NS / 1e9, record=True)
    return simulation


def branch(simulation: Simulation, seed: int) -> Simulation:
    """The same run with another future, and room to record it: it may have more frames."""
    other = simulation.clone()
    timeline, frames = (
        np.concatenate([table, np.zeros((1000, table.shape[1]), dtype=np.int64)])
        for table in simulation.records
    )
    other.restore(simulation.state_arena, (timeline, frames))
    redraw_at(other.problem_arena, other.state_arena, seed)
    return other


def outcome(simulation: Simulation) -> tuple[list[int], list[int]]:
    """Violations of each model as counted at the end, and by the records."""
    simulation.advance(simulation.horizon_ns)
    frames = simulation.result().frames
    assert frames is not None
    bad = (frames["fate"] != COMPLETED) | (frames["end_ns"] > frames["deadline_ns"])
    models = len(simulation.problem.models)
    recorded = np.bincount(frames["model"][bad], minlength=models).tolist()
    return simulation.state.models["violations"].tolist(), recorded


@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_the_runs_own_seed_gives_its_own_future(expiry: str) -> None:
    simulation = make(0, expiry)
    whole = make(0, expiry)
    expected = outcome(whole)
    for until_ns in range(1, HORIZON_NS, 1999):
        simulation.advance(until_ns)
        same = branch(simulation, SEED)
        assert outcome(same) == expected
        assert same.result().timeline.tolist() == whole.result().timeline.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_every_frame_of_a_future_counts_once(expiry: str) -> None:
    simulation = make(3000, expiry)
    ends = set()
    for until_ns in range(1, HORIZON_NS, 2999):
        simulation.advance(until_ns)
        for seed in (10, 11):
            counted, recorded = outcome(branch(simulation, seed))
            assert counted == recorded
            ends.add(tuple(counted))
    assert len(ends) > 40


def test_a_release_is_drawn_among_the_times_that_are_left() -> None:
    simulation = make(4000, "soft")
    waited = 0
    for until_ns in range(1, HORIZON_NS - 9000, 1999):
        simulation.advance(until_ns)
        own = simulation.state.streams[0].next_release_ns
        nominal = int(simulation.state.streams[0].next_frame) * 5000
        drawn = [int(branch(simulation, s).state.streams[0].next_release_ns) for s in range(40)]
        least, most = max(nominal, until_ns + 1), nominal + 4000
        assert own != NEVER
        assert least <= min(drawn) < least + (most - least) / 4
        assert most - (most - least) / 4 < max(drawn) <= most
        waited += least > nominal
    assert waited > 20
