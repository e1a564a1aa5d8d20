"""The menu in words, and the experts that choose from it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import dream_gym
from dream_gym.envs import DreamRTMMDispatchEnv
from dream_gym.errors import ActionError, ConfigError, EnvStateError
from dream_gym.schedulers import BUILTIN

DISPATCH = "dream_gym:DreamRTMM-Dispatch-v0"
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"supernet": "free", "scenario": "ar_social"},
    {"decision": "block", "wait_until_idle": True},
    {"sizes": {"accelerators": 5, "rows": 70}, "expiry": "firm"},
)


def make(**arguments: Any) -> DreamRTMMDispatchEnv:
    return DreamRTMMDispatchEnv(**{"load": 1.4, "episode_seconds": 0.1, **arguments})


@pytest.mark.parametrize("arguments", VARIANTS)
def test_a_description_is_what_then_happens(arguments: dict[str, Any]) -> None:
    env = make(**arguments)
    _, info = env.reset(seed=1, options={"record": True})
    generator, ended, kinds, described = np.random.default_rng(0), False, set(), []
    models, accelerators = env.simulation.scenario.model_names, env.simulation.platform
    while not ended:
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        entry = env.describe(action)
        assert entry.legal
        assert entry.action == action
        kinds.add((entry.kind, entry.accelerator is not None))
        if entry.kind == "dispatch":
            described.append((env.simulation.now_ns, entry))
        lost = env.simulation.state.models["lost"].copy()
        _, _, ended, _, info = env.step(action)
        if entry.kind == "drop":
            lost = env.simulation.state.models["lost"] - lost
            assert lost[models.index(str(entry.model))] >= 1
    timeline = info["result"].timeline
    assert len(timeline) == len(described) > 20
    for row, (now_ns, entry) in zip(timeline, described, strict=True):
        assert row["start_ns"] == now_ns
        assert entry.model == models[row["model"]]
        assert entry.accelerator == accelerators.accelerator_names[row["accelerator"]]
        found = (entry.frame, entry.layer, entry.layers, entry.variant)
        assert found == tuple(row[["frame", "layer", "layers", "variant"]])
        assert str(entry.frame) in str(entry)
        assert str(entry.accelerator) in str(entry)
    expected = {("dispatch", True), ("drop", False), ("wait", False)}
    assert kinds >= expected - (
        {("drop", False)} if env.simulation.problem.setting[0].firm else set()
    )
    assert (("wait", True) in kinds) == arguments.get("wait_until_idle", False)


@pytest.mark.parametrize("arguments", VARIANTS)
def test_actions_can_be_found_by_their_descriptions(arguments: dict[str, Any]) -> None:
    env = make(**arguments)
    _, info = env.reset(seed=1)
    generator, looked_at = np.random.default_rng(0), 0
    for _ in range(40):
        for action in range(env.actions):
            entry = env.describe(action)
            assert entry.legal == info["action_mask"][action]
            nowhere = entry.kind != "drop" and entry.accelerator is None
            if entry.model is None and entry.kind != "wait":
                assert "no frame" in str(entry)
            elif entry.kind != "dispatch" or not nowhere:
                choice = {"model": entry.model, "frame": entry.frame}
                if env.sizes["variants"] > 1 and entry.kind == "dispatch":
                    choice["variant"] = action % env.sizes["variants"]
                found = env.action_of(entry.kind, accelerator=entry.accelerator, **choice)
                # Padding of the accelerators is waited for as nothing is.
                assert found == action or (entry.kind == "wait" and nowhere)
                looked_at += 1
        _, _, ended, _, info = env.step(int(generator.choice(np.flatnonzero(info["action_mask"]))))
        assert not ended
    assert looked_at > 400


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"kind": "run"}, "expected dispatch, drop or wait"),
        ({"kind": "dispatch"}, "needs a model and frame"),
        ({"kind": "wait", "model": "depth"}, "needs no model"),
        ({"kind": "drop", "model": "nobody", "frame": 0}, "frame 0 of 'nobody' has no row now"),
        ({"kind": "drop", "model": "depth", "frame": 0, "variant": 1}, "no variant 1"),
        ({"kind": "wait", "accelerator": "os0"}, "wait_until_idle"),
        ({"kind": "dispatch", "model": "x", "frame": 0, "accelerator": "no"}, "expected one of"),
    ],
)
def test_what_is_not_on_the_menu_is_said(choice: dict[str, Any], words: str) -> None:
    env = make()
    env.reset(seed=1)
    if choice.get("accelerator") == "os0":
        choice["accelerator"] = env.simulation.platform.accelerator_names[0]
    with pytest.raises(ActionError, match=words):
        env.action_of(**choice)


def test_questions_need_an_episode_and_an_action() -> None:
    env = make()
    for ask in (
        lambda: env.describe(0),
        lambda: env.action_of("wait"),
        lambda: env.expert_action("edf"),
    ):
        with pytest.raises(EnvStateError, match="call reset"):
            ask()
    env.reset(seed=1)
    for action in (-1, env.actions, 1.5, True, "wait"):
        with pytest.raises(ActionError, match="expected an integer"):
            env.describe(action)
    with pytest.raises(ConfigError, match="nobody"):
        env.expert_action("nobody")
    with pytest.raises(ConfigError, match="gamma"):
        env.expert_action("dream_full", gamma=1.0)


def play(env: Any, name: str, seed: int) -> tuple[Any, int]:
    """What comes of following an expert, and how often it chose what the menu does not have."""
    env.reset(seed=seed, options={"record": True})
    missing = 0
    while not env.simulation.ended:
        action = env.expert_action(name)
        missing += action < 0
        *_, info = env.step(action if action >= 0 else env.actions - 1)
    return info["result"], missing


@pytest.mark.compiled
@pytest.mark.parametrize("name", BUILTIN)
def test_following_an_expert_is_its_scheduler(name: str) -> None:
    """Whatever it keeps in mind; but for blocks, which are the environment's affair."""
    cell = {"scenario": "ar_social", "platform": "4k_1ws_2os", "load": 1.4}
    env = DreamRTMMDispatchEnv(**cell, episode_seconds=0.2, supernet="free")
    alone = dream_gym.simulate(**cell, scheduler=name, seconds=0.2, seed=3, record=True)
    for _ in range(2):  # what one episode has taught it is gone in the next
        played, missing = play(env, name, 3)
        assert missing == 0
        assert played.timeline is not None
        assert alone.timeline is not None
        if (alone.timeline["layers"] == 1).all():
            assert played.timeline.tolist() == alone.timeline.tolist()
    assert played.dispatches > 100


def test_an_expert_may_want_what_is_not_on_the_menu() -> None:
    env = make(load=2.5, max_slots=2)
    _, missing = play(env, "fcfs", 1)  # rows are by deadline, it goes by release
    assert missing > 0


def test_nor_does_it_have_every_drop() -> None:
    env = make(load=4.0, episode_seconds=0.3)
    env.reset(seed=1)
    chosen = set()
    while not env.simulation.ended:
        action = env.expert_action("dream_plus", drop_cap=10)
        kind = env.describe(action).kind if action >= 0 else "missing"
        chosen.add(kind)
        env.step(action if action >= 0 else env.actions - 1)
    assert chosen >= {"dispatch", "drop", "missing"}


def test_experts_may_take_turns_and_points_be_returned_to() -> None:
    env = make(supernet="free")
    env.reset(seed=1)
    for _ in range(30):
        env.step(env.expert_action("prema"))
    start = env.get_state()
    asked = [env.expert_action(name) for name in ("prema", "edf", "fcfs_static", "heft_rt", "edf")]
    env.set_state(start)
    assert env.expert_action("edf") == asked[1] == asked[4]
    other = make(supernet="free")
    other.set_state(start)
    assert [other.expert_action(name) for name in ("fcfs_static", "heft_rt")] == asked[2:4]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("name", ["dream_full", "prema", "fcfs_static"])
def test_a_batch_asks_as_each_alone_does(mode: str, name: str) -> None:
    arguments = {"load": (1.2, 2.0), "episode_seconds": 0.04, "supernet": "free"}
    env: Any = gym.make_vec(DISPATCH, num_envs=5, autoreset_mode=mode, **arguments)
    with pytest.raises(EnvStateError, match="call reset"):
        env.expert_action(name)
    _, info = env.reset(seed=4)
    ends = 0
    for _ in range(300):
        actions = env.expert_action(name)
        assert actions.dtype == np.int64
        for row, single in enumerate(env.envs):
            if single.simulation.ended:
                assert actions[row] == single.actions - 1
                ends += 1
            else:
                assert actions[row] == single.expert_action(name)
                assert info["action_mask"][row, actions[row]] == 1
        *_, info = env.step(actions)
    assert (ends > 0) == (mode == "NextStep")
    assert len(set(actions.tolist())) > 1
