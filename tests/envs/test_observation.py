"""What the features of the dispatch environment say, against what the scheduler would compute."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dream_gym.envs.dispatch.entries import MenuEntry
from dream_gym.envs.dispatch.observation import FRAMES, PAIRS
from dream_gym.envs.rewards import REWARDS
from dream_gym.simulator import switch_cost

DISPATCH = "dream_gym:DreamRTMM-Dispatch-v0"
ALPHA, BETA = 0.7, 1.3
CELLS = [
    ("ar_social", "4k_1ws_2os", 1.3),
    ("vr_gaming", "8k_1os_2ws", 2.5),
    ("drone_outdoor", "4k_2ws", 3.0),
]


def columns(table: Any, features: Any) -> dict[str, Any]:
    return {feature.name: table[..., at].astype(float) for at, feature in enumerate(features)}


def observed_scores(observation: dict[str, Any], accelerators: int) -> Any:
    """MapScore of every pair, as the page says."""
    frames = columns(observation["frames"], FRAMES)
    pairs = columns(observation["pairs"], PAIRS)
    urgency, starvation = np.expm1(frames["urgency"]), np.expm1(frames["starvation"])
    scores = urgency[:, None] * pairs["latency_preference"]
    energy_preference = np.sign(pairs["energy_preference"]) * np.expm1(
        np.abs(pairs["energy_preference"])
    )
    scores += ALPHA * starvation[:, None] / accelerators + BETA * energy_preference
    return scores * accelerators


def slot_of(env: Any, entry: MenuEntry) -> int:
    """Where the simulator keeps the frame of an entry."""
    slots = env.simulation.state.slots
    model = env.simulation.scenario.model_names.index(entry.model)
    found = (slots["serial"] > 0) & (slots["model"] == model) & (slots["frame"] == entry.frame)
    return int(np.flatnonzero(found).item())


def mapscore(simulation: Any, slot: int, accelerator: int) -> float:
    """MapScore by its definition."""
    problem, state = simulation.problem, simulation.state
    frame, now_ns = state.slots[slot], simulation.now_ns
    costs = problem.costs[frame.layer]
    last = problem.networks[frame.network].last_layer
    to_go_ns = problem.costs["latency_ns"][frame.layer : last + 1].sum() / len(costs)
    _, switch_pj = switch_cost(simulation.problem_arena, simulation.state_arena, slot, accelerator)
    latency = costs["latency_ns"].sum() / costs["latency_ns"][accelerator]
    energy = (costs["energy_pj"].sum() - switch_pj) / costs["energy_pj"][accelerator]
    starvation = (now_ns - frame.ready_since_ns) / costs["latency_ns"].mean()
    urgency = to_go_ns / max(frame.deadline_ns - now_ns, 1000)
    return float(urgency * latency + ALPHA * starvation + BETA * energy)


@pytest.mark.parametrize(("scenario", "platform", "load"), CELLS)
def test_mapscore_can_be_computed_from_it(scenario: str, platform: str, load: float) -> None:
    env: Any = gym.make(
        DISPATCH,
        scenario=scenario,
        platform=platform,
        load=load,
        episode_seconds=0.15,
        observation="dict",
    ).unwrapped
    observation, info = env.reset(seed=3)
    simulation = env.simulation
    accelerators = len(simulation.state.accelerators)
    generator, ended, compared, late = np.random.default_rng(0), False, 0, set()
    while not ended:
        scores = observed_scores(observation, accelerators)
        legal = np.argwhere(observation["pairs"][..., 0] == 1)
        for row, index in legal:
            slot = slot_of(env, env.describe(row * accelerators + index))
            expected = mapscore(simulation, slot, int(index))
            assert scores[row, index] == pytest.approx(expected, rel=1e-5, abs=1e-5)
            compared += 1
        if len(legal):
            expert = env.expert_action("dream_mapscore", alpha=ALPHA, beta=BETA)
            chosen = scores[divmod(expert, accelerators)]
            assert chosen >= max(scores[row, index] for row, index in legal) * (1 - 1e-5)
        frames = columns(observation["frames"], FRAMES)
        late |= set(frames["urgency"][frames["slack"] < 0].tolist())
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        observation, _, ended, _, info = env.step(action)
    assert compared > 500
    assert len(late) > 10, "late frames differ"


def test_finish_tells_when_a_dispatch_would_end() -> None:
    env: Any = gym.make(
        DISPATCH, load=1.3, episode_seconds=0.1, observation="dict", decision="block"
    ).unwrapped
    observation, info = env.reset(seed=2, options={"record": True})
    accelerators, ended, rows, taken = 3, False, 0, []
    while not ended:
        legal = np.flatnonzero(info["action_mask"])
        action = int(legal[-2] if len(legal) > 1 else legal[-1])
        row, index = divmod(action, accelerators)
        if row < len(observation["frames"]):
            pair = dict(zip([e.name for e in PAIRS], observation["pairs"][row, index], strict=True))
            slot = slot_of(env, env.describe(action))
            stream = env.simulation.state.slots[slot].stream
            deadline_ns = int(env.simulation.problem.streams[stream].deadline_ns)
            model = int(env.simulation.state.slots[slot].model)
            worst_pj = int(env.simulation.problem.models[model].worst_energy_pj)
            taken.append((env.simulation.now_ns, pair, deadline_ns, worst_pj))
        observation, _, ended, _, info = env.step(action)
    timeline = info["result"].timeline
    assert len(timeline) == len(taken) > 20
    assert timeline["layers"].max() > 1
    for dispatch, (now_ns, pair, deadline_ns, worst_pj) in zip(timeline, taken, strict=True):
        assert dispatch["start_ns"] == now_ns
        took_ns = dispatch["end_ns"] - dispatch["start_ns"]
        if dispatch["variant"] > 0:
            continue  # pairs are of the original
        assert pair["finish"] * deadline_ns == pytest.approx(took_ns, rel=1e-5)
        assert pair["switch"] * deadline_ns == pytest.approx(dispatch["switch_ns"], rel=1e-5)
        latency_ns = took_ns - dispatch["switch_ns"]
        assert pair["latency"] * deadline_ns == pytest.approx(latency_ns, rel=1e-5)
        assert 0 < pair["energy"] * worst_pj <= dispatch["energy_pj"] * (1 + 1e-5)
        rows += 1
    assert rows > 20


@pytest.mark.parametrize("env_id", ["DreamRTMM-v0", "DreamRTMM-Dispatch-v0"])
def test_observations_do_not_depend_on_the_reward(env_id: str) -> None:
    seen = []
    for reward in REWARDS:
        env: Any = gym.make(
            f"dream_gym:{env_id}", reward=reward, load=2.5, episode_seconds=0.2
        ).unwrapped
        observation, _ = env.reset(seed=1)
        observations, ended = [observation], False
        while not ended:
            action = np.ones(2, np.float32)
            if env_id != "DreamRTMM-v0":
                action = np.flatnonzero(env.action_masks())[0]
            observation, _, ended, *_ = env.step(action)
            observations.append(observation)
        seen.append(np.array(observations))
    names = list(env.observation.names)
    violations = [at for at, name in enumerate(names) if name.endswith(".violations")]
    assert (seen[0][len(seen[0]) // 2, violations] > 0).any(), "deadlines were missed"
    for other in seen[1:]:
        assert other.tobytes() == seen[0].tobytes()
