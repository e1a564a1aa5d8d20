"""Schedulers written in Python: slower than the built-in ones, with the same semantics."""

from __future__ import annotations

from abc import ABC, abstractmethod

from dream_gym.errors import SchedulerError
from dream_gym.hardware import Platform
from dream_gym.schedulers.builtin import Family
from dream_gym.schedulers.view import Dispatch, Drop, View
from dream_gym.simulator import (
    DISPATCH,
    DONE,
    DROP,
    NONE,
    PASS,
    Engine,
    Ints,
    run_to_decision,
    take_decision,
)
from dream_gym.units import NS_PER_S
from dream_gym.workload import Scenario

Choice = Dispatch | Drop | None


class Scheduler(ABC):
    """Base of a scheduler of your own.

    Example:
        >>> import dream_gym
        >>> class ShortestFirst(dream_gym.Scheduler):
        ...     def select(self, view):
        ...         if not view.ready or not view.idle:
        ...             return None
        ...         frame = min(view.ready, key=lambda frame: frame.mean_remaining_ns)
        ...         fastest = min(view.idle, key=lambda index: frame.latency_ns[index])
        ...         return dream_gym.Dispatch(frame, fastest)
        >>> result = dream_gym.simulate("ar_call", "4k_2ws", ShortestFirst(), seconds=0.1)
        >>> result.dispatches
        227
    """

    family: Family = "yours"
    """The family that reports put it in."""

    def reset(self, view: View) -> None:  # noqa: B027 - a scheduler without memory needs none
        """Forget the previous run; called before the first decision of every run."""

    @abstractmethod
    def select(self, view: View) -> Choice:
        """Make one decision.

        It is called at every decision point, again after each dispatch or drop, until it passes.

        Args:
            view: The run as it is now; it changes with the run, its frames do not.

        Returns:
            A `Dispatch`, a `Drop`, or None to let time pass to the next event.
        """


def make_python_engine(scheduler: Scheduler, scenario: Scenario, platform: Platform) -> Engine:
    """The engine around a scheduler in Python; see `Engine`.

    Raises:
        SchedulerError: From the engine, when the scheduler raises or chooses something
            impossible; the run is then where it was before that choice.
    """
    name = type(scheduler).__name__

    def run(
        problem_arena: Ints,
        state_arena: Ints,
        timeline: Ints,
        frames: Ints,
        until_ns: int,
        _most: int,
    ) -> int:
        arenas = problem_arena, state_arena, timeline, frames
        view = View(scenario, platform, problem_arena, state_arena)
        if view.now_ns == 0:
            scheduler.reset(view)
        while run_to_decision(*arenas, until_ns):
            where = f"{name} at {view.now_ns / NS_PER_S:.9f} s"
            try:
                choice = scheduler.select(view)
            except (Exception, SystemExit) as error:
                raise SchedulerError(f"{where}: {type(error).__name__}: {error}") from error
            if not take_decision(*arenas, *_decision(choice, where)):
                raise SchedulerError(
                    f"{where}: {choice!r} is impossible: choose a frame of view.ready, an index of "
                    "view.idle, a variant of its network, and at least one layer"
                )
        return DONE

    return Engine(run)


def _decision(choice: Choice, where: str) -> tuple[int, int, int, int, int]:
    if choice is None:
        return PASS, NONE, NONE, 0, 1
    if isinstance(choice, Drop):
        return DROP, choice.frame.slot, NONE, 0, 1
    if isinstance(choice, Dispatch):
        numbers = choice.accelerator, choice.variant, choice.layers
        if all(isinstance(number, int) for number in numbers):
            return DISPATCH, choice.frame.slot, *numbers
    raise SchedulerError(f"{where}: expected a Dispatch, a Drop or None, got {choice!r}")
