from __future__ import annotations

import doctest
import inspect
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RescaleAction
from hypothesis import given, settings
from hypothesis import strategies as st

import dream_gym
from dream_gym.envs import DreamRTMMDispatchEnv, DreamRTMMEnv
from dream_gym.envs.tuning.env import SCHEDULER, TUNABLES
from dream_gym.errors import ActionError, ConfigError, EnvStateError
from dream_gym.simulator.frames import COMPLETED

ID = "dream_gym:DreamRTMM-v0"


def make(**arguments):
    return gym.make(ID, **({"episode_seconds": 1.0, "load": 1.3} | arguments))


def play(env, seed, action=(1.0, 1.0), *, record=False):
    """All observations and rewards of an episode, and its result."""
    observation, _ = env.reset(seed=seed, options={"record": record})
    observations, rewards = [observation], []
    while True:
        observation, reward, terminated, truncated, info = env.step(np.array(action, np.float32))
        observations.append(observation)
        rewards.append(reward)
        assert not truncated
        if terminated:
            return np.array(observations), rewards, info["result"]


def test_gymnasium_checker():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        check_env(make().unwrapped)


def test_stable_baselines3_checker():
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        checker.check_env(make())


@pytest.mark.parametrize("expiry", ["soft", "firm"])
@pytest.mark.parametrize("load", [0.8, 1.3, 2.5])
def test_rewards_sum_to_minus_uxcost(load, expiry):
    _, rewards, result = play(make(load=load, expiry=expiry), seed=5)
    assert sum(rewards) == pytest.approx(-result.uxcost, abs=1e-9)
    assert all(reward <= 0 for reward in rewards)


@pytest.mark.compiled
@settings(derandomize=True, deadline=None, database=None, max_examples=6)
@given(
    st.integers(0, 2**31),
    st.sampled_from((2.4, 1.0)),
    st.sampled_from((100.0, 37.0, 1000.0)),
    st.sampled_from(("soft", "firm")),
    st.sampled_from(("charged", "literal")),
)
def test_ten_minutes_of_rewards_do_not_drift(seed, load, interval_ms, expiry, energy_norm):
    env = make(
        scenario="ar_call",
        load=load,
        episode_seconds=600.0,
        interval_ms=interval_ms,
        expiry=expiry,
        energy_norm=energy_norm,
    )
    env.reset(seed=seed)
    actions = np.random.default_rng(seed)
    total, terminated = 0.0, False
    while not terminated:
        action = actions.uniform(0, 2, 2).astype(np.float32)
        _, reward, terminated, _, info = env.step(action)
        total += reward
    assert total == pytest.approx(-info["result"].uxcost, rel=1e-12)


def test_log_reward_telescopes():
    _, rewards, result = play(make(reward="log_uxcost_delta"), seed=5)
    expected = -np.log1p(result.uxcost / result.lower_bound)
    assert sum(rewards) == pytest.approx(expected, abs=1e-9)


def test_dense_reward_telescopes():
    _, rewards, result = play(make(reward="dense", expiry="firm", load=2.0), seed=5)
    env = make(expiry="firm", load=2.0).unwrapped
    worst_pj = env.simulation.problem.models["worst_energy_pj"].tolist()
    frames = sum(result.frame_count.values())
    energy = sum(
        result.energy_charged[name] / worst
        for name, worst in zip(result.frame_count, worst_pj, strict=True)
    )
    energy /= frames
    expected = result.mean_violation_rate + energy / (1 + energy) / frames
    assert sum(result.lost_rate.values()) > 0
    assert sum(rewards) == pytest.approx(-expected, abs=1e-9)


@pytest.mark.parametrize("interval_ms", [7.0, 100.0, 1000.0])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.0, 2.0)])
def test_constant_actions_are_a_run_with_those_parameters(alpha, beta, interval_ms):
    env = make(interval_ms=interval_ms)
    env.reset(seed=11, options={"record": True})
    terminated = False
    while not terminated:
        _, _, terminated, _, info = env.step(np.array([alpha, beta], np.float32))
    expected = dream_gym.simulate(
        "ar_social", "4k_1ws_2os", "dream_plus",
        seconds=1.0, seed=11, load=1.3, alpha=alpha, beta=beta, record=True,
    )  # fmt: skip
    found = info["result"]
    assert (found.timeline == expected.timeline).all()
    assert (found.frames == expected.frames).all()
    assert found.summary() == expected.summary()


def test_any_numbers_of_dream_plus_can_be_tuned():
    values = {"patience": 2.0, "supernet_margin": 1.5, "alpha": 0.5, "drop_cap": 6.0, "beta": 1.5}
    cell = {"scenario": "vr_gaming", "load": 2.5, "expiry": "firm"}
    env = make(tunables=tuple(values), **cell)
    env.reset(seed=3, options={"record": True})
    terminated = False
    while not terminated:
        *_, terminated, _, info = env.step(np.array(list(values.values()), np.float32))
    options = {**values, "drop_cap": 6}
    expected = dream_gym.simulate(
        "vr_gaming", "4k_1ws_2os", "dream_plus", seconds=1.0, seed=3, load=2.5, expiry="firm",
        record=True, **options,
    )  # fmt: skip
    assert (info["result"].timeline == expected.timeline).all()
    assert sum(expected.lost_rate.values()) > 0


def test_what_is_whole_is_rounded():
    cell = {"scenario": "vr_gaming", "load": 2.5, "expiry": "firm", "tunables": ("drop_cap",)}
    env = make(**cell)
    action = 5.9999995  # what a wrapper may make of 6
    observations, _, result = play(env, seed=3, action=[action])
    assert env.unwrapped.simulation.parameters[4] == 6
    assert observations[1][1] == 6, "the value in force is observed"
    assert result.summary() == play(make(**cell), seed=3, action=[6.0])[2].summary()
    batch = gym.make_vec(ID, num_envs=2, episode_seconds=1.0, **cell)
    batch.reset(seed=3)
    observation, *_ = batch.step(np.array([[action], [2.4]], np.float32))
    assert observation[:, 1].tolist() == [6, 2]


@pytest.mark.parametrize("energy_norm", ["charged", "literal"])
def test_observed_energies_are_those_of_uxcost(energy_norm):
    env = make(energy_norm=energy_norm, load=2.5, expiry="firm", reward="dense")
    names = env.unwrapped.observation.names
    observations, rewards, result = play(env, seed=5)
    last = dict(zip(names, observations[-1], strict=True))
    energies = result.energy_charged if energy_norm == "charged" else result.energy_spent
    worst_pj = env.unwrapped.simulation.problem.models["worst_energy_pj"].tolist()
    total = 0.0
    for index, (name, count) in enumerate(result.frame_count.items()):
        energy = energies[name] / worst_pj[index]
        assert last[f"models[{index}].energy"] == pytest.approx(energy / count)
        total += energy
    assert result.energy_charged != result.energy_spent
    frames = sum(result.frame_count.values())
    total /= frames
    expected = result.mean_violation_rate + total / (1 + total) / frames
    assert sum(rewards) == pytest.approx(-expected, abs=1e-9)


def test_ranges_of_tunables_are_those_of_the_options():
    for name, feature in TUNABLES.items():
        for value in (feature.low, feature.high):
            SCHEDULER.configure(**{name: value})
        for value in (feature.low - 1, feature.high + 1):
            with pytest.raises(ConfigError, match=name):
                SCHEDULER.configure(**{name: value})


def test_drawn_cells_are_padded():
    cells = {"scenario": ["ar_call", "ar_social"], "platform": ["4k_2ws", "4k_1ws_2os"]}
    env = make(**cells, load=(0.5, 2.0), episode_seconds=0.3)
    names = list(env.unwrapped.observation.names)
    present = [names.index(f"models[{at}].present") for at in range(5)]
    present += [names.index(f"accelerators[{at}].present") for at in range(3)]
    seen = set()
    for seed in range(20):
        observations, _, result = play(env, seed)
        seen.add((len(result.frame_count), len(result.busy_share)))
        rows = observations[:, present]
        assert (rows[:, :5].sum(axis=1) == len(result.frame_count)).all()
        assert (rows[:, 5:].sum(axis=1) == len(result.busy_share)).all()
        assert env.observation_space.contains(observations[-1])
    assert seen == {(3, 2), (3, 3), (5, 2), (5, 3)}


def test_windows_are_judged_like_runs():
    env = make(reward="uxcost_window", load=1.6, episode_seconds=0.95)
    _, rewards, result = play(env, seed=5)
    assert len(rewards) == 10
    assert all(reward < 0 for reward in rewards)
    alone = make(reward="uxcost_window", load=3.0, episode_seconds=0.1)
    _, only, result = play(alone, seed=5, record=True)
    worst_pj = alone.unwrapped.simulation.problem.models["worst_energy_pj"]
    # Frames in time are charged what they took, all others the worst case, late or lost.
    frames, violations, energies = result.frames, 0.0, 0.0
    for index, (name, count) in enumerate(result.frame_count.items()):
        if count:
            own = frames[frames["model"] == index]
            in_time = (own["fate"] == COMPLETED) & (own["end_ns"] <= own["deadline_ns"])
            violations += max(result.violation_rate[name], 0.5 / count)
            worst = int(worst_pj[index])
            energies += (own["energy_pj"][in_time].sum() / worst + (~in_time).sum()) / count
    assert ((frames["fate"] == COMPLETED) & (frames["end_ns"] > frames["deadline_ns"])).any()
    assert only[0] == pytest.approx(-violations * energies)


def test_actions_take_effect_at_their_tick():
    timelines = []
    for later in (0.0, 2.0):
        env = make()
        env.reset(seed=2, options={"record": True})
        for tick in range(10):
            *_, info = env.step(np.full(2, 0.0 if tick < 4 else later, np.float32))
        timelines.append(info["result"].timeline)
    first, second = timelines
    differ = np.flatnonzero(first[: len(second)] != second[: len(first)])
    assert 400_000_000 <= first["start_ns"][differ[0]] < 420_000_000


def test_an_episode_ends_at_its_horizon_even_between_ticks():
    env = make(episode_seconds=0.95)
    observations, _, result = play(env, seed=0)
    assert len(observations) - 1 == env.unwrapped.episode_steps == 10
    assert result.seconds == 0.95
    assert observations[-1][0] == 0.0, "no time is left"


def test_seeds_name_worlds():
    env = make()
    assert play(env, seed=3)[2].summary() == play(make(), seed=3)[2].summary()
    assert play(env, seed=3)[2].summary() != play(env, seed=4)[2].summary()
    _, info = env.reset(seed=3)
    assert info["seed"] == 3
    drawn = [env.reset()[1]["seed"] for _ in range(20)]
    assert len(set(drawn)) == 20
    assert all(0 <= seed < 10**9 for seed in drawn), "unseeded episodes are training worlds"
    env.reset(seed=3)
    assert [env.reset()[1]["seed"] for _ in range(20)] == drawn


def test_environments_side_by_side_do_not_disturb_each_other():
    alone = [play(make(), seed=seed)[0] for seed in range(3)]
    envs = gym.make_vec(ID, 3, "async", episode_seconds=1.0, load=1.3)
    observations, _ = envs.reset(seed=[0, 1, 2])
    together = [observations]
    for _ in range(9):
        together.append(envs.step(np.ones((3, 2), np.float32))[0])
    envs.close()
    for seed in range(3):
        assert np.array_equal(np.array(together)[:, seed], alone[seed][:10])


def test_observation_entries():
    env = make(load=1.0)
    names = env.unwrapped.observation.names
    assert len(names) == len(set(names)) == env.observation_space.shape[0] == 1 + 2 + 5 * 10 + 3 * 2
    observations, _, result = play(env, seed=1)
    start, end = (dict(zip(names, row, strict=True)) for row in observations[[0, -1]])
    assert start["models[0].rate"] == pytest.approx(np.log(31))
    assert start["models[0].backlog"] == 0
    assert start["models[0].slack"] == 1
    assert start["accelerators[0].busy"] == 0
    assert start["global.time_left"] == 1
    assert (start["tunables.alpha"], start["tunables.beta"]) == (1, 1)
    assert end["models[0].violations"] == pytest.approx(result.violation_rate["depth"])
    assert end["models[0].lost"] == pytest.approx(result.lost_rate["depth"])
    assert env.observation_space.contains(observations[-1])
    busy = observations[1:, names.index("accelerators[0].busy")]
    assert 0.5 < busy.mean() < 1.0
    assert busy.mean() == pytest.approx(result.busy_share["ws0"], abs=0.02)


def test_observation_of_a_run_that_is_overloaded():
    env = make(load=3.0)
    names = env.unwrapped.observation.names
    observations, _, result = play(env, seed=1)
    last = dict(zip(names, observations[-2], strict=True))
    assert last["models[0].backlog"] >= 1
    assert last["models[0].slack"] < 0
    assert last["models[0].remaining_work"] > 1
    assert last["models[0].interval_violations"] == pytest.approx(1, abs=0.2)
    interval = observations[1:, names.index("models[0].interval_violations")]
    due = 3.0 * 30 * 0.1
    violated = result.violation_rate["depth"] * result.frame_count["depth"]
    assert (interval * due).sum() == pytest.approx(violated, abs=1e-3)


def test_documentation_lists_every_entry():
    page = DreamRTMMEnv.__doc__
    for name, table in make().unwrapped.observation.tables.items():
        for feature in table.features if name != "tunables" else TUNABLES.values():
            assert f"| {feature.name} | {feature.unit} | {feature.low} | {feature.high} |" in page


@pytest.mark.parametrize("env", [DreamRTMMEnv, DreamRTMMDispatchEnv])
def test_documentation_lists_every_argument(env):
    names = set(inspect.signature(env).parameters)
    assert len(names) > 10
    assert all(f"* ``{name}``: " in env.__doc__ for name in names)


def test_example_in_the_documentation():
    example = doctest.DocTestParser().get_doctest(DreamRTMMEnv.__doc__, {}, "page", None, None)
    assert len(example.examples) >= 4
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("action", [[np.nan, 1], [3, 0], [-0.1, 0], [1], [1, 1, 1], "go"], ids=str)
def test_bad_actions_are_refused_and_change_nothing(action):
    env = make().unwrapped
    env.reset(seed=0)
    with pytest.raises(ActionError, match="2 parameters"):
        env.step(action)
    assert env.simulation.now_ns == 0


def test_steps_need_a_running_episode():
    env = make(episode_seconds=0.1).unwrapped
    action = np.ones(2, np.float32)
    with pytest.raises(EnvStateError, match="reset"):
        env.step(action)
    env.reset(seed=0)
    assert env.step(action)[2]
    with pytest.raises(EnvStateError, match="reset"):
        env.step(action)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scenario": "nowhere"}, "ar_social"),
        ({"platform": "nothing"}, "4k_2ws"),
        ({"reward": "score"}, "uxcost_delta"),
        ({"interval_ms": 0}, "interval_ms"),
        ({"interval_ms": 2000}, "interval_ms"),
        ({"late_urgency": "x"}, "late_urgency"),
        ({"interval_ms": "fast"}, "interval_ms"),
        ({"tunables": None}, "tunables"),
        ({"tunables": ()}, "tunables"),
        ({"tunables": ["alpha", ["beta"]]}, "tunables"),
        ({"tunables": "alpha"}, "tunables"),
        ({"tunables": ("alpha", "alpha")}, "tunables"),
        ({"tunables": ("gamma",)}, "'gamma' is not one of alpha"),
        ({"observation": "image"}, "observation"),
        ({"preset": "nope"}, "preset: 'nope' is not one of changing"),
        ({"load": (2, 1)}, "load"),
        ({"episode_seconds": 0}, "episode_seconds"),
        ({"episode_seconds": "long"}, "episode_seconds"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(ConfigError, match=words):
        make(**arguments)


def test_pickling_gives_an_equal_environment():
    env = make(reward="dense")
    copy = pickle.loads(pickle.dumps(env.unwrapped))
    assert np.array_equal(play(copy, seed=9)[0], play(env, seed=9)[0])


@pytest.mark.parametrize("name", TUNABLES)
def test_rescaled_actions_reach_the_bounds(name: str) -> None:
    env = make(tunables=[name])
    scaled = RescaleAction(env, np.float32(-1), np.float32(1))
    scaled.reset(seed=0)
    for action, bound in ((-1, TUNABLES[name].low), (1, TUNABLES[name].high)):
        scaled.step(np.array([action], dtype=np.float32))  # rounding may lead beyond the bound
        parameters = env.unwrapped.simulation.parameters
        index = list(SCHEDULER.options.model_fields).index(name)
        assert parameters[index] == pytest.approx(bound, abs=1e-5)
    with pytest.raises(ActionError, match="action"):
        env.step(np.array([TUNABLES[name].high + 1e-3], dtype=np.float32))
