from __future__ import annotations

import doctest
import pickle
import re
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dream_gym
from dream_gym.envs import DreamRTMMDispatchEnv
from dream_gym.errors import ActionError, ConfigError, EnvStateError
from dream_gym.simulator import Simulation

SHORT = {"episode_seconds": 0.03, "load": 2.0}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"observation": "dict"},
    {"skip_forced": True},
    {"decision": "block"},
    {"decision": "block", "block_share": 0.25, "wait_until_idle": True},
    {"scenario": "drone_indoor", "jitter": 0.2, "wait_until_idle": True, "skip_forced": True},
    {"supernet": "free"},
    {"max_slots": 2},
    {"expiry": "firm", "contention": True, "energy_norm": "literal", "reward": "dense"},
    {"scenario": ["ar_call", "drone_indoor"], "platform": ["4k_2ws", "4k_1ws_2os"]},
    {"load": (0.5, 2.0), "reward": "log_uxcost_delta", "episode_seconds": 0.07},
]


def make(**arguments: Any) -> DreamRTMMDispatchEnv:
    env = gym.make("dream_gym:DreamRTMM-Dispatch-v0", **{**SHORT, **arguments}).unwrapped
    assert isinstance(env, DreamRTMMDispatchEnv)
    return env


def play(env: DreamRTMMDispatchEnv, seed: int, choose: Any) -> tuple[float, dict[str, Any]]:
    """An episode; the sum of its rewards, and its last info."""
    observation, info = env.reset(seed=seed, options={"record": True})
    total, terminated = 0.0, False
    while not terminated:
        assert env.observation_space.contains(observation)
        assert info["action_mask"].dtype == np.int8
        assert info["action_mask"][-1] == 1, "waiting is always legal"
        assert (env.action_masks() == info["action_mask"]).all()
        observation, reward, terminated, truncated, info = env.step(choose(env, info))
        assert type(reward) is float
        assert not truncated
        assert info["elapsed_ns"] >= 0
        total += reward
    return total, info


def at_random(seed: int) -> Any:
    generator = np.random.default_rng(seed)

    def choose(env: DreamRTMMDispatchEnv, info: dict[str, Any]) -> int:
        return int(generator.choice(np.flatnonzero(info["action_mask"])))

    return choose


@pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")  # it knows no masks
@pytest.mark.parametrize("arguments", VARIANTS)
def test_gymnasium_checker(arguments: dict[str, Any]) -> None:
    check_env(make(**arguments), skip_render_check=True)


@pytest.mark.filterwarnings("ignore:.*were illegal:UserWarning")
def test_stable_baselines3_checker() -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(make())


@pytest.mark.parametrize("arguments", VARIANTS)
def test_random_episodes_keep_the_laws(arguments: dict[str, Any]) -> None:
    env = make(**arguments)
    for seed in range(2):
        _, info = play(env, seed, at_random(seed))
        result = info["result"]
        dream_gym.simulator.check_invariants(result, env.simulation.problem)
        assert info["illegal_actions"] == 0


def test_rewards_sum_to_minus_uxcost() -> None:
    total, info = play(make(), 3, at_random(3))
    assert total == pytest.approx(-info["result"].uxcost, rel=1e-12)


@pytest.mark.parametrize("expiry", ["soft", "firm"])
@pytest.mark.parametrize("scenario", ["drone_outdoor", "ar_call", "xrbench_ar_assistant"])
def test_playing_edf_gives_the_timeline_of_edf(scenario: str, expiry: str) -> None:
    cell = {"scenario": scenario, "load": 3.0, "expiry": expiry}
    env = make(**cell, episode_seconds=0.1)
    _, info = play(env, 7, lambda env, info: env.expert_action("edf"))
    compiled = dream_gym.simulate(
        scenario, "4k_1ws_2os", "edf", seconds=0.1, seed=7, load=3.0, expiry=expiry, record=True
    )
    assert info["result"].timeline.tolist() == compiled.timeline.tolist()
    assert info["result"].summary() == compiled.summary()


def test_waiting_for_ever_is_worse_than_fcfs() -> None:
    total, info = play(make(load=1.0, episode_seconds=0.5), 1, lambda env, info: env.actions - 1)
    result = info["result"]
    assert result.mean_lost_rate == 1.0
    fcfs = dream_gym.simulate("ar_social", "4k_1ws_2os", "fcfs", seconds=0.5, seed=1)
    assert total < -fcfs.uxcost


def test_forced_choices_are_taken_silently() -> None:
    def fewest(env: DreamRTMMDispatchEnv, info: dict[str, Any]) -> int:
        counts.append(int(info["action_mask"].sum()))
        return int(np.flatnonzero(info["action_mask"])[0])

    counts: list[int] = []
    play(make(skip_forced=True), 2, fewest)
    assert min(counts) >= 3
    counts = []
    play(make(), 2, fewest)
    assert min(counts) == 2


def test_illegal_actions_are_counted_and_answered_with_waiting() -> None:
    env = make(episode_seconds=0.2)
    _, info = env.reset(seed=1)
    for count in (1, 2):
        illegal = int(np.flatnonzero(info["action_mask"] == 0)[0])
        *_, info = env.step(illegal)
        assert info["illegal_actions"] == count
        assert info["elapsed_ns"] > 0
    before = env.simulation.now_ns
    outside = (env.actions, -1, 10**6, 2**80, -(2**63), np.uint64(2**64 - 1))
    others = (
        True,
        np.bool_(True),
        "left",
        "0",
        0.0,
        np.float32(1),
        float("inf"),
        None,
        np.zeros(2, int),
        [1],
    )
    for action in (*outside, *others):
        with pytest.raises(ActionError, match=f"an integer from 0 to {env.actions - 1}, got"):
            env.step(action)
    assert env.simulation.now_ns == before, "what is refused changes nothing"


def illegal_at_first(count: int) -> Any:
    """Illegal in the first steps of an episode, then waiting."""

    def choose(env: DreamRTMMDispatchEnv, info: dict[str, Any]) -> int:
        mask = info["action_mask"]
        return int(mask.argmin()) if info["illegal_actions"] < count else len(mask) - 1

    return choose


def test_an_episode_with_many_illegal_actions_ends_in_one_warning() -> None:
    env = make(episode_seconds=1.0)
    steps = play(env, 1, illegal_at_first(0))[1]["episode_statistics"]["l"]
    assert steps >= 20
    most = steps // 20  # 5 % pass without a word, and each episode counts anew
    for _ in range(2):
        _, info = play(env, 1, illegal_at_first(most))
        assert info["episode_statistics"]["illegal_actions"] == info["illegal_actions"] == most
    with pytest.warns(UserWarning, match="MaskableEvalCallback") as caught:
        _, info = play(env, 1, illegal_at_first(most + 1))
    assert info["episode_statistics"]["illegal_actions"] == most + 1
    (warning,) = caught
    assert str(warning.message).startswith(f"{most + 1} of the {steps} actions")


def test_an_episode_that_is_left_or_truncated_warns_too() -> None:
    env = make(episode_seconds=1.0)
    choose = illegal_at_first(9)
    for _ in range(2):
        _, info = env.reset(seed=1)
        for _ in range(20):
            *_, info = env.step(choose(env, info))
        with pytest.warns(UserWarning, match="9 of the 20 actions"):
            env.reset(seed=1)
    batch: Any = gym.make_vec(
        "dream_gym:DreamRTMM-Dispatch-v0", num_envs=1, episode_seconds=1.0, max_episode_steps=20
    )
    _, info = batch.reset(seed=1)
    for _ in range(20):
        *_, info = batch.step(np.array([int(info["action_mask"][0].argmin())]))
    with pytest.warns(UserWarning, match="20 of the 20 actions"):
        batch.step(np.array([0]))  # the next episode begins


@pytest.mark.parametrize(
    ("options", "told"),
    [({"recrod": True}, "did you mean record"), ({"record": 1}, "options.record"), (3, "options")],
)
def test_options_of_a_reset_are_checked(options: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make().reset(seed=1, options=options)


def test_statistics_are_those_of_the_episode() -> None:
    total, info = play(make(), 3, at_random(3))
    statistics = info["episode_statistics"]
    assert statistics["r"] == pytest.approx(total)
    assert (type(statistics["r"]), type(statistics["l"])) == (float, int)
    assert statistics["illegal_actions"] == 0


def test_batches_count_and_warn_of_each_episode() -> None:
    arguments = {"num_envs": 2, "autoreset_mode": "SameStep", "episode_seconds": 0.1, "load": 2.0}
    batch: Any = gym.make_vec("dream_gym:DreamRTMM-Dispatch-v0", **arguments)
    _, info = batch.reset(seed=1)
    wait = batch.single_action_space.n - 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        while "final_info" not in info:
            illegal = int(info["action_mask"][1].argmin())
            *_, info = batch.step(np.array([wait, illegal]))
    statistics = info["final_info"]["episode_statistics"]
    assert statistics["illegal_actions"].tolist() == [0, statistics["l"][1]]
    assert statistics["l"][1] > 0
    (warning,) = caught
    assert "of an episode were illegal" in str(warning.message)


@pytest.mark.parametrize(
    "kind", [int, np.int32, np.int64, np.uint8, lambda number: np.array(number)]
)
def test_integers_of_any_kind_are_actions(kind: Any) -> None:
    env = make()
    env.reset(seed=1)
    *_, info = env.step(kind(0))
    assert info["illegal_actions"] == 0


def test_one_action_is_always_legal() -> None:
    env = make()
    assert np.flatnonzero(env.action_masks()).tolist() == [env.actions - 1], "before the reset, too"
    batch: Any = gym.make_vec("dream_gym:DreamRTMM-Dispatch-v0", num_envs=3, **SHORT)
    assert (batch.action_masks() == env.action_masks()).all()
    play(env, 1, at_random(1))
    assert np.flatnonzero(env.action_masks()).tolist() == [env.actions - 1]


@pytest.mark.parametrize("supernet", ["dream", "free"])
@pytest.mark.parametrize("max_slots", [3, None])
def test_pairs_are_legal_where_the_mask_says_so(supernet: str, max_slots: int | None) -> None:
    env = make(
        platform=["4k_2ws", "4k_1ws_2os"],
        supernet=supernet,
        max_slots=max_slots,
        observation="dict",
        episode_seconds=0.05,
    )
    choose = at_random(0)
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        ended = False
        while not ended:
            observation, _, ended, _, info = env.step(choose(env, info))
            legal = observation["pairs"][..., 0]
            mask = info["action_mask"][: -1 - len(legal)]
            assert (legal == mask.reshape(*legal.shape, -1).any(axis=-1)).all()
            present = observation["frames"][:, 0]
            assert present.sum() == min(env.simulation.state.run[0].live_count, len(present))
        assert not observation["frames"].any(), "no frames are left"
        assert not observation["pairs"].any()


def test_steps_need_a_running_episode() -> None:
    env = make()
    with pytest.raises(EnvStateError, match="reset"):
        env.step(0)


def test_the_flat_vector_and_the_dict_are_the_same() -> None:
    flat, tables = make(), make(observation="dict")
    vector, _ = flat.reset(seed=4)
    parts, _ = tables.reset(seed=4)
    assert np.concatenate([part.ravel() for part in parts.values()]).tobytes() == vector.tobytes()
    assert len(flat.observation.names) == len(vector)
    frames = parts["frames"]
    waiting = frames[:, 1] == 1
    assert waiting.sum() == 4  # one frame of each root at time 0
    assert (np.diff(frames[waiting][:, 3] * frames[waiting][:, 9]) >= -1e-6).all(), "by deadline"
    names = dict(zip(flat.observation.names, vector, strict=True))
    assert names["global.time_left"] == 1.0
    assert names["pairs[0,0].legal"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"observation": "image"}, "observation"),
        ({"decision": "model"}, "decision"),
        ({"supernet": "yes"}, "supernet"),
        ({"max_slots": 0}, "max_slots"),
        ({"max_slots": 2.5}, "max_slots"),
        ({"max_slots": "all"}, "max_slots"),
        ({"load": (2, 1)}, "load"),
        ({"load": (1, 2, 3)}, "load"),
        ({"load": (1, "2")}, "load"),
        ({"load": "high"}, "load"),
        ({"load": None}, "load"),
        ({"load": float("nan")}, "load"),
        ({"load": {1.0: 2.0}}, "load"),
        ({"episode_seconds": -1.0}, "episode_seconds"),
        ({"episode_seconds": float("inf")}, "episode_seconds"),
        ({"episode_seconds": None}, "episode_seconds"),
        ({"observation": ["box"]}, "observation"),
        ({"render_mode": "ansi"}, "render_mode"),
        ({"scenario": []}, "scenario"),
        ({"scenario": "nope"}, "nope"),
        ({"reward": "nope"}, "reward"),
        ({"accuracy_weight": -1}, "accuracy_weight"),
        ({"accuracy_weight": "high"}, "accuracy_weight"),
        ({"jitter": 1.0}, "jitter"),
        ({"jitter": "some"}, "jitter"),
        ({"cascade": 1.5}, "cascade"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        make(**arguments)


def test_pickling_gives_an_equal_environment() -> None:
    env = make(supernet="free")
    again = pickle.loads(pickle.dumps(env))
    first, second = (play(item, 8, at_random(8)) for item in (env, again))
    assert first[0] == second[0]


def test_the_documentation_lists_every_entry_and_its_example_runs() -> None:
    page = DreamRTMMDispatchEnv.__doc__ or ""
    for table in make().observation.tables.values():
        for feature in table.features:
            assert f"| {feature.name} | {feature.unit} |" in page
    assert "TABLES" not in page
    finder = doctest.DocTestParser().get_doctest(page, {}, "page", None, None)
    assert len(finder.examples) >= 4
    assert doctest.DocTestRunner().run(finder).failed == 0


@pytest.mark.parametrize("arguments", [{"scenario": "ar_call"}, {"skip_forced": True}])
def test_an_episode_without_a_decision_ends_with_its_first_step(arguments, monkeypatch) -> None:
    # One in which nothing is due would be refused.
    monkeypatch.setattr(Simulation, "check_frames", lambda *_: None)
    env = make(episode_seconds=0.002, load=1.0, **arguments)
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [0] * (env.action_space.n - 1) + [1]
    _, reward, terminated, _, info = env.step(env.action_space.n - 1)
    assert terminated
    assert reward == -info["result"].uxcost == 0.0
    batch = gym.make_vec(
        "dream_gym:DreamRTMM-Dispatch-v0", num_envs=2, episode_seconds=0.002, **arguments
    )
    batch.reset(seed=0)
    last = np.full(2, env.action_space.n - 1)
    for _ in range(2):
        assert batch.step(last)[2].all()
        assert not batch.step(last)[2].any()  # the next episodes begin
