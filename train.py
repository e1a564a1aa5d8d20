"""Train an agent: ``python train.py --algo ppo --scenario ar_social --platform 4k_1ws_2os``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from dream_gym_command import INTERRUPTED, end_on_interrupt, raise_on_interrupt

if __name__ == "__main__":
    end_on_interrupt()  # while the libraries are imported, which takes seconds

import tyro

from agents.algorithms import Algorithm, get_algorithm
from agents.hyperparameters import load_hyperparameters
from agents.training import default_folder, start_run, train
from dream_gym.analysis import load_suite
from dream_gym.cli.output import prepare_streams
from dream_gym.envs.sampling import DEFAULT_SCENARIO, PLACE_ARGUMENTS
from dream_gym.errors import ConfigError, DreamGymError, hint
from dream_gym.players.run_folder import RunFolder
from dream_gym.reading.resources import absolute_if_path
from dream_gym.reading.yaml_core import load_yaml
from dream_gym.schedulers import EVOLVED, LEARNED
from dream_gym.simulator import Cell
from dream_gym.workload import is_one_world, load_scenario, training_seeds

PLACES = ("scenario", "platform", "load", "jitter", "cascade")
JITTER = 0.05
"""Share of the period, where a scenario draws nothing."""
MOST_GENERATED = 100_000


@dataclass(frozen=True)
class Arguments:
    """Train an agent on an environment, with hyperparameters from a YAML file.

    Args:
        algo: Algorithm: ppo, sac, maskable_ppo, dqn, es, pair_ppo, imitate or evolve.
        environment: Id of the environment; by default DreamRTMM-v0 for ppo and sac,
            DreamRTMM-Dispatch-v0 for maskable_ppo and dqn. The others need none: es, pair_ppo and
            imitate train weights of the scheduler learned, evolve finds a rule of evolved, in
            simulations.
        scenario: Name or path of the scenario.
        platform: Name or path of the platform.
        load: Factor on every rate.
        jitter: Release jitter as a share of the period; by default 0.05 if the scenario draws
            nothing, such as drone_outdoor: all seeds would be the same world, easily memorised.
        cascade: Probability that a frame triggers one of a dependent.
        suite: Name or path of a suite, whose cells are trained on instead, each with its load,
            jitter, cascade and expiry; with a scenario, its cells of that one only.
        generated: Train on so many random workloads instead: the first of the generator's training
            range.
        reward: Reward to learn from.
        objective: What these make small: uxcost, violations or energy.
        episode_seconds: Simulated seconds of an episode.
        env: An argument of the environment as KEY=VALUE, the value in YAML, such as
            tunables=[alpha,patience]; may be given several times.
        seed: Seed of the training, below 10^9.
        timesteps: Steps to train for, rounded up to whole rollouts; by default what the
            hyperparameters say.
        hyperparameters: Path of a YAML file; by default the shipped one of the algorithm.
        hyper: One of them as KEY=VALUE, the value in YAML, such as learning_rate=1.0e-3; may be
            given several times.
        output: Folder of the run; by default a new one under runs/.
        resume: Folder of a run to resume; all other arguments are then read from it. Resuming
            reads a pickle, which may run any code: name only a folder that you trust.
    """

    algo: str = "ppo"
    environment: str | None = None
    scenario: str | None = None
    platform: str | None = None
    load: float | None = None
    jitter: float | None = None
    cascade: float | None = None
    suite: str | None = None
    generated: int | None = None
    reward: str | None = None
    objective: str | None = None
    episode_seconds: float | None = None
    env: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    seed: int = 0
    timesteps: int | None = None
    hyperparameters: str | None = None
    hyper: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    output: Path | None = None
    resume: Path | None = None


def main(arguments: Arguments) -> int:
    """Start or resume a run; returns the exit code."""
    folder = _begin(arguments) if arguments.resume is None else arguments.resume
    if not train(folder):
        print(f"interrupted and saved; resume with: python train.py --resume {folder}")
        return INTERRUPTED
    last = RunFolder.open(folder).card.last
    steps = f", {last.timesteps} steps" if last else ""  # whole rollouts
    print(f"trained: {folder}{steps}")
    return 0


def _begin(arguments: Arguments) -> Path:
    """Make the folder of a new run."""
    algorithm = get_algorithm(arguments.algo)
    environment = _environment(arguments, algorithm)
    hyperparameters = load_hyperparameters(
        arguments.algo if arguments.hyperparameters is None else arguments.hyperparameters,
        environment,
        algorithm.hyperparameters,
        _pairs("hyper", arguments.hyper),
    )
    given = {**hyperparameters.environment, **_given(arguments)}
    places = _places(given, arguments, environment)
    if "cells" in places:
        given.pop("scenario", None)  # it has chosen among the cells of a suite
    folder = arguments.output
    if folder is None:
        scenario = given.get("scenario", DEFAULT_SCENARIO)
        several = "several" if isinstance(scenario, list) else str(scenario)
        where = "generated" if arguments.generated else Path(arguments.suite or several).stem
        folder = default_folder(Path("runs"), arguments.algo, where)
    start_run(
        folder,
        algorithm=algorithm,
        environment=environment,
        environment_arguments=given | places,
        hyperparameters=hyperparameters,
        timesteps=arguments.timesteps,
        seed=arguments.seed,
    )
    return folder


def _environment(arguments: Arguments, algorithm: Algorithm) -> str:
    environment = arguments.environment or algorithm.environments[0]
    if environment not in algorithm.environments:
        raise ConfigError(
            f"environment: {algorithm.name} learns in {', '.join(algorithm.environments)}, not in "
            f"{environment}"
        )
    return environment


def _given(arguments: Arguments) -> dict[str, Any]:
    """The arguments of the environment that the command line gives."""
    names = (*PLACES, "reward", "objective", "episode_seconds")
    given = {name: getattr(arguments, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    given |= _pairs("env", arguments.env)
    for name in ("scenario", "platform"):
        if name in given:
            given[name] = _absolute(given[name])
    return given


def _pairs(option: str, items: tuple[str, ...]) -> dict[str, Any]:
    """What an option gives as KEY=VALUE."""
    given = {}
    for item in items:
        name, sign, text = item.partition("=")
        if not sign or not name:
            raise ConfigError(f"--{option}: expected KEY=VALUE, got {item!r}")
        given[name] = load_yaml(text, origin=f"--{option} {name}")
    return given


def _absolute(references: Any) -> Any:
    """References of which those that are paths are good in any folder, where a run is resumed."""
    if isinstance(references, list):
        return [_absolute(each) for each in references]
    return absolute_if_path(references) if isinstance(references, str) else references


def _places(given: dict[str, Any], arguments: Arguments, environment: str) -> dict[str, Any]:
    """Where to train: cells of a suite or the generator, or else with jitter where it is needed."""
    option = "suite" if arguments.generated is None else "generated"
    if arguments.suite is None and arguments.generated is None:
        scenario = given.get("scenario", DEFAULT_SCENARIO)
        elsewhere = "cells" in given or "preset" in given or not isinstance(scenario, str)
        if elsewhere or "jitter" in given or not is_one_world(load_scenario(scenario)):
            return {}
        return {"jitter": JITTER}
    both = [name for name in (*PLACE_ARGUMENTS, "cells", "preset") if name in given]
    if arguments.suite is not None and both == ["scenario"]:
        return {"cells": _cells_of(arguments.suite, given["scenario"])}
    if both:
        raise ConfigError(f"--{option}: its cells say what {', '.join(both)} are; leave them out")
    if arguments.generated is None:
        assert arguments.suite is not None
        return {"cells": _cells_of(arguments.suite)}
    if arguments.suite is not None:
        raise ConfigError("--generated: the suite has cells of its own; give one or the other")
    if not 1 <= arguments.generated <= MOST_GENERATED:
        raise ConfigError(f"--generated: expected 1 to {MOST_GENERATED}, got {arguments.generated}")
    if environment in (LEARNED.name, EVOLVED.name):  # which draw them as it goes
        return {"generated": arguments.generated}
    return {"cells": [Cell.generated(n).portable() for n in training_seeds(arguments.generated)]}


def _cells_of(suite: str, scenario: str | None = None) -> list[dict[str, Any]]:
    """The cells of a suite, or those of one scenario, as arguments."""
    cells = load_suite(suite).cells
    found = [_fields(cell) for cell in cells if scenario in (None, cell.scenario)]
    if not found:
        names = sorted({cell.scenario for cell in cells})
        raise ConfigError(
            f"scenario: {suite} has no cell of {scenario}; {hint(str(scenario), names)}"
        )
    return found


def _fields(cell: Cell) -> dict[str, Any]:
    jitter = JITTER if cell.jitter is None and is_one_world(cell.workload) else cell.jitter
    return {**cell.portable(), **({} if jitter is None else {"jitter": jitter})}


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
