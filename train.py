"""Train an agent: ``python train.py --algo ppo --scenario ar_social --platform 4k_1ws_2os``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from agents.hyperparameters import load_hyperparameters
from agents.training import ENVIRONMENT, default_folder, start_run, train
from dream_gym.analysis.suite import load_suite
from dream_gym.cli.output import prepare_streams
from dream_gym.envs.rewards import REWARDS
from dream_gym.errors import DreamGymError


@dataclass(frozen=True)
class Arguments:
    """Train an agent on DreamRTMM-v0, with hyperparameters from a YAML file.

    Args:
        algo: Algorithm: ppo or sac.
        scenario: Name or path of the scenario.
        platform: Name or path of the platform.
        load: Factor on every rate.
        suite: Name or path of a suite, whose first cell replaces scenario, platform and load.
        reward: Reward to learn from.
        episode_seconds: Simulated seconds of an episode.
        seed: Seed of the training, below 10^9.
        timesteps: Steps to train for; by default what the hyperparameters say.
        hyperparameters: Path of a YAML file; by default the shipped one of the algorithm.
        output: Folder of the run; by default a new one under runs/.
        resume: Folder of a run to go on with; all other arguments are then read from it.
    """

    algo: str = "ppo"
    scenario: str = "ar_social"
    platform: str = "4k_1ws_2os"
    load: float = 1.0
    suite: str | None = None
    reward: Literal[REWARDS] = REWARDS[0]
    episode_seconds: float = 5.0
    seed: int = 0
    timesteps: int | None = None
    hyperparameters: str | None = None
    output: Path | None = None
    resume: Path | None = None


def main(arguments: Arguments) -> int:
    """Start or resume a run; returns the exit code."""
    if arguments.suite is not None:
        cell = load_suite(arguments.suite).cells[0]
        arguments = replace(
            arguments, scenario=cell.scenario, platform=cell.platform, load=cell.load
        )
    folder = arguments.output if arguments.resume is None else arguments.resume
    if folder is None:
        folder = default_folder(
            Path("runs"), arguments.algo, arguments.scenario, arguments.platform
        )
    if arguments.resume is None:
        start_run(
            folder,
            algorithm=arguments.algo,
            environment_arguments={
                "scenario": arguments.scenario,
                "platform": arguments.platform,
                "load": arguments.load,
                "reward": arguments.reward,
                "episode_seconds": arguments.episode_seconds,
            },
            hyperparameters=load_hyperparameters(
                arguments.algo if arguments.hyperparameters is None else arguments.hyperparameters,
                ENVIRONMENT,
            ),
            timesteps=arguments.timesteps,
            seed=arguments.seed,
        )
    if not train(folder):
        print(f"interrupted and saved; go on with: python train.py --resume {folder}")
        return 130
    print(f"trained: {folder}")
    return 0


if __name__ == "__main__":
    prepare_streams()
    try:
        sys.exit(main(tyro.cli(Arguments)))
    except DreamGymError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
