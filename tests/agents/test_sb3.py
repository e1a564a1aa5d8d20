"""Algorithms of stable-baselines3: what is reloaded decides as the trained model, and resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

from agents.algorithms import get_algorithm
from agents.hyperparameters import Sb3Hyperparameters
from agents.training import start_run
from dream_gym.errors import ConfigError
from dream_gym.players.actor import load_actor
from dream_gym.players.environments import make_card_env

pytestmark = pytest.mark.compiled

COMMON = {"n_timesteps": 256, "n_envs": 2, "policy": "MlpPolicy"}
OFF_POLICY = {"learning_starts": 32, "buffer_size": 500, "batch_size": 16}
DISPATCH = {"decision": "block", "max_slots": 4, "episode_seconds": 0.02, "load": 2.0}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ppo": ({"n_steps": 32, "batch_size": 32, "normalize": True}, {"episode_seconds": 0.5}),
    "sac": ({**OFF_POLICY, "normalize": True}, {"episode_seconds": 0.5, "observation": "dict"}),
    "maskable_ppo": ({"n_steps": 32, "batch_size": 32, "normalize": True}, DISPATCH),
    "dqn": (OFF_POLICY, DISPATCH),
}


@pytest.fixture(params=CASES)
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A run of each algorithm, and its learner after some steps."""
    hyperparameters, arguments = CASES[request.param]
    policy = "MultiInputPolicy" if arguments.get("observation") == "dict" else "MlpPolicy"
    algorithm = get_algorithm(request.param)
    run = start_run(
        tmp_path / "run",
        algorithm=algorithm,
        environment=algorithm.environments[0],
        environment_arguments=arguments,
        hyperparameters=Sb3Hyperparameters(**{**COMMON, **hyperparameters, "policy": policy}),
        timesteps=None,
        seed=1,
    )
    learner = algorithm.begin(run.card, run.path)
    learner.learn(256, lambda: True)
    yield run, learner
    learner.close()


def decisions(env: gym.Env[Any, Any], act: Any, steps: int = 200) -> list[Any]:
    found: list[Any] = []
    observation, info = env.reset(seed=5)
    while len(found) < steps:
        action = act(observation, info.get("action_mask"))
        found.append(np.asarray(action).tolist())
        observation, _, ended, _, info = env.step(action)
        if ended:
            observation, info = env.reset(seed=len(found))
    return found


def as_the_library(learner: Any, env: gym.Env[Any, Any]) -> Any:
    """What the model that was trained does, through the library's own interface."""
    model, normalizer, space = learner._model, learner._normalizer, env.action_space

    def act(observation: Any, mask: Any) -> Any:
        seen = observation if normalizer is None else normalizer.normalize_obs(observation)
        if mask is None:
            action, _ = model.predict(seen, deterministic=True)
            low, high = space.low, space.high  # type: ignore[attr-defined]
            return np.clip(low + (action + 1) / 2 * (high - low), low, high).astype(np.float32)
        if hasattr(model, "q_net"):
            seen = np.concatenate([seen, mask.astype(np.float32)])
            return model.predict(seen, deterministic=True)[0]
        return model.predict(seen, deterministic=True, action_masks=mask)[0]

    return act


def test_a_reloaded_agent_decides_as_the_trained_one(begun: Any) -> None:
    run, learner = begun
    env = make_card_env(run.card)
    run.save(learner.checkpoint(), b"", learner.timesteps, 1.0)
    actor = load_actor(run.card, run.tensors(run.playable), env)
    mine, theirs = decisions(env, actor.act), decisions(env, as_the_library(learner, env))
    if isinstance(env.action_space, gym.spaces.Box):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    else:
        assert mine == theirs
    assert mine == decisions(env, learner.actor(env).act)
    assert len({str(action) for action in mine}) > 1


def test_a_checkpoint_of_other_numbers_is_one_error(begun: Any) -> None:
    """Whatever is in it, with the right digest: nothing plays that does not fit its card."""
    run, learner = begun
    env, whole = make_card_env(run.card), dict(learner.tensors())
    weights = next(name for name in whole if name.startswith("policy."))
    changes: list[tuple[dict[str, Any], str]] = [
        ({weights: np.full_like(whole[weights], np.nan)}, "not finite"),
        ({weights: whole[weights][:-1]}, "do not fit"),
        ({weights: None}, "do not fit"),
        ({"mean.surprise": np.zeros(3)}, "mean.surprise is no statistic"),
    ]
    if run.card.hyperparameters["normalize"]:
        name = next(name for name in whole if name.startswith("mean.")).removeprefix("mean.")
        mean, variance = whole[f"mean.{name}"], whole[f"variance.{name}"]
        changes += [
            ({f"mean.{name}": None}, f"mean.{name} is missing"),
            ({f"variance.{name}": None}, f"variance.{name} is missing"),
            ({f"mean.{name}": mean[:-1]}, "figures, not"),
            ({f"mean.{name}": np.full_like(mean, np.inf)}, "not finite"),
            ({f"variance.{name}": -1 - variance}, "negative"),
        ]
    for change, words in changes:
        tensors = {n: value for n, value in {**whole, **change}.items() if value is not None}
        with pytest.raises(ConfigError, match=words):
            load_actor(run.card, tensors, env)


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"policy": "NoPolicy"},
        {"policy_kwargs": ["wide"]},
        {"policy_kwargs": {"net_arch": [-3]}},
        {"policy_kwargs": {"wide": True}},
    ],
)
def test_a_card_that_no_policy_fits_is_one_error(
    begun: Any, hyperparameters: dict[str, Any]
) -> None:
    run, learner = begun
    changed = {**run.card.hyperparameters, **hyperparameters}
    card = run.card.model_copy(update={"hyperparameters": changed})
    with pytest.raises(ConfigError, match="policy"):
        load_actor(card, learner.tensors(), make_card_env(card))


def test_an_agent_without_masks_does_not_play_where_there_are_some(begun: Any) -> None:
    run, learner = begun
    if run.card.algorithm == "maskable_ppo":
        card = run.card.model_copy(update={"algorithm": "ppo"})
        with pytest.raises(ConfigError, match="ppo does not know masks"):
            load_actor(card, learner.tensors(), make_card_env(card))


def test_an_evaluation_does_not_change_the_training_after_it(begun: Any) -> None:
    import torch

    run, learner = begun
    env, before = make_card_env(run.card), torch.get_rng_state()
    learner.actor(env)
    assert torch.equal(before, torch.get_rng_state()), "first weights of a policy are drawn"


def test_what_is_resumed_is_whole(begun: Any) -> None:
    run, learner = begun
    algorithm = get_algorithm(run.card.algorithm)
    again: Any = algorithm.resume(run.card, run.path, learner.state())
    assert again.timesteps == learner.timesteps
    for name, value in learner.tensors().items():
        np.testing.assert_array_equal(value, again.tensors()[name], err_msg=name)
    if hasattr(learner._model, "replay_buffer"):
        assert again._model.replay_buffer.size() == learner._model.replay_buffer.size() > 0
    again.learn(again.timesteps + 64, lambda: True)
    assert again.timesteps > learner.timesteps
    again.close()


def test_what_cannot_be_resumed_is_one_error(begun: Any) -> None:
    run, learner = begun
    state = learner.state()
    for damaged in (b"", state[: len(state) // 2]):
        with pytest.raises(ConfigError, match="cannot be resumed"):
            get_algorithm(run.card.algorithm).resume(run.card, run.path, damaged)


def test_dqn_never_chooses_what_is_illegal(tmp_path: Path) -> None:
    algorithm = get_algorithm("dqn")
    run = start_run(
        tmp_path / "run",
        algorithm=algorithm,
        environment=algorithm.environments[0],
        environment_arguments=DISPATCH,
        hyperparameters=Sb3Hyperparameters(**{**COMMON, **OFF_POLICY}),
        timesteps=None,
        seed=1,
    )
    learner: Any = algorithm.begin(run.card, run.path)
    illegal: list[int] = []

    def look() -> bool:
        envs = learner._model.get_env().get_attr("unwrapped")
        illegal.extend(env.info()["illegal_actions"] for env in envs)
        return True

    learner.learn(256, look)
    assert illegal
    assert sum(illegal) == 0
    learner.close()
