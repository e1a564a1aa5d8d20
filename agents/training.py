"""Starting, interrupting and resuming training runs; a run's folder holds everything about it."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.algorithms import Algorithm, Learner, get_algorithm
from agents.hyperparameters import Hyperparameters
from agents.interrupts import watch_interrupts
from dream_gym.errors import ConfigError
from dream_gym.files import locked
from dream_gym.players.checkpoint import read_file
from dream_gym.players.run_folder import RunCard, RunFolder
from dream_gym.reading.resources import validate
from dream_gym.workload import SEEDS_PER_PURPOSE

EVALUATIONS_PER_RUN = 20


def start_run(
    folder: Path,
    *,
    algorithm: Algorithm,
    environment: str,
    environment_arguments: dict[str, Any],
    hyperparameters: Hyperparameters,
    timesteps: int | None,
    seed: int,
) -> RunFolder:
    """Make the folder of a new run.

    Args:
        folder: The folder.
        algorithm: What trains.
        environment: Id of the environment.
        environment_arguments: Its arguments, ready for JSON.
        hyperparameters: Of the algorithm.
        timesteps: Steps to train for; by default what the hyperparameters say.
        seed: Seed of the training.

    Raises:
        ConfigError: The folder holds a run already, or an argument is out of range.
    """
    if not 0 <= seed < SEEDS_PER_PURPOSE:
        raise ConfigError(f"seed: training seeds are in [0, {SEEDS_PER_PURPOSE}), got {seed}")
    digest, sizes = algorithm.layout(environment, environment_arguments)
    content = {
        "schema": 2,
        "loader": algorithm.loader,
        "algorithm": algorithm.name,
        "environment": environment,
        "environment_arguments": environment_arguments,
        "environment_digest": digest,
        "sizes": sizes,
        "hyperparameters": hyperparameters.model_dump(exclude={"environment"}),
        "timesteps": hyperparameters.n_timesteps if timesteps is None else timesteps,
        "seed": seed,
        "command": shlex.join(["python", *sys.argv]),
        "versions": _versions(algorithm),
    }
    card = validate(content, RunCard, origin="arguments")
    algorithm.begin(card, folder).close()  # a refused argument leaves nothing behind
    return RunFolder.create(folder, card)


def default_folder(root: Path, algorithm: str, where: str) -> Path:
    """A new folder for a run, named after what it is and when it began."""
    return root / f"{algorithm}_{where}_{datetime.now().strftime('%Y%m%d-%H%M%S')}"


def train(folder: Path) -> bool:
    """Train the run of a folder to its end, from its current state.

    Returns:
        Whether the end was reached; False after an interruption, which is saved.

    Raises:
        ConfigError: The folder or a file in it is damaged.
        DreamGymError: Another process is training the run.
    """
    RunFolder.open(folder)  # it must be one before it is locked
    with locked(folder):
        run = RunFolder.open(folder)
        learner = _make_learner(run)
        try:
            return _learn(run, learner)
        finally:
            learner.close()


def _make_learner(run: RunFolder) -> Learner:
    algorithm = get_algorithm(run.card.algorithm)
    if run.card.resume is None:
        return algorithm.begin(run.card, run.path)
    _check_versions(run, algorithm)
    return algorithm.resume(run.card, run.path, read_file(run.path, run.card.resume))


def _learn(run: RunFolder, learner: Learner) -> bool:
    card = run.card
    every = max(card.timesteps // EVALUATIONS_PER_RUN, 1)

    def save() -> None:
        """Save the current state, and evaluate it unless that was done."""
        steps, uxcost = learner.timesteps, None
        if steps not in {each.timesteps for each in run.card.evaluations}:
            uxcost = learner.evaluate()
            learner.note("selection/uxcost", uxcost)
        run.save(learner.checkpoint(), learner.state(), steps, uxcost)

    with watch_interrupts() as interrupt, _progress(card.timesteps) as (progress, task):
        due = learner.timesteps + every

        def on_step() -> bool:
            nonlocal due
            progress.update(task, completed=min(learner.timesteps, card.timesteps))
            if due <= learner.timesteps < card.timesteps:
                due += every
                save()
            return not interrupt.raised

        if learner.timesteps < card.timesteps:
            learner.learn(card.timesteps, on_step)
            save()
    return not interrupt.raised


@contextmanager
def _progress(timesteps: int) -> Iterator[tuple[Progress, Any]]:
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        yield progress, progress.add_task("", total=timesteps)


def _versions(algorithm: Algorithm) -> dict[str, str]:
    libraries = ("dream_gym", "numba", *algorithm.libraries)
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}


def _check_versions(run: RunFolder, algorithm: Algorithm) -> None:
    """Refuse to resume what other versions have pickled."""
    here = _versions(algorithm)
    for name in ("python", *algorithm.libraries):
        begun = run.card.versions.get(name)
        if begun != here[name]:
            raise ConfigError(
                f"{run.path}: was begun with {name} {begun}, but {here[name]} is installed: resume "
                "it with the same version"
            )
