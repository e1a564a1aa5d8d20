"""What both environments do alike: draw a world, begin it, take steps, and present it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from dream_gym.arguments import checked_choice, checked_flag, checked_integer, checked_number
from dream_gym.envs.costs import costs_of, make_costs
from dream_gym.envs.features import Observation
from dream_gym.envs.rendering import draw_run
from dream_gym.envs.rewards import (
    ELAPSED_NS,
    REWARD,
    Weights,
    account_size,
    begin_account,
    reward_number,
    statistics_of,
)
from dream_gym.envs.sampling import Drawn, Sampler
from dream_gym.envs.snapshots import EnvState
from dream_gym.errors import ConfigError, EnvStateError, hint
from dream_gym.simulator import RUN_WORDS, Result, Simulation
from dream_gym.simulator.limits import MAX_SECONDS
from dream_gym.workload import SEEDS_PER_PURPOSE

if TYPE_CHECKING:
    from typing_extensions import Self

Buffers = dict[str, NDArray[Any]]

_RECORD = "record"
"""The option of a reset."""
_LEAST_SECONDS = 1e-6
_MOST_OF_A_SIZE = 4096


def padded_sizes(least: Any, **largest: int) -> dict[str, int]:
    """The sizes of an environment: those of its largest cell, or larger where that is asked for.

    Args:
        least: The argument ``sizes`` of an environment: the least sizes by name, or None.
        **largest: The sizes of the largest cell.

    Raises:
        ConfigError: A size is unknown or no count.
    """
    if least is not None and not isinstance(least, Mapping):
        raise ConfigError(f"sizes: expected a mapping of {', '.join(largest)}, got {least!r}")
    for name, size in (least or {}).items():
        if name not in largest:
            raise ConfigError(f"sizes: {name!r} is unknown; {hint(str(name), largest)}")
        size = checked_integer(f"sizes.{name}", size, 1, _MOST_OF_A_SIZE)
        largest[name] = max(largest[name], size)
    return largest


def read_reset_options(options: Any) -> bool:
    """Whether the options of a reset ask for a recorded episode.

    Raises:
        ConfigError: An option is unknown or malformed.
    """
    if options is None:
        return False
    if not isinstance(options, Mapping):
        raise ConfigError(f"options: expected a mapping, got {options!r}")
    for name in options:
        if name != _RECORD:
            raise ConfigError(f"options: {name!r} is unknown; {hint(str(name), [_RECORD])}")
    return checked_flag(f"options.{_RECORD}", options.get(_RECORD, False))


class WorldEnv(gym.Env[Any, Any], EzPickle):
    """An environment around a simulation; what a step does is the subclass's.

    All that compiled code reads and writes of it lies in ``buffers``, which `use` replaces by rows
    of a batch.

    Args:
        sampler: Draws what episodes play in.
        observation: What agents see.
        action_space: What they do.
        reward: Name of the reward.
        weights: What the terms of the reward count.
        cost_info: Whether infos tell the terms of the last step, see `dream_gym.envs.costs`.
        episode_seconds: Simulated length of an episode.
        render_mode: ``rgb_array`` or None.
        sizes: What observations and actions are padded to, see `padded_sizes`.
        action_layout: What the numbers of an action stand for, ready for JSON.
        **buffers: Buffers that the subclass needs beside ``run``, the addresses of the simulation;
            ``flat``, the observation as float32; ``episode_account``, see
            `dream_gym.envs.rewards`; and ``costs``, see `dream_gym.envs.costs`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": ["rgb_array"],
        "render_fps": 10,
    }

    def __init__(
        self,
        sampler: Sampler,
        observation: Observation,
        action_space: gym.Space[Any],
        *,
        reward: str,
        weights: Weights,
        cost_info: bool,
        episode_seconds: float,
        render_mode: str | None,
        sizes: dict[str, int],
        action_layout: Any,
        **buffers: NDArray[Any],
    ) -> None:
        if render_mode is not None:
            checked_choice("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.sizes = sizes
        self.action_layout = action_layout
        self.sampler = sampler
        self.observation = observation
        self.observation_space = observation.space
        self.action_space = action_space
        self.reward_number = reward_number(reward)
        self.weights = weights
        self.cost_info = checked_flag("cost_info", cost_info)
        self.episode_seconds = checked_number(
            "episode_seconds", episode_seconds, _LEAST_SECONDS, MAX_SECONDS
        )
        sampler.check_frames(self.episode_seconds)
        self.drawn = sampler.first
        self.simulation = sampler.simulate(self.drawn)
        self.buffers: Buffers = {
            "run": np.zeros(RUN_WORDS, dtype=np.int64),
            "flat": np.zeros(observation.flat_space.shape, dtype=np.float32),
            "episode_account": np.zeros(account_size(sizes["models"])),
            "costs": make_costs(sizes["models"] if cost_info else 0),
            **buffers,
        }

    def clone(self) -> Self:
        """An environment with the same arguments and a run of its own; it shares the problems."""
        other = object.__new__(type(self))  # copy.copy would call the constructor, see EzPickle
        other.__dict__.update(self.__dict__)
        other.simulation = self.simulation.clone()
        other.use({name: buffer.copy() for name, buffer in self.buffers.items()})
        other._np_random, other._np_random_seed = None, None
        return other

    def use(self, buffers: Buffers) -> None:
        """Put the buffers elsewhere, such as into rows of a batch; they keep their content."""
        for name, buffer in buffers.items():
            buffer[...] = self.buffers[name]
        self.buffers = buffers

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the world; see the class.
            options: ``{"record": True}`` makes the result of the episode hold the tables
                ``frames`` and ``timeline``.
        """
        record = read_reset_options(options) or self.render_mode is not None
        self.leave()
        super().reset(seed=seed)
        drawn = self.sampler.draw(self.np_random)
        simulation = self._simulation(drawn)
        world = seed if seed is not None else int(self.np_random.integers(SEEDS_PER_PURPOSE))
        simulation.reset(seed=world, seconds=self.episode_seconds, record=record)
        self._run(drawn, simulation)
        begin_account(self.buffers["episode_account"], simulation.lower_bound(), self.weights)
        self.buffers["costs"][:] = 0.0
        self._begin()
        told = {
            "seed": world,
            "scenario": simulation.scenario.name,
            "platform": simulation.platform.name,
            "load": drawn.load,
        }
        return self.present(), {**told, **self.info()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Carry an action out, and let time pass to the next."""
        self._check_running("step")
        terminated = bool(self._play(action))
        info = self.info()
        if terminated:
            info["result"] = self.finish()
            statistics = self.statistics(self.buffers)
            info["episode_statistics"] = {name: one.item() for name, one in statistics.items()}
        return (
            self.present(),
            float(self.buffers["episode_account"][REWARD]),
            terminated,
            False,
            info,
        )

    def _check_running(self, method: str) -> None:
        if self.simulation.ended:
            raise EnvStateError(f"{method}() needs a running episode: call reset() first")

    def leave(self) -> None:
        """Be told that the episode, if there is one, is followed by another or truncated."""

    def finish(self) -> Result:
        """Note that the episode has ended, and give its result."""
        self.simulation.end()
        return self.simulation.result()

    def statistics(self, buffers: Buffers) -> dict[str, NDArray[Any]]:
        """Return ``r``, length ``l`` and the like of an episode, or of each of a batch."""
        return statistics_of(buffers["episode_account"])

    def get_state(self) -> EnvState:
        """The present decision point, a copy; see `set_state`."""
        self._check_running("get_state")
        timeline, frames = self.simulation.records
        return EnvState(
            maker=type(self).__name__,
            arguments=self._ezpickle_kwargs,
            drawn=self.drawn,
            arena=self.simulation.state_arena.copy(),
            records=(timeline.copy(), frames.copy()),
            buffers={n: buffer.copy() for n, buffer in self.buffers.items() if n != "run"},
            generator=self.np_random.bit_generator.state,
        )

    def set_state(self, snapshot: EnvState) -> tuple[Any, dict[str, Any]]:
        """Return to a decision point, any number of times; gives its observation and info.

        The snapshot may be that of another environment with the same arguments (``render_mode`` may
        be another), so that a planner may try actions in a model of the environment that it acts
        in. It may be copied and pickled. Tables of a recorded episode are part of it.

        Raises:
            EnvStateError: It is the snapshot of an environment with other arguments.
        """
        snapshot.check(type(self).__name__, self._ezpickle_kwargs)
        simulation = self._simulation(snapshot.drawn)
        if not simulation.fits(snapshot.arena):
            raise EnvStateError(
                "set_state: the snapshot is of another version, or its files changed"
            )
        timeline, frames = snapshot.records
        simulation.restore(snapshot.arena, (timeline.copy(), frames.copy()))
        self._run(snapshot.drawn, simulation)
        for name, buffer in snapshot.buffers.items():
            self.buffers[name][...] = buffer
        self.np_random.bit_generator.state = snapshot.generator
        return self.present(), self.info()

    def render(self) -> Any:
        """A picture of the last 100 ms, see `draw_run`; None without a ``render_mode``.

        Raises:
            EnvStateError: There was no episode yet.
        """
        if self.render_mode is None:
            return None
        if self.simulation.horizon_ns == 0:
            raise EnvStateError("render() needs an episode: call reset() first")
        return draw_run(self.simulation)

    def close(self) -> None:
        """End the episode; `reset` may begin another."""
        self.simulation.end()

    def _simulation(self, drawn: Drawn) -> Simulation:
        """The present simulation if it is of what was drawn, else a new one."""
        return self.simulation if drawn == self.drawn else self.sampler.simulate(drawn)

    def _run(self, drawn: Drawn, simulation: Simulation) -> None:
        """Take a run as the environment's own."""
        self.drawn, self.simulation = drawn, simulation
        self.buffers["run"][:] = simulation.addresses

    def present(self) -> Any:
        """The observation, a copy."""
        return self.observation.present(self.buffers["flat"].copy())

    def info(self) -> dict[str, Any]:
        """What every reset and step tells."""
        told: dict[str, Any] = {"elapsed_ns": int(self.buffers["episode_account"][ELAPSED_NS])}
        if self.cost_info:
            told["cost"] = costs_of(self.buffers["costs"])
        return told

    @abstractmethod
    def _begin(self) -> None:
        """Prepare a run at time 0 and make its first observation."""

    @abstractmethod
    def _play(self, action: Any) -> bool:
        """Carry an action out in compiled code; return whether the episode has ended.

        Raises:
            ActionError: It is no action.
        """
