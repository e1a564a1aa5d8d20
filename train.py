"""Train an agent: ``python train.py --algo ppo --scenario ar_social --platform 4k_1ws_2os``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from dream_gym_command import INTERRUPTED, end_on_interrupt, raise_on_interrupt

if __name__ == "__main__":
    end_on_interrupt()  # while the libraries are imported, which takes seconds

import tyro

from agents.hyperparameters import load_hyperparameters
from agents.training import ENVIRONMENT, default_folder, start_run, train
from dream_gym.analysis import load_suite
from dream_gym.cli.output import prepare_streams
from dream_gym.envs.rewards import REWARDS
from dream_gym.errors import DreamGymError
from dream_gym.workload import is_one_world, load_scenario

JITTER = 0.05
"""Share of the period, where a scenario draws nothing."""


@dataclass(frozen=True)
class Arguments:
    """Train an agent on DreamRTMM-v0, with hyperparameters from a YAML file.

    Args:
        algo: Algorithm: ppo or sac.
        scenario: Name or path of the scenario.
        platform: Name or path of the platform.
        load: Factor on every rate.
        jitter: Release jitter as a share of the period; by default 0.05 where the scenario draws
            nothing, such as drone_outdoor: all seeds would be one world, to be learnt by heart.
        cascade: Probability that a frame triggers one of a dependent.
        suite: Name or path of a suite, whose first cell replaces scenario, platform, load, jitter
            and cascade.
        reward: Reward to learn from.
        episode_seconds: Simulated seconds of an episode.
        seed: Seed of the training, below 10^9.
        timesteps: Steps to train for; by default what the hyperparameters say.
        hyperparameters: Path of a YAML file; by default the shipped one of the algorithm.
        output: Folder of the run; by default a new one under runs/.
        resume: Folder of a run to go on with; all other arguments are then read from it. Its
            checkpoint is a pickle, which may run any code: name only a folder that you trust.
    """

    algo: str = "ppo"
    scenario: str = "ar_social"
    platform: str = "4k_1ws_2os"
    load: float = 1.0
    jitter: float | None = None
    cascade: float | None = None
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
    chances: dict[str, Any] = {"jitter": arguments.jitter, "cascade": arguments.cascade}
    if arguments.suite is not None:
        cell = load_suite(arguments.suite).cells[0]
        arguments = replace(
            arguments, scenario=cell.scenario, platform=cell.platform, load=cell.load
        )
        chances = {"jitter": cell.jitter, "cascade": cell.cascade, "expiry": cell.expiry}
    if chances["jitter"] is None and is_one_world(load_scenario(arguments.scenario)):
        chances["jitter"] = JITTER
    chances = {name: value for name, value in chances.items() if value is not None}
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
                **chances,
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
        return INTERRUPTED
    print(f"trained: {folder}")
    return 0


if __name__ == "__main__":
    raise_on_interrupt()
    prepare_streams()
    try:
        status = main(tyro.cli(Arguments))
        end_on_interrupt()
        sys.exit(status)
    except DreamGymError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
