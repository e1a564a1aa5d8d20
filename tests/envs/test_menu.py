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
    generator, looked_at, started = np.random.default_rng(0), 0, 0
    for _ in range(40):
        for action in range(env.actions):
            entry = env.describe(action)
            assert entry.legal == info["action_mask"][action]
            nowhere = entry.kind != "drop" and entry.accelerator is None
            if entry.model is None and entry.kind != "wait":
                assert "no frame" in str(entry)
            elif entry.kind != "dispatch" or not nowhere:
                choice = {"model": entry.model, "frame": entry.frame, "variant": entry.variant}
                if env.sizes["variants"] > 1 and entry.kind == "dispatch" and not entry.legal:
                    continue  # variants that a frame does not have, or is not asked for any more
                found = env.action_of(entry.kind, accelerator=entry.accelerator, **choice)
                # Padding of the accelerators is waited for as nothing is.
                assert found == action or (entry.kind == "wait" and nowhere)
                started += entry.legal and bool(entry.layer)
                looked_at += 1
        _, _, ended, _, info = env.step(int(generator.choice(np.flatnonzero(info["action_mask"]))))
        assert not ended
    assert looked_at > 200
    assert started > 0


def test_a_frame_that_has_begun_keeps_its_variant() -> None:
    env = make(supernet="free", load=2.0)
    _, info = env.reset(seed=1)
    lighter = 0
    while not env.simulation.ended:
        entries = [env.describe(action) for action in np.flatnonzero(info["action_mask"])]
        begun = [entry for entry in entries if entry.layer and entry.variant]
        for entry in begun:
            frame = {"model": entry.model, "frame": entry.frame, "accelerator": entry.accelerator}
            assert env.action_of("dispatch", **frame) == entry.action
            with pytest.raises(ActionError, match=f"may run {entry.variant}, not 0"):
                env.action_of("dispatch", **frame, variant=0)
            lighter += 1
        last = [entry for entry in entries if entry.kind == "dispatch"]
        most = max(last, key=lambda entry: entry.variant or 0) if last else entries[-1]
        *_, info = env.step(most.action)
    assert lighter > 0


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"kind": "run"}, "expected dispatch, drop or wait"),
        ({"kind": "dispatch"}, "needs a model and frame"),
        ({"kind": "wait", "model": "depth"}, "needs no model"),
        ({"kind": "drop", "model": "nobody", "frame": 0}, "frame 0 of 'nobody' has no row now"),
        ({"kind": "drop", "model": "depth", "frame": 0, "variant": 1}, "drop takes none"),
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
    env.expert_action("dream_full", alpha=1)
    for alpha in ([1], True, "high"):
        with pytest.raises(ConfigError, match="alpha"):
            env.expert_action("dream_full", alpha=alpha)


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
    compared, cell = False, {"scenario": "ar_social", "platform": "4k_1ws_2os", "load": 2.5}
    env = DreamRTMMDispatchEnv(**cell, episode_seconds=0.2, supernet="free")
    alone = dream_gym.simulate(**cell, scheduler=name, seconds=0.2, seed=3, record=True)
    for _ in range(2):  # what one episode has taught it is gone in the next
        played, missing = play(env, name, 3)
        assert missing == 0
        assert played.timeline is not None
        assert alone.timeline is not None
        if (alone.timeline["layers"] == 1).all():
            assert played.timeline.tolist() == alone.timeline.tolist()
            compared = True
    assert played.dispatches > 100
    assert compared or name in ("veltair", "learned"), "which dispatch blocks"
    if name == "dream_full":
        assert played.timeline["variant"].max() > 0


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


@pytest.mark.compiled
def test_experts_that_take_turns_know_nothing_of_one_another() -> None:
    env = make(supernet="free", episode_seconds=0.3)
    env.reset(seed=1)
    points = []
    for _ in range(5):
        for _ in range(60):
            mask = env.action_masks()
            env.step(int(np.flatnonzero(mask)[0]))
        points.append(env.get_state())
    for point in points:
        alone = {}
        for name in BUILTIN:
            env.set_state(point)
            alone[name] = env.expert_action(name)
        for first in ("prema", "heft_rt", "dream_online", "sgprs", "fcfs_static"):
            for second in BUILTIN:
                env.set_state(point)
                env.expert_action(first)
                assert env.expert_action(second) == alone[second], (first, second)


@pytest.mark.parametrize("name", ["prema", "sgprs", "dream_online"])
def test_a_decision_point_keeps_what_an_expert_remembers(name: str) -> None:
    env, other = (make(load=2.0, supernet="free") for _ in range(2))
    env.reset(seed=1)

    def follow(env: DreamRTMMDispatchEnv, steps: int) -> list[int]:
        actions = []
        for _ in range(steps):
            actions.append(env.expert_action(name))
            env.step(actions[-1])
        return actions

    follow(env, 200)
    point = env.get_state()
    once = follow(env, 200)
    env.set_state(point)
    assert follow(env, 200) == once
    other.set_state(point)
    assert follow(other, 200) == once


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("name", ["dream_full", "prema", "fcfs_static"])
def test_a_batch_asks_as_each_alone_does(mode: str, name: str) -> None:
    arguments = {"load": (1.2, 2.0), "episode_seconds": 0.04, "supernet": "free"}
    env: Any = gym.make_vec(DISPATCH, num_envs=5, autoreset_mode=mode, **arguments)
    with pytest.raises(EnvStateError, match="call reset"):
        env.expert_action(name)
    _, info = env.reset(seed=4)
    ends, options = 0, [{}, {}]
    if name == "dream_full":
        options = [{"alpha": 0.0, "beta": 2.0}, {"alpha": 2.0, "beta": 0.0}]
    for step in range(300):
        asked = options[step % 2]
        actions = env.expert_action(name, **asked)
        assert actions.dtype == np.int64
        for row, single in enumerate(env.envs):
            if single.simulation.ended:
                assert actions[row] == single.actions - 1
                ends += 1
            else:
                assert actions[row] == single.expert_action(name, **asked)
                assert info["action_mask"][row, actions[row]] == 1
        *_, info = env.step(actions)
    assert (ends > 0) == (mode == "NextStep")
    assert len(set(actions.tolist())) > 1
