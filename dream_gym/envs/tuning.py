"""``DreamRTMM-v0``: tune DREAM's parameters while it schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from dream_gym.envs.observations import TuningObservation
from dream_gym.envs.potentials import potential_now, potential_number
from dream_gym.errors import ActionError, ConfigError, EnvStateError
from dream_gym.hardware import Platform, load_platform
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import NS_PER_S, Simulation
from dream_gym.workload import SEEDS_PER_PURPOSE, Scenario, load_scenario

Observation = NDArray[np.float32]
Action = NDArray[np.float32]


class DreamRTMMEnv(gym.Env[Observation, Action], EzPickle):
    r"""Tune DREAM's parameters alpha and beta while it schedules a real-time workload.

    ## Description
    A system on chip with several ML accelerators runs a scenario: models that release frames at a
    rate, each frame due by a deadline. DREAM (ASPLOS 2023, here reconstructed) dispatches the
    layers of the frames by MapScore, in which alpha weighs starvation and beta energy. The agent
    sets both for each control interval, and is charged what UXCost grows by: the product of
    violation rates and energy.

    ## Action Space
    ``Box([0, 0], [2, 2], float32)``, in natural units:

    | Num | Action | Min | Max |
    |-----|--------|-----|-----|
    | 0   | alpha, weight of starvation | 0 | 2 |
    | 1   | beta, weight of the energy preference | 0 | 2 |

    ## Observation Space
    ``Box(float32)`` of shape (8 models + accelerators + 3,); first eight entries for each model,
    in the scenario's order, then one for each accelerator, then the rest. ``env.unwrapped.
    observation.names`` names every entry. Values beyond a bound are clipped to it.

    | Entry | Unit | Min | Max | Meaning |
    |-------|------|-----|-----|---------|
    | rate | 100 frames/s | 0 | 10 | frames per second at the load in force |
    | backlog | backlog limit | 0 | 2 | released frames that are neither complete nor lost |
    | slack | relative deadline | -2 | 1 | least time to a deadline over those frames, 1 if none |
    | remaining_work | relative deadline | 0 | 10 | their remaining mean latency, summed |
    | interval_violations | frames due per interval | 0 | 10 | violations in the last interval |
    | interval_energy | worst-case energy due per interval | 0 | 10 | energy charged in it |
    | violations | frames of the episode | 0 | 1 | violations since the start |
    | energy | worst-case energy of the episode | 0 | 10 | energy charged since the start |
    | busy | interval | 0 | 1 | share of the last interval that the accelerator was busy |
    | alpha | 1 | 0 | 2 | the parameter in force |
    | beta | 1 | 0 | 2 | the parameter in force |
    | time_left | episode | 0 | 1 | share of the episode that is left |

    ## Rewards
    By the argument ``reward``; each is what a potential falls by, so that an episode's rewards sum
    to minus its final value:

    * ``uxcost_delta`` (default): UXCost, so an episode sums to −UXCost;
    * ``log_uxcost_delta``: log(1 + UXCost / lower bound), which tells apart good episodes too;
    * ``dense``: mean over models of violation rate + lost rate + normalised energy.

    ## Starting State
    Time 0 of a world that the seed draws: ``reset(seed=s)`` is the world of
    ``dream_gym.simulate(..., seed=s)``; ``reset()`` draws a seed for training, below 10^9, and
    returns it as ``info["seed"]``.

    ## Episode End
    The episode terminates after ``episode_seconds`` of simulated time; unfinished frames are then
    lost. It is never truncated. The last ``info["result"]`` is the `dream_gym.Result` of the run.

    ## Arguments
    * ``scenario``: a name, the path of a YAML file, or a `Scenario`; default ``ar_social``.
    * ``platform``: a name, the path of a YAML file, or a `Platform`; default ``4k_1ws_2os``.
    * ``load``: factor on every rate; default 1.
    * ``episode_seconds``: simulated length of an episode; default 5.
    * ``interval_ms``: simulated time per step; default 100.
    * ``reward``: name of the reward; default ``uxcost_delta``.
    * ``expiry``: ``soft`` or ``firm``; default what the scenario says.
    * ``energy_norm``: ``charged`` or ``literal``; default ``charged``.
    * ``late_urgency``: ``floor``, ``one`` or ``last``; default ``floor``.

    A malformed argument raises `dream_gym.errors.ConfigError`, an action outside its bounds
    `ActionError`, a step without a running episode `EnvStateError`.

    ## Example
    >>> import gymnasium as gym
    >>> env = gym.make("dream_gym:DreamRTMM-v0", load=1.2)
    >>> observation, info = env.reset(seed=1)
    >>> action = env.action_space.high / 2  # alpha = beta = 1
    >>> observation, reward, terminated, truncated, info = env.step(action)

    ## Version History
    * v0: first release.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self,
        scenario: str | Path | Scenario = "ar_social",
        platform: str | Path | Platform = "4k_1ws_2os",
        *,
        load: float = 1.0,
        episode_seconds: float = 5.0,
        interval_ms: float = 100.0,
        reward: str = "uxcost_delta",
        expiry: str | None = None,
        energy_norm: str = "charged",
        late_urgency: str = "floor",
    ) -> None:
        EzPickle.__init__(
            self,
            scenario,
            platform,
            load=load,
            episode_seconds=episode_seconds,
            interval_ms=interval_ms,
            reward=reward,
            expiry=expiry,
            energy_norm=energy_norm,
            late_urgency=late_urgency,
        )
        if not 0.001 <= interval_ms <= 1000 * episode_seconds:
            raise ConfigError(
                f"interval_ms: expected a number between 0.001 and the episode, got {interval_ms}"
            )
        scheduler = get_scheduler("dream_mapscore")
        self._defaults = scheduler.configure(late_urgency=late_urgency).parameters()
        self._reward = potential_number(reward)
        self._episode_seconds = episode_seconds
        self._interval_ns = round(interval_ms * 1e6)
        self.simulation = Simulation(
            load_scenario(scenario),
            load_platform(platform),
            scheduler.engine,
            load=load,
            expiry=expiry,
            energy_norm=energy_norm,
        )
        self.observation = TuningObservation(self.simulation, self._interval_ns)
        self.observation_space = self.observation.space
        self.action_space = gym.spaces.Box(0.0, 2.0, shape=(2,), dtype=np.float32)
        self._value = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the world; see the class.
            options: ``{"record": True}`` makes the result of the episode hold the tables
                ``frames`` and ``timeline``.
        """
        super().reset(seed=seed)
        world = seed if seed is not None else int(self.np_random.integers(SEEDS_PER_PURPOSE))
        record = bool((options or {}).get("record", False))
        self.simulation.reset(seed=world, seconds=self._episode_seconds, record=record)
        self.simulation.parameters[: len(self._defaults)] = self._defaults
        self.observation.reset()
        self._value = self._potential()
        return self.observation.observe(), {"seed": world}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Simulate one control interval under the action's parameters."""
        if self.simulation.ended:
            raise EnvStateError("step() needs a running episode: call reset() first")
        try:
            action = np.asarray(action, dtype=np.float32)
            valid = self.action_space.contains(action)
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise ActionError(f"action: expected two numbers in [0, 2], got {action!r}")
        self.simulation.parameters[: len(action)] = action
        self.simulation.advance(self.simulation.now_ns + self._interval_ns)
        value = self._potential()
        reward, self._value = self._value - value, value
        terminated = self.simulation.ended
        info: dict[str, Any] = {"result": self.simulation.result()} if terminated else {}
        return self.observation.observe(), reward, terminated, False, info

    def _potential(self) -> float:
        arenas = self.simulation.problem_arena, self.simulation.state_arena
        return potential_now(*arenas, self._reward, self.simulation.lower_bound())

    def close(self) -> None:
        """End the episode; `reset` may begin another."""
        self.simulation.end()

    @property
    def episode_steps(self) -> int:
        """Number of steps of an episode."""
        return -(-round(self._episode_seconds * NS_PER_S) // self._interval_ns)
