"""What a pair looks like, against the runs that dispatch it and against MapScore."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dream_gym.compiling.jit import entry_point
from dream_gym.envs import DreamRTMMDispatchEnv
from dream_gym.schedulers.pairs import Pair, look_at_pair
from dream_gym.simulator import NEVER, Ints, view_problem_compiled, view_state_compiled

ALPHA, BETA = 0.7, 1.3


@entry_point("of_the_tests", cache=False)
def _look(problem_arena: Ints, state_arena: Ints, slot: int, accelerator: int, layers: int) -> Pair:
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    return look_at_pair(problem, state, slot, accelerator, layers)


def look(simulation: Any, slot: int, accelerator: int, layers: int = 1) -> Pair:
    arenas = simulation.problem_arena, simulation.state_arena
    return _look(*arenas, int(slot), accelerator, layers)


def mapscore(simulation: Any, slot: int, pair: Pair) -> float:
    """MapScore of a pair, with the terms of the frame by their definition."""
    frame, accelerators = simulation.state.slots[slot], len(simulation.state.accelerators)
    sums = simulation.problem.layers[frame.layer]
    slack_ns = max(frame.deadline_ns - simulation.now_ns, 1000)
    urgency = sums.remaining_latency_ns / accelerators / slack_ns
    waited_ns = simulation.now_ns - frame.ready_since_ns
    starvation = waited_ns / (sums.total_latency_ns / accelerators)
    preferences = urgency * pair.latency_preference + BETA * pair.energy_preference
    return float(accelerators * preferences + ALPHA * starvation)


@pytest.mark.parametrize("decision", ["layer", "block"])
def test_a_pair_tells_what_its_dispatch_takes(decision: str) -> None:
    env = DreamRTMMDispatchEnv(load=1.6, episode_seconds=0.15, decision=decision)
    _, info = env.reset(seed=2, options={"record": True})
    generator, ended, taken = np.random.default_rng(0), False, []
    names = env.simulation.platform.accelerator_names
    while not ended:
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        entry = env.describe(action)
        if entry.kind == "dispatch":
            slots = env.simulation.state.slots
            model = env.simulation.scenario.model_names.index(str(entry.model))
            (slot,) = np.flatnonzero(
                (slots["serial"] > 0) & (slots["model"] == model) & (slots["frame"] == entry.frame)
            )
            place, layers = names.index(str(entry.accelerator)), int(entry.layers or 0)
            taken.append((entry, look(env.simulation, slot, place, layers)))
        _, _, ended, _, info = env.step(action)
    timeline = info["result"].timeline
    assert len(timeline) == len(taken) > 100
    switches = 0
    for row, (entry, pair) in zip(timeline, taken, strict=True):
        if entry.variant:
            continue  # a pair is of the original until a variant is chosen
        assert pair.legal
        assert pair.wait_ns == 0
        assert pair.switch_ns == row["switch_ns"]
        assert pair.switch_ns + pair.latency_ns == row["end_ns"] - row["start_ns"]
        assert pair.switch_pj + pair.energy_pj == row["energy_pj"]
        switches += pair.switch_ns > 0
    assert 0 < switches < len(taken)


def test_mapscore_takes_the_pair_of_the_highest_score() -> None:
    env = DreamRTMMDispatchEnv(load=1.4, episode_seconds=0.1)
    _, info = env.reset(seed=3)
    simulation, generator = env.simulation, np.random.default_rng(0)
    accelerators, compared, busy, ended = len(simulation.state.accelerators), 0, 0, False
    while not ended:
        state = simulation.state
        pairs = {
            (slot, index): look(simulation, slot, index)
            for slot in state.live[: state.run[0].live_count].tolist()
            for index in range(accelerators)
        }
        for (slot, index), pair in pairs.items():
            until_ns = state.accelerators[index].busy_until_ns
            idle = until_ns == NEVER
            assert pair.legal == (idle and not state.slots[slot].executing)
            assert pair.wait_ns == (0 if idle else until_ns - simulation.now_ns)
            busy += pair.wait_ns > 0
            if not pair.legal:
                assert pair.switch_ns == pair.switch_pj == 0
        scores = {
            (slot, index): mapscore(simulation, slot, pair)
            for (slot, index), pair in pairs.items()
            if pair.legal
        }
        action = env.expert_action("dream_mapscore", alpha=ALPHA, beta=BETA)
        entry = env.describe(action)
        if scores:
            best, index = max(scores, key=lambda pair: scores[pair])
            assert entry.accelerator == simulation.platform.accelerator_names[index]
            assert entry.frame == state.slots[best].frame
            compared += len(scores) > 1
        else:
            assert entry.kind == "wait"
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        _, _, ended, _, info = env.step(action)
    assert compared > 50
    assert busy > 100
