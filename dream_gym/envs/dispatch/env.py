"""``DreamRTMM-Dispatch-v0``: decide every dispatch."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle
from numpy.typing import NDArray

from dream_gym.envs.cells import Cells, Load, Platforms, Scenarios
from dream_gym.envs.dispatch.menu import MENU, Mask, view_menu
from dream_gym.envs.dispatch.observation import TABLES, DispatchObservation, Flat, Sizes
from dream_gym.envs.dispatch.stepping import RESET, step
from dream_gym.envs.entries import entry_table
from dream_gym.envs.potentials import potential_number
from dream_gym.errors import ActionError, ConfigError, EnvStateError
from dream_gym.simulator import Floats, Ints, Simulation
from dream_gym.workload import SEEDS_PER_PURPOSE

MAX_ROWS = 4096


@dataclass(frozen=True)
class DispatchSetup:
    """What a dispatch environment and its vector form have in common.

    Args:
        cells: Where episodes are drawn from.
        observation: What agents see.
        actions: Number of actions.
        networks: Variants that an action may choose, 1 where DREAM's rule does.
        menu: The menu's arena before a run.
        reward: Number of the reward.
        episode_seconds: Simulated length of an episode.
    """

    cells: Cells
    observation: DispatchObservation
    actions: int
    networks: int
    menu: Ints
    reward: int
    episode_seconds: float

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """All actions, legal or not."""
        return gym.spaces.Discrete(self.actions)


def set_up(
    scenario: Scenarios = "ar_social",
    platform: Platforms = "4k_1ws_2os",
    *,
    load: Load = 1.0,
    episode_seconds: float = 1.0,
    reward: str = "uxcost_delta",
    observation: str = "box",
    decision: str = "layer",
    skip_forced: bool = False,
    supernet: str = "dream",
    max_slots: int | None = None,
    expiry: str | None = None,
    energy_norm: str = "charged",
    contention: bool | None = None,
) -> DispatchSetup:
    """Read the arguments of the environment; see `DreamRTMMDispatchEnv`."""
    for field, value, choices in (
        ("observation", observation, ("box", "dict")),
        ("decision", decision, ("layer", "block")),
        ("supernet", supernet, ("dream", "free")),
    ):
        if value not in choices:
            raise ConfigError(f"{field}: expected {' or '.join(choices)}, got {value!r}")
    options = {"expiry": expiry, "energy_norm": energy_norm, "contention": contention}
    cells = Cells(scenario, platform, load, None, **options)
    problems = [example.problem for example in cells.examples]
    accelerators = max(problem.costs.shape[1] for problem in problems)
    rows = max(
        int(problem.models["backlog_limit"].sum()) + problem.costs.shape[1] for problem in problems
    )
    if max_slots is not None:
        if not 1 <= max_slots <= MAX_ROWS:
            raise ConfigError(f"max_slots: expected 1 to {MAX_ROWS}, got {max_slots}")
        rows = min(rows, max_slots)
    networks = 1
    if supernet == "free":
        networks = max(int(problem.models["networks"].max()) for problem in problems)
    arena = MENU.allocate(rows_count=rows)
    menu = view_menu(arena)
    menu.now[0].skip_forced = skip_forced
    menu.now[0].blocks = decision == "block"
    menu.shape[:] = accelerators, networks
    models = max(len(problem.models) for problem in problems)
    return DispatchSetup(
        cells=cells,
        observation=DispatchObservation(
            Sizes(models, rows, accelerators), as_dict=observation == "dict"
        ),
        actions=rows * accelerators * networks + rows + 1,
        networks=networks,
        menu=arena,
        reward=potential_number(reward),
        episode_seconds=episode_seconds,
    )


@dataclass(frozen=True)
class EnvState:
    """A decision point, to be returned to; made by `DreamRTMMDispatchEnv.get_state`."""

    simulation: Simulation
    state: Ints
    records: tuple[Ints, Ints]
    menu: Ints
    mask: Mask
    flat: Flat
    value: Floats
    generator: Mapping[str, Any]


class DreamRTMMDispatchEnv(gym.Env[Any, Any], EzPickle):
    r"""Decide which frame's next layer runs on which accelerator, one dispatch at a time.

    ## Description
    A system on chip with several ML accelerators runs a scenario: models that release frames at a
    rate, each frame due by a deadline. Whenever a frame waits and an accelerator is idle, or a
    frame may be dropped, the agent decides; it is charged what UXCost grows by. Simulated time
    passes when it waits.

    ## Action Space
    ``Discrete(J A + J + 1)`` for J rows of frames and A accelerators:

    | Num | Action |
    |-----|--------|
    | j A + a | run the next layer of the frame in row j on accelerator a |
    | J A + j | drop the frame in row j |
    | J A + J | wait: no more decisions at this instant |

    Rows are the live frames: those that wait come first, then those that execute, each by
    deadline. Dispatching is legal from a waiting frame to an idle accelerator; dropping where
    DREAM's conditions 1, 3 and 4 allow it: the frame cannot meet its deadline any more, its model
    has lost fewer than 2 of its last 10 frames, and no model depends on it. Waiting is always
    legal. ``info["action_mask"]`` (int8) and `action_masks` (bool) mark what is legal; an illegal
    action is counted in ``info["illegal_actions"]`` and answered with waiting. Points where
    nothing but waiting is legal are passed over.

    With ``supernet="free"`` the first J A numbers become (j A + a) V + v: run variant v of V.

    ## Observation Space
    ``Box(float32)``: the tables below one after the other, row by row; or with
    ``observation="dict"`` a ``Dict`` of the tables. ``env.unwrapped.observation.names`` names
    every entry of the flat vector.

    TABLES

    ## Rewards
    By the argument ``reward``; each is what a potential falls by, so that an episode's rewards sum
    to minus its final value:

    * ``uxcost_delta`` (default): UXCost, so an episode sums to −UXCost;
    * ``log_uxcost_delta``: log(1 + UXCost / lower bound), which tells apart good episodes too;
    * ``dense``: mean over models of violation rate + lost rate + normalised energy.

    ## Starting State
    The first decision point of a world that the seed draws: ``reset(seed=s)`` is the world of
    ``dream_gym.simulate(..., seed=s)``; ``reset()`` draws a seed for training, below 10^9, and
    returns it as ``info["seed"]``.

    ## Episode End
    The episode terminates after ``episode_seconds`` of simulated time; unfinished frames are then
    lost. It is never truncated. The last ``info["result"]`` is the `dream_gym.Result` of the run.
    Decisions are unevenly spaced: ``info["elapsed_ns"]`` is the simulated time since the last.

    ## Arguments
    * ``scenario``: a name, the path of a YAML file, a `Scenario`, or a list of these to draw from
      at each reset; default ``ar_social``.
    * ``platform``: likewise; default ``4k_1ws_2os``. Observations and actions are padded to the
      largest cell.
    * ``load``: factor on every rate, or a range ``(low, high)`` to draw it from; default 1.
    * ``episode_seconds``: simulated length of an episode; default 1.
    * ``reward``: name of the reward; default ``uxcost_delta``.
    * ``observation``: ``box`` or ``dict``; default ``box``.
    * ``decision``: ``layer``, or ``block``: a dispatch takes about a quarter of the network.
    * ``skip_forced``: whether a point with one legal action beside waiting is passed over, and
      that action taken; default False.
    * ``supernet``: ``dream``: DREAM's rule chooses variants; ``free``: the actions do.
    * ``max_slots``: the most rows; by default all frames that can exist at once.
    * ``expiry``: ``soft`` or ``firm``; default what the scenario says.
    * ``energy_norm``: ``charged`` or ``literal``; default ``charged``.
    * ``contention``: whether dispatches share the off-chip bandwidth; default what the platform
      says.

    A malformed argument raises `dream_gym.errors.ConfigError`, an action that is no integer
    `ActionError`, a step without a running episode `EnvStateError`.

    ## Example
    >>> import gymnasium as gym
    >>> env = gym.make("dream_gym:DreamRTMM-Dispatch-v0", load=1.2)
    >>> observation, info = env.reset(seed=1)
    >>> action = env.action_space.sample(info["action_mask"])
    >>> observation, reward, terminated, truncated, info = env.step(action)

    ## Version History
    * v0: first release.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self,
        scenario: Scenarios = "ar_social",
        platform: Platforms = "4k_1ws_2os",
        **arguments: Any,
    ) -> None:
        EzPickle.__init__(self, scenario, platform, **arguments)
        self.setup = set_up(scenario, platform, **arguments)
        self.observation = self.setup.observation
        self.observation_space = self.observation.space
        self.action_space = self.setup.action_space
        self.simulation = self.setup.cells.examples[0]
        sizes = self.observation.sizes
        self._padding = np.array([sizes.models, sizes.accelerators], dtype=np.int64)
        self._menu = self.setup.menu.copy()
        self._mask = np.zeros(self.setup.actions, dtype=np.int8)
        self._flat = np.zeros(self.observation.flat_space.shape, dtype=np.float32)
        self._value = np.zeros(2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: Seed of the world; see the class.
            options: ``{"record": True}`` makes the result of the episode hold the tables
                ``frames`` and ``timeline``.
        """
        super().reset(seed=seed)
        self.simulation = self.setup.cells.draw(self.np_random)
        world = seed if seed is not None else int(self.np_random.integers(SEEDS_PER_PURPOSE))
        record = bool((options or {}).get("record", False))
        self.simulation.reset(seed=world, seconds=self.setup.episode_seconds, record=record)
        self._menu[:] = self.setup.menu
        self._value[:] = 0.0, self.simulation.lower_bound()
        if self._step(RESET):
            self.simulation.end()
        return self._present(), {"seed": world, **self._info(self.simulation.now_ns)}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one decision, and let time pass to the next."""
        if self.simulation.ended:
            raise EnvStateError("step() needs a running episode: call reset() first")
        try:
            number = int(action)
        except (TypeError, ValueError):
            raise ActionError(f"action: expected an integer, got {action!r}") from None
        if number < 0:
            number = self.setup.actions  # as illegal as those that are too large; not a reset
        before_ns, value = self.simulation.now_ns, float(self._value[0])
        terminated = bool(self._step(number))
        info = self._info(self.simulation.now_ns - before_ns)
        if terminated:
            self.simulation.end()
            info["result"] = self.simulation.result()
        reward = value - float(self._value[0])
        return self._present(), reward, terminated, False, info

    def close(self) -> None:
        """End the episode; `reset` may begin another."""
        self.simulation.end()

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are legal, as sb3-contrib wants it: bool, one entry for each action."""
        return self._mask.astype(bool)

    def get_state(self) -> EnvState:
        """The present decision point; may be returned to any number of times."""
        if self.simulation.ended:
            raise EnvStateError("get_state() needs a running episode: call reset() first")
        return EnvState(
            self.simulation,
            self.simulation.state_arena.copy(),
            self.simulation.records,
            self._menu.copy(),
            self._mask.copy(),
            self._flat.copy(),
            self._value.copy(),
            self.np_random.bit_generator.state,
        )

    def set_state(self, state: EnvState) -> tuple[Any, dict[str, Any]]:
        """Return to a decision point; gives its observation and info.

        A recorded episode's tables of frames and dispatches go back with it; what ran on from
        there before is overwritten in them.
        """
        self.simulation = state.simulation
        self.simulation.restore(state.state, state.records)
        self._menu[:], self._mask[:] = state.menu, state.mask
        self._flat[:], self._value[:] = state.flat, state.value
        self.np_random.bit_generator.state = state.generator
        return self._present(), self._info(0)

    def _step(self, action: int) -> bool:
        return step(
            self.simulation.problem_arena,
            self.simulation.state_arena,
            self._menu,
            *self.simulation.records,
            self._mask,
            self._padding,
            self._flat,
            self._value,
            action,
            self.setup.reward,
        )

    def _present(self) -> Any:
        return self.observation.present(self._flat.copy())

    def _info(self, elapsed_ns: int) -> dict[str, Any]:
        return {
            "action_mask": self._mask.copy(),
            "elapsed_ns": elapsed_ns,
            "illegal_actions": int(view_menu(self._menu).now[0].illegal),
        }


def _document() -> None:
    """Put the tables of the observation into the class's page, from the code."""
    rows = {
        "global": "one row",
        "models": "a row for each model",
        "accelerators": "a row for each accelerator",
        "frames": "a row for each row of frames",
        "pairs": "a row for each row of frames and each accelerator",
    }
    tables = "\n\n".join(
        f"``{name}``, {rows[name]}:\n\n{entry_table(entries)}" for name, entries in TABLES.items()
    )
    page = inspect.getdoc(DreamRTMMDispatchEnv) or ""  # empty under python -OO
    DreamRTMMDispatchEnv.__doc__ = page.replace("TABLES", tables)


_document()
