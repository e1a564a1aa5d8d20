"""``rollout:BASE``: a planner that plays the choices of a scheduler on before it takes one."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from dream_gym.errors import ConfigError, hint, plain
from dream_gym.hardware import Platform
from dream_gym.players.planning import make_desk, make_plan
from dream_gym.players.scheduler import CompiledPlayer, EnginePlayer, OptionValue
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.schedulers import BuiltinScheduler, Family
from dream_gym.simulator import Engine, Floats, Ints
from dream_gym.units import NS_PER_MS
from dream_gym.workload import Scenario, is_one_world

PREFIX = "rollout:"


class RolloutOptions(Config):
    """Options of the planner itself; all others are those of BASE.

    A decision takes at most `choices` × `futures` rollouts of `ahead_ms` each.

    Args:
        choices: How many choices are compared, BASE's own included; in [2, 64].
        futures: In how many futures each of them is played on at the most; in [2, 1000].
        ahead_ms: How far, in ms of simulated time; at most to the end of the run.
        caution: By how many standard errors over the futures another choice has to be better than
            BASE's own to be taken; in [0, 100]. With less, chance decides too often: what a choice
            seems to gain is seen in every future, the frame that it costs in few.
        clairvoyant: ``no`` draws futures; ``yes`` knows what will come, and needs one future only.
    """

    choices: int = Field(default=4, ge=2, le=64)
    futures: int = Field(default=16, ge=2, le=1000)
    ahead_ms: float = Field(default=100.0, ge=1e-6, le=1e9)
    caution: float = Field(default=3.0, ge=0, le=100)
    clairvoyant: Literal["no", "yes"] = "no"

    def told(self, *, known: bool) -> Floats:
        """What the compiled planner reads, see `planning.Desk`.

        Args:
            known: Whether the run's own future is the only one that is played.
        """
        futures = 1 if known else self.futures
        ahead_ns = round(self.ahead_ms * NS_PER_MS)
        return np.array([futures, ahead_ns, self.caution, known], dtype=np.float64)


class RolloutPlayer(EnginePlayer):
    """A planner over a compiled scheduler, BASE: policy improvement by rollouts.

    Whenever BASE would start a frame on an accelerator that did not just run it, drop one, or let
    an accelerator idle while frames wait, the planner compares a few choices: BASE's own; what
    BASE would do without that accelerator, without that frame, without the next one, and so on;
    and to wait. It plays each on with BASE in several futures, and takes the one with the least
    `outlook`, an estimate of the run's UXCost: violations and energy so far and in the rollout,
    and what can be said of the frames that are then live. All choices face the same futures, and
    BASE's own is taken unless another is better by `caution` standard errors.

    **What it knows.** A future keeps what has been revealed: which frames were released and when,
    the layers that they have run, which dependents those that ended have triggered, and which
    releases have not come yet. All other draws are those of another seed, which depends on the
    time of the decision only; see `simulator.futures.redraw`. Like every scheduler it knows the
    scenario: rates, probabilities, phases, and the end of the run; and UXCost's numbers of frames
    are those of the run. With ``clairvoyant=yes`` it knows all that will come. That is a
    reference, and no bound: it compares few choices, and not far ahead.

    Args:
        base: The scheduler, with its options.
        options: Of the planner, see `RolloutOptions`.
        name: What tables call it, by default after BASE.

    Raises:
        ConfigError: An option is malformed.
    """

    family: Family = "ours"

    def __init__(
        self,
        base: CompiledPlayer,
        options: dict[str, OptionValue] | None = None,
        *,
        name: str = "",
    ) -> None:
        super().__init__()
        self.base = base
        self.name = name or f"{PREFIX}{base.name}"
        self.options = resources.validate(options or {}, RolloutOptions, origin=self.name)
        self.parameters = base.parameters

    @property
    def settings(self) -> dict[str, Any]:
        """The scheduler under it, and the options of both."""
        return {
            "scheduler": f"{PREFIX}{self.base.scheduler.name}",
            "family": self.family,
            "options": self.options.model_dump(),
            "base": self.base.settings,
        }

    def engine(self, scenario: Scenario, platform: Platform) -> Engine:
        """An engine that plans.

        Raises:
            ConfigError: The scenario is a recording, whose future is not drawn.
        """
        clairvoyant = self.options.clairvoyant == "yes"
        if scenario.recording is not None and not clairvoyant:
            raise ConfigError(
                f"{self.name}: {scenario.name} replays {scenario.recording}, so no other future "
                "can be drawn; give clairvoyant=yes, or leave out the recording"
            )
        told = self.options.told(known=clairvoyant or is_one_world(scenario))
        plan = make_plan(self.base.scheduler.name, self.base.scheduler.decide)

        def run(
            problem_arena: Ints,
            state_arena: Ints,
            timeline: Ints,
            frames: Ints,
            until_ns: int,
            most: int,
        ) -> int:
            desk = make_desk(state_arena, self.options.choices, told)
            return plan(problem_arena, state_arena, timeline, frames, until_ns, most, desk)

        return self.base.engine(scenario, platform)._replace(run=run)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rollout, (self.base, self.options.model_dump(), self.name)


def _rollout(base: CompiledPlayer, options: dict[str, OptionValue], name: str) -> RolloutPlayer:
    """Rebuild a pickled player."""
    return RolloutPlayer(base, options, name=name)


def rollout_player(
    scheduler: BuiltinScheduler, options: dict[str, OptionValue], name: str
) -> RolloutPlayer:
    """Make a planner.

    Args:
        scheduler: BASE.
        options: Of the planner and of BASE together.
        name: What tables call it.

    Raises:
        ConfigError: An option is of neither, or malformed.
    """
    own, bases = RolloutOptions.model_fields, scheduler.options.model_fields
    for given in options:
        if given not in own and given not in bases:
            raise ConfigError(
                f"{PREFIX}{scheduler.name}: {plain(given)}: no option of the planner or of "
                f"{scheduler.name}; {hint(given, [*own, *bases])}"
            )
    base = CompiledPlayer(scheduler, {k: v for k, v in options.items() if k not in own})
    return RolloutPlayer(base, {k: v for k, v in options.items() if k in own}, name=name)
