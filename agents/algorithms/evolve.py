"""Genetic programming: a population of rules for the scheduler `evolved`, of which the best remain.

All rules of a generation play the same worlds. How hard these are is told by what the survivors get
in them beyond what they got before, and is subtracted: so results of different generations can be
compared, and a rule that survives is judged on more and more worlds. One that is new may be lucky,
so each is judged as if it had played one more generation, with the median result.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from agents.genetics import cross, draw, mutate
from agents.hyperparameters import Count, Hyperparameters
from agents.log import Log
from agents.worlds import Worlds
from dream_gym.errors import ConfigError
from dream_gym.players.run_folder import RunCard
from dream_gym.schedulers import EVOLVED
from dream_gym.schedulers.evolved.expressions import (
    Program,
    parameters_of,
    parse,
)
from dream_gym.schedulers.evolved.machine import MOST_TOKENS
from dream_gym.schedulers.evolved.scheduler import find_rule, pack_rule
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.simulator import Floats

START = (
    "urgency - 3 * late - 2 * tight - 2 * finish - 0.5 * slower",
    "urgency - 2 * finish",
    "-work - 2 * finish",
    "-slack - 2 * finish",
    "-work - 3 * late - 2 * finish - costlier",
)
"""Sensible rules: most urgent, shortest or earliest first, each where it ends earliest."""


class EvolveHyperparameters(Hyperparameters):
    """Hyperparameters of genetic programming; a step is a generation.

    Args:
        population: Rules of a generation.
        survivors: How many of them are in the next one, too: the best.
        tournament: A parent is the best of so many, drawn at random.
        crossover: Share of the new rules that have two parents; the others are mutations.
        worlds: How many worlds all rules play.
        most_tokens: The most names, numbers and operations of a rule.
        parsimony: What each of these costs, as log cost.
        block_ms: The most time of a block of layers.
        start: A rule to begin with, a path or ``shipped:NAME``, beside those of `START`.
    """

    population: Annotated[Count, Field(ge=8, le=4096)]
    survivors: Annotated[Count, Field(ge=1, le=4096)]
    tournament: Annotated[Count, Field(ge=1, le=64)] = 3
    crossover: float = Field(default=0.4, ge=0, le=1)
    worlds: Annotated[Count, Field(ge=1, le=4096)]
    most_tokens: Annotated[Count, Field(ge=20, le=MOST_TOKENS)] = 50
    parsimony: float = Field(default=0.0, ge=0, le=1)
    block_ms: float = Field(default=0.1, ge=0, le=1000)
    start: str | None = None


@dataclass
class Rule:
    """A rule of the population.

    Args:
        program: The rule.
        generations: How many it has played.
        log_costs: Its mean log costs, less how hard the worlds were, summed over generations.
        judged: What it is believed to cost, as a logarithm.
    """

    program: Program
    generations: int = 0
    log_costs: float = 0.0
    judged: float = 0.0


class Evolve:
    """Genetic programming; see `agents.algorithms.protocol.Algorithm`."""

    name = "evolve"
    environments = (EVOLVED.name,)
    loader = EVOLVED.name
    hyperparameters = EvolveHyperparameters
    libraries = ("numpy",)

    def layout(self, environment: str, arguments: dict[str, Any]) -> tuple[str, dict[str, int]]:
        """See `Algorithm.layout`; rules carry the names of their inputs."""
        return ",".join(INPUT_NAMES), {}

    def begin(self, card: RunCard, folder: Path) -> EvolveLearner:
        """Begin a training; see `Algorithm.begin`."""
        given = EvolveHyperparameters.of(card)
        if given.survivors >= given.population:
            raise ConfigError(
                f"hyperparameters: survivors: expected fewer than the population of "
                f"{given.population}, got {given.survivors}"
            )
        programs = [parse(text) for text in START]
        if given.start is not None:
            programs.append(find_rule(given.start).program)
        longest = max(map(len, programs))
        if longest > given.most_tokens:
            raise ConfigError(
                f"hyperparameters: start: has {longest} tokens, more than {given.most_tokens}"
            )
        random = np.random.default_rng([card.seed, given.population])
        while len(programs) < given.population:
            akin = random.random() < 0.5
            known = programs[int(random.integers(len(programs)))]
            program = mutate(random, known) if akin else draw(random)
            if len(program) <= given.most_tokens and program not in programs:
                programs.append(program)
        rules = [Rule(program) for program in programs]
        return EvolveLearner(card, folder, rules, 0)

    def resume(self, card: RunCard, folder: Path, state: bytes) -> EvolveLearner:
        """Resume a training; see `Algorithm.resume`."""
        try:
            content = json.loads(state)
            rules = [
                Rule(**{**each, "program": tuple(each["program"])}) for each in content["rules"]
            ]
            return EvolveLearner(card, folder, rules, content["generations"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{folder}: cannot be resumed: {error}") from error


class EvolveLearner:
    """A search in progress; see `agents.algorithms.protocol.Learner`.

    Args:
        card: What is trained.
        folder: Where TensorBoard's files go.
        rules: The population.
        generations: How many it has played.
    """

    def __init__(self, card: RunCard, folder: Path, rules: list[Rule], generations: int) -> None:
        self._card = card
        self._given = EvolveHyperparameters.of(card)
        self._worlds = Worlds(card.environment_arguments, EVOLVED)
        self._rules = rules
        self._generations = generations
        self._log = Log(folder)

    @property
    def timesteps(self) -> int:
        """Generations that it has played."""
        return self._generations

    def learn(self, timesteps: int, on_step: Callable[[], bool]) -> None:
        """Search; see `Learner.learn`."""
        going = True
        while going and self._generations < timesteps:
            random = np.random.default_rng([self._card.seed, self._generations])
            if self._generations:
                self._rules = self._next_generation(random)
            costs = self._worlds.train(
                [self._parameters(rule) for rule in self._rules],
                self._worlds.draw(random, self._given.worlds),
            )
            self._judge(costs)
            self._generations += 1
            self.note("train/cost", float(np.exp(costs.mean())))
            self.note("train/tokens", float(np.mean([len(rule.program) for rule in self._rules])))
            going = on_step()

    def evaluate(self) -> float:
        """See `Learner.evaluate`."""
        return self._worlds.select(self._parameters(self._best))

    def checkpoint(self) -> bytes:
        """The best rule as a file."""
        about = {"command": self._card.command, "seed": self._card.seed}
        about["generations"] = self._generations
        return pack_rule(self._best.program, self._given.block_ms, about)

    def state(self) -> bytes:
        """The population, in JSON."""
        rules = [asdict(rule) for rule in self._rules]
        return json.dumps({"generations": self._generations, "rules": rules}).encode()

    def note(self, name: str, value: float) -> None:
        """Log a figure."""
        self._log.note(name, value, self._generations)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    @property
    def _best(self) -> Rule:
        return min(self._rules, key=self._price)

    def _price(self, rule: Rule) -> float:
        """What is to be small."""
        return rule.judged + self._given.parsimony * len(rule.program)

    def _parameters(self, rule: Rule) -> Floats:
        return parameters_of(rule.program, self._given.block_ms)

    def _next_generation(self, random: np.random.Generator) -> list[Rule]:
        """The survivors and their and others' children."""
        given, ranked = self._given, sorted(self._rules, key=self._price)
        programs = [rule.program for rule in ranked]

        def parent() -> Program:
            return programs[int(random.integers(len(ranked), size=given.tournament).min())]

        children: list[Program] = []
        while given.survivors + len(children) < given.population:
            crossed = random.random() < given.crossover
            child = cross(random, parent(), parent()) if crossed else mutate(random, parent())
            if len(child) <= given.most_tokens and child not in (*programs, *children):
                children.append(child)
        return [*ranked[: given.survivors], *map(Rule, children)]

    def _judge(self, costs: Floats) -> None:
        """Take note of what the rules cost in the worlds of a generation, as logarithms."""
        played = np.array([rule.generations for rule in self._rules])
        beyond = costs - np.array([rule.judged for rule in self._rules])
        level = np.average(beyond, weights=played) if played.any() else costs.mean()
        for rule, cost in zip(self._rules, costs.tolist(), strict=True):
            rule.log_costs += cost - float(level)
            rule.generations += 1
        middle = float(np.median([rule.log_costs / rule.generations for rule in self._rules]))
        for rule in self._rules:
            rule.judged = (rule.log_costs + middle) / (rule.generations + 1)


ALGORITHM = Evolve()
