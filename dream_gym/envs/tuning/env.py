"""``DreamRTMM-v0``: tune DREAM's parameters while it schedules."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from dream_gym.arguments import checked_choice, checked_number
from dream_gym.envs.base import WorldEnv, padded_sizes
from dream_gym.envs.features import Feature, Observation, document_tables, feature_table
from dream_gym.envs.presets import preset_arguments
from dream_gym.envs.rewards import REWARD_PAGE, read_weights
from dream_gym.envs.sampling import Cells, Load, Platforms, Sampler, Scenarios, read_places
from dream_gym.envs.tuning.observation import (
    ACCELERATORS,
    GLOBAL,
    MODELS,
    memory_size,
    tables,
)
from dream_gym.envs.tuning.stepping import step
from dream_gym.errors import ActionError, ConfigError
from dream_gym.schedulers import get_scheduler
from dream_gym.simulator import Floats
from dream_gym.units import NS_PER_MS, NS_PER_S

_NO_ACTION = np.zeros(0)
_ROUNDING = 1e-6
"""Share of a tunable's range by which an action may be off."""
SCHEDULER = get_scheduler("dream_plus")
TUNABLES = {
    name: Feature(name, "1", *bounds, meaning)
    for name, bounds, meaning in (
        ("alpha", (0, 2), "weight of starvation"),
        ("beta", (0, 2), "weight of the energy preference"),
        ("patience", (1, 8), "how much later than at its earliest a layer may end; 8: no limit"),
        ("drop_cap", (0, 10), "frames of the last 10 of a model that may be lost; rounded"),
        ("supernet_margin", (0, 4), "caution in choosing the variant of a Supernet"),
    )
}
"""The numbers of `dream_plus`, with the ranges of its options."""
_CHOOSES_VARIANTS = "supernet_margin"
_WHOLE = [name for name, field in SCHEDULER.options.model_fields.items() if field.annotation is int]


class DreamRTMMEnv(WorldEnv):
    r"""Tune DREAM's parameters while it schedules a real-time workload.

    ## Description
    A system on chip with several ML accelerators runs a scenario: models that release frames at a
    rate, each frame due by a deadline. DREAM (ASPLOS 2023, here reconstructed) dispatches the
    layers of the frames by MapScore, in which alpha weighs starvation and beta energy, drops frames
    that are beyond help, and chooses the variants of Supernets. The agent sets parameters of it for
    each control interval, and is charged what UXCost grows by: the product of violation rates and
    energy.

    ## Action Space
    ``Box(float32)``, one number for each of the ``tunables``, in natural units. By default these
    are alpha and beta, so it is ``Box([0, 0], [2, 2])``. Those not tuned have their defaults:
    alpha 1, beta 1, and what makes `dream_plus` the same as DREAM (patience 8, drop_cap 2,
    supernet_margin 1).

    ACTIONS

    ## Observation Space
    ``Box(float32)``: the tables below one after the other, row by row; or with
    ``observation="dict"`` a ``Dict`` of the tables. Before ``models`` comes ``tunables``: the
    values in force of the tunables, in their order. ``env.unwrapped.observation.names`` names every
    feature of the flat vector. Values beyond a bound are clipped to it.

    TABLES

    ## Rewards
    REWARDS

    ## Starting State
    Time 0 of a world that the seed draws: ``reset(seed=s)`` is the world of
    ``dream_gym.simulate(..., seed=s)``; ``reset()`` draws a seed for training, below 10^9, and
    returns it as ``info["seed"]``. With it come the ``scenario``, ``platform`` (their names) and
    ``load`` that were drawn.

    ## Episode End
    The episode terminates after ``episode_seconds`` of simulated time; unfinished frames are then
    lost. It is truncated only by ``max_episode_steps`` of `gymnasium.make` and
    `gymnasium.make_vec`. The last ``info["result"]`` is the `dream_gym.Result` of the run.

    ## Arguments
    * ``scenario``: a name, the path of a YAML file, a `Scenario`, or a list of these to draw from
      at each reset; default ``ar_social``.
    * ``platform``: likewise; default ``4k_1ws_2os``. Observations are padded to the largest cell.
    * ``load``: factor on every rate, or a range ``(low, high)`` to draw it from; default 1.
    * ``cells``: a list of `dream_gym.Cell` or of mappings of their fields to draw from, in place of
      scenario, platform, load, jitter, cascade, expiry and preset; default none.
    * ``tunables``: names of the parameters that the actions set; default ``("alpha", "beta")``.
    * ``episode_seconds``: simulated length of an episode; default 5.
    * ``interval_ms``: simulated time per step; default 100.
    * ``reward``: name of the reward; default ``uxcost_delta``.
    * ``accuracy_weight``: what accuracy lost counts, see Rewards; default 1 where
      ``supernet_margin`` is tuned, else 0.
    * ``dense_weights``: weights of the terms of the reward ``dense``, a mapping of ``violations``,
      ``lost`` and ``energy``, see Rewards; default 1, 0 and 1.
    * ``cost_info``: whether ``info["cost"]`` tells what the last step has cost: ``violations`` and
      ``lost`` frames, ``energy`` in pJ as UXCost charges it, and ``accuracy`` lost in frames, each
      an array with an entry for each row of ``models``; default False.
    * ``observation``: ``box`` or ``dict``; default ``box``.
    * ``preset``: ``changing`` sets scenario, platform, load and episode_seconds where they are not
      given: three apps in any order, each for 2 s, at a random load. There a fixed setting cannot
      be right all the time: with alpha, beta and patience set by app (found by search on training
      seeds), UXCost is 0.69 [0.67, 0.72] times that of the best of 27 constants (geometric mean
      over 5 evaluation seeds, all orders and 3 loads). Default: none.
    * ``jitter``: release jitter of every root as a share of its period, in place of that of the
      scenario. Without it a scenario that draws nothing, such as ``drone_outdoor``, is one single
      world, whatever the seed: an agent learns it by heart.
    * ``cascade``: probability that a parent's frame triggers one of a dependent, in place of those
      of the scenario.
    * ``expiry``: ``soft`` or ``firm``; default what the scenario says.
    * ``energy_norm``: ``charged``, or for comparison only ``literal``, under which dropping saves
      energy, see Rewards; observed energies follow it, too; default ``charged``.
    * ``late_urgency``: ``floor``, ``one`` or ``last``; default ``floor``.
    * ``contention``: whether dispatches share the off-chip bandwidth; default what the platform
      says.
    * ``sizes``: least sizes to pad observations to, a mapping of ``models`` and ``accelerators``:
      those of another environment, ``env.unwrapped.sizes``, let an agent of that play here.
    * ``render_mode``: ``rgb_array``: `render` draws the last 100 ms and the violations so far.

    `get_state` and `set_state` return to a decision point, in this environment or in another with
    the same arguments.

    A malformed argument raises `dream_gym.errors.ConfigError`, an action outside its bounds
    `ActionError`, a step without a running episode `EnvStateError`.

    ## Example
    >>> import gymnasium as gym
    >>> env = gym.make("dream_gym:DreamRTMM-v0", load=1.2)
    >>> observation, info = env.reset(seed=1)
    >>> action = env.action_space.high / 2  # alpha = beta = 1
    >>> observation, reward, terminated, truncated, info = env.step(action)

    ## Version History
    * v0: first release. Since then: the reward ``dense`` is weighted otherwise, ``uxcost_window``
      charges a late frame once; ``accuracy_weight``, by default 1 where ``supernet_margin`` is
      tuned; ``models.rate`` is log(1 + frames/s); ``jitter``, ``cascade``, ``cells``, ``sizes``,
      ``cost_info``, ``dense_weights``.
    """

    def __init__(
        self,
        scenario: Scenarios | None = None,
        platform: Platforms | None = None,
        *,
        load: Load | None = None,
        cells: Cells | None = None,
        tunables: Sequence[str] = ("alpha", "beta"),
        episode_seconds: float | None = None,
        interval_ms: float = 100.0,
        reward: str = "uxcost_delta",
        accuracy_weight: float | None = None,
        dense_weights: Mapping[str, float] | None = None,
        cost_info: bool = False,
        observation: str = "box",
        preset: str | None = None,
        jitter: float | None = None,
        cascade: float | None = None,
        expiry: str | None = None,
        energy_norm: str = "charged",
        late_urgency: str = "floor",
        contention: bool | None = None,
        sizes: Mapping[str, int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        EzPickle.__init__(
            self,
            scenario=scenario,
            platform=platform,
            load=load,
            cells=cells,
            tunables=tunables,
            episode_seconds=episode_seconds,
            interval_ms=interval_ms,
            reward=reward,
            accuracy_weight=accuracy_weight,
            dense_weights=dense_weights,
            cost_info=cost_info,
            observation=observation,
            preset=preset,
            jitter=jitter,
            cascade=cascade,
            expiry=expiry,
            energy_norm=energy_norm,
            late_urgency=late_urgency,
            contention=contention,
            sizes=sizes,
            render_mode=render_mode,
        )
        given = preset_arguments(
            preset, scenario=scenario, platform=platform, load=load, episode_seconds=episode_seconds
        )
        seconds = given.pop("episode_seconds")
        tuned = _features(tunables)
        self._defaults = SCHEDULER.configure(late_urgency=late_urgency).parameters()
        places = read_places(cells, **given, cascade=cascade, jitter=jitter, expiry=expiry)
        sampler = Sampler(places, SCHEDULER.engine, energy_norm=energy_norm, contention=contention)
        padded = padded_sizes(
            sizes,
            models=max(len(example.problem.models) for example in sampler.examples),
            accelerators=max(example.problem.costs.shape[1] for example in sampler.examples),
        )
        models, accelerators = padded["models"], padded["accelerators"]
        super().__init__(
            sampler,
            Observation(tables(models, accelerators, tuned), observation),
            gym.spaces.Box(
                np.array([feature.low for feature in tuned], dtype=np.float32),
                np.array([feature.high for feature in tuned], dtype=np.float32),
                dtype=np.float32,
            ),
            reward=reward,
            weights=read_weights(
                reward,
                accuracy_weight,
                dense_weights,
                choose_variants=_CHOOSES_VARIANTS in tunables,
            ),
            cost_info=cost_info,
            render_mode=render_mode,
            sizes=padded,
            action_layout=[[feature.name, feature.low, feature.high] for feature in tuned],
            episode_seconds=seconds,
            memory=np.zeros(memory_size(models, accelerators)),
        )
        checked_number("interval_ms", interval_ms, 0.001, 1000 * self.episode_seconds)
        self.interval_ns = round(interval_ms * NS_PER_MS)
        names = list(SCHEDULER.options.model_fields)
        indices = np.array([names.index(feature.name) for feature in tuned], dtype=np.int64)
        self.constants = (
            indices,
            self.interval_ns,
            np.array([models, accelerators], dtype=np.int64),
            self.reward_number,
        )
        """What the compiled step is told of the environment at every call."""
        self.whole = np.array([feature.name in _WHOLE for feature in tuned])
        """Which tunables are rounded."""

    @property
    def episode_steps(self) -> int:
        """Number of steps of an episode."""
        return -(-round(self.episode_seconds * NS_PER_S) // self.interval_ns)

    def _begin(self) -> None:
        self.simulation.parameters[: len(self._defaults)] = self._defaults
        self._step(_NO_ACTION, begins=True)

    def _play(self, action: Any) -> bool:
        parameters = read_actions(action, self.action_space, self.whole)
        if parameters is None:
            raise ActionError(
                f"action: expected a number within {self.action_space} for each of "
                f"{len(self.constants[0])} parameters, got {action!r}"
            )
        return self._step(parameters, begins=False)

    def _step(self, action: Any, *, begins: bool) -> bool:
        buffers = self.buffers
        return step(
            buffers["run"],
            action,
            begins,
            *self.constants,
            buffers["memory"],
            buffers["flat"],
            buffers["episode_account"],
            buffers["costs"],
        )


def read_actions(
    actions: Any,
    space: gym.Space[Any],
    whole: NDArray[np.bool_],
    active: NDArray[np.bool_] | EllipsisType = ...,
) -> Floats | None:
    """The parameters that actions stand for, within their bounds; None if they are no actions.

    Values may be off by the rounding of a wrapper: for ``patience``, whose least value is 1,
    Gymnasium's `RescaleAction` makes 0.9999999 of -1.

    Args:
        actions: What was given.
        space: Of one environment's actions, or of a batch's.
        whole: Which parameters are rounded to integers.
        active: Rows of a batch that are looked at.
    """
    assert isinstance(space, gym.spaces.Box)
    try:
        values = np.asarray(actions, dtype=np.float32)
    except (TypeError, ValueError):
        return None
    if values.shape != space.shape:
        return None
    slack = _ROUNDING * (space.high - space.low)
    within = (values >= space.low - slack) & (values <= space.high + slack)
    if not within[active].all():
        return None
    parameters = np.clip(values, space.low, space.high).astype(np.float64)
    return np.where(whole, np.rint(parameters), parameters)


def _features(tunables: Sequence[str]) -> list[Feature]:
    if isinstance(tunables, str) or not isinstance(tunables, Sequence) or not tunables:
        raise ConfigError(f"tunables: expected a list of names, got {tunables!r}")
    names = [checked_choice("tunables", name, list(TUNABLES)) for name in tunables]
    if len(set(names)) < len(names):
        raise ConfigError(f"tunables: expected different names, got {tunables!r}")
    return [TUNABLES[name] for name in names]


def _document() -> None:
    """Put the tables into the class's page, from the code."""
    page = inspect.getdoc(DreamRTMMEnv) or ""  # empty under python -OO
    page = page.replace("ACTIONS", feature_table(list(TUNABLES.values())))
    page = page.replace("REWARDS", REWARD_PAGE)
    DreamRTMMEnv.__doc__ = document_tables(
        page,
        {
            "global": ("one row", GLOBAL),
            "models": ("a row for each model", MODELS),
            "accelerators": ("a row for each accelerator", ACCELERATORS),
        },
    )


_document()
