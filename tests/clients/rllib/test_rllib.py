"""A short learning run under Ray RLlib; `make test-compat`."""

from __future__ import annotations

import pytest

pytest.importorskip("ray.rllib")

import gymnasium as gym
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env


def test_rllib() -> None:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        register_env(
            "dream", lambda config: gym.make("dream_gym:DreamRTMM-v0", episode_seconds=0.5)
        )
        algorithm = (
            PPOConfig()
            .environment("dream")
            .env_runners(num_env_runners=0)
            .training(train_batch_size=100, minibatch_size=50, num_epochs=1)
            .build_algo()
        )
        result = algorithm.train()
        assert result["env_runners"]["num_episodes"] > 0
        algorithm.stop()
    finally:
        ray.shutdown()
